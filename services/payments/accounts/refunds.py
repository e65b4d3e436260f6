"""The refunds of one account: those a person asked for, those the provider made, and which is which. Pure.

Two sets of facts, matched anew after every change, so the books don't depend on what was heard first. The provider's
refund that names ours is ours; one that fits an open mark (same payment, same amount) confirms it; one of another
amount takes its place; what is left over was made at the provider without us. A live refund counts once, whoever
told it: counting a mark and the refund that fulfils it would show money sent twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.payments import RefundCause, RefundLine, RefundMode, RefundState

RANKS = ("pending", "requires_action", "succeeded", "canceled", "failed")
"""States of a refund at the provider; of those told the last one here counts, for money that came back stays back."""
_DEAD = frozenset(("canceled", "failed"))


@dataclass(frozen=True, slots=True)
class RequestedRefund:
    """A refund a person asked for. (provider, payment) is the payment it refunds, None when none in particular."""

    id: UUID
    command_id: UUID
    mode: RefundMode
    amount_minor: int
    provider: str | None
    payment: str | None
    cause: RefundCause
    reason: str | None
    lines: tuple[RefundLine, ...]
    actor: str
    asked_at: datetime
    reference: str | None = None
    confirmed_by: str | None = None
    is_sent: bool = False
    refusal: str | None = None
    doubts: int = 0
    """How often it ended without anybody knowing whether it was made; `doubt` says why, the last time."""
    doubt: str | None = None
    notify_customer: bool = False
    public_comment: str | None = None

    @property
    def is_mark(self) -> bool:
        return self.mode is RefundMode.RECORDED

    @property
    def facts(self) -> int:
        return 1 + self.is_sent + (self.reference is not None) + (self.refusal is not None) + self.doubts

    @property
    def is_uncertain(self) -> bool:
        """Whether nobody knows if it was made, as far as this side alone tells."""
        return self.doubts > 0 and not self.is_sent and self.refusal is None

    @property
    def is_untraced(self) -> bool:
        """Whether it was made, as a person or an answer said, and nobody named the provider's refund of it."""
        return not self.is_mark and self.is_sent and self.refusal is None and self.reference is None

    @property
    def is_vouched(self) -> bool:
        """Whether a person saw the provider's refund of it: `reference` is that refund's id."""
        return not self.is_mark and self.reference is not None

    @property
    def vouched_key(self) -> tuple[str, str]:
        """The provider and its refund that a person named."""
        return (self.provider or "", self.reference or "")


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund as the provider has it; `states` are all that were told of it. `refund_id` is ours, if it names one."""

    provider: str
    object_id: str
    payment: str
    amount_minor: int
    made_at: datetime
    states: frozenset[str]
    refund_id: UUID | None = None
    is_duplicate: bool = False
    detail: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.provider, self.object_id)

    @property
    def state(self) -> str:
        return max(self.states, key=RANKS.index)

    @property
    def is_live(self) -> bool:
        """Whether money went back, or is on its way."""
        return self.state not in _DEAD

    @property
    def age(self) -> tuple[datetime, str]:
        return (self.made_at, self.object_id)

    def fits(self, mark: RequestedRefund) -> bool:
        """Whether this may be the refund that the mark speaks of."""
        named = mark.payment is None or (mark.provider, mark.payment) == (self.provider, self.payment)
        return named and mark.amount_minor == self.amount_minor


@dataclass(frozen=True, slots=True)
class Matching:
    """Which refund at the provider belongs to which of ours (by its id), and which belong to none."""

    fulfilled: dict[UUID, ProviderRefund]
    differing: dict[UUID, ProviderRefund]
    failed: dict[UUID, ProviderRefund]
    external: tuple[ProviderRefund, ...]

    def of(self, asked: RequestedRefund) -> ProviderRefund | None:
        """What became of ours at the provider."""
        for pairs in (self.fulfilled, self.differing, self.failed):
            if asked.id in pairs:
                return pairs[asked.id]
        return None

    def is_in_force(self, mark: RequestedRefund) -> bool:
        """Whether a mark counts by itself, no refund at the provider standing for it."""
        return self.of(mark) is None


@dataclass(frozen=True, slots=True)
class Word:
    """How one refund stands."""

    state: RefundState
    confirmed_minor: int | None = None
    provider_reference: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class Refunds:
    """All refunds of an account; `stored` is how many facts the database has, `stored_ids` which of those asked for."""

    asked: dict[UUID, RequestedRefund] = field(default_factory=dict)
    made: dict[tuple[str, str], ProviderRefund] = field(default_factory=dict)
    stored: int = 0
    stored_ids: frozenset[UUID] = frozenset()

    @property
    def facts(self) -> int:
        """How many facts there are: grows with each and is the same after any sequence."""
        return sum(one.facts for one in self.asked.values()) + sum(len(m.states) for m in self.made.values())

    @property
    def planned_minor(self) -> int:
        """What is about to be sent and not in the books yet."""
        return sum(one.amount_minor for one in self.waiting())

    @property
    def under_way_minor(self) -> int:
        """What the provider has taken and not yet confirmed."""
        return sum(one.amount_minor for one in self.made.values() if one.is_live and one.state != "succeeded")

    def waiting(self) -> list[RequestedRefund]:
        """Those of which the provider's refund is not known yet."""
        claimed = {made.refund_id for made in self.made.values()}
        return [
            one
            for one in self.asked.values()
            if not one.is_mark
            and one.refusal is None
            and one.id not in claimed
            and not self.counts_by_word(one)
        ]

    def counts_by_word(self, asked: RequestedRefund) -> bool:
        """Whether it was made by a person's word alone: the provider has told of neither it nor the named refund."""
        if not asked.is_vouched or asked.vouched_key in self.made:
            return False
        return all(made.refund_id != asked.id for made in self.made.values())

    def ask(self, asked: RequestedRefund) -> None:
        self.asked[asked.id] = asked

    def fill(self, refund_id: UUID, **facts: Any) -> None:
        """Fill in what became known of a refund that was asked for."""
        self.asked[refund_id] = replace(self.asked[refund_id], **facts)

    def learn(self, made: ProviderRefund) -> bool:
        """Add what the provider says of a refund; False when it is known."""
        known = self.made.get(made.key)
        if known is None:
            self.made[made.key] = made
            return True
        if made.states <= known.states:
            return False
        detail = made.detail if made.state == max(made.state, known.state, key=RANKS.index) else known.detail
        self.made[made.key] = replace(known, states=known.states | made.states, detail=detail)
        return True

    def matching(self) -> Matching:
        return match(self.asked.values(), self.made.values())

    def doubts_ended(self) -> dict[str, ProviderRefund]:
        """Give the provider's refund of each sent one that was uncertain, by the refund's id as text."""
        if not any(one.doubts for one in self.asked.values()):
            return {}
        matching = self.matching()
        pairs = ((one, matching.of(one)) for one in self.asked.values() if one.doubts and not one.is_mark)
        return {str(one.id): made for one, made in pairs if made is not None}

    def words(self) -> dict[UUID, Word]:
        """How each refund that was asked for stands; one that is still to be sent has no word yet."""
        matching = self.matching()
        words = {one.id: _word(one, matching) for one in self.asked.values()}
        return {refund_id: word for refund_id, word in words.items() if word is not None}

    def flags(self, balance_minor: int) -> list[str]:
        """What a person should look at."""
        matching = self.matching()
        words = self.words()
        flags = {
            "refund_unconfirmed": any(word.state is RefundState.MARKED for word in words.values()),
            "refund_differs": balance_minor != 0 and bool(matching.differing),
            "refund_uncertain": any(word.state is RefundState.UNCERTAIN for word in words.values()),
            "refund_failed": balance_minor < 0 and any(w.state is RefundState.FAILED for w in words.values()),
        }
        return [flag for flag, is_set in flags.items() if is_set]


def match(asked: Iterable[RequestedRefund], made: Iterable[ProviderRefund]) -> Matching:
    """Pair both sets; the same sets give the same pairs, whatever came first."""
    ours = {one.id: one for one in asked}
    fulfilled: dict[UUID, ProviderRefund] = {}
    failed: dict[UUID, ProviderRefund] = {}
    free: list[ProviderRefund] = []
    for one in sorted(made, key=lambda m: (not m.is_live, m.age)):
        pairs = fulfilled if one.is_live else failed
        if one.refund_id in ours and one.refund_id not in fulfilled and one.refund_id not in failed:
            pairs[one.refund_id] = one
        else:
            free.append(one)
    free = _pair_vouched(ours.values(), free, fulfilled, failed)
    marks = [one for one in ours.values() if one.is_mark and one.id not in fulfilled | failed]
    marks.sort(key=lambda m: (m.payment is None, m.reference is not None, m.id))
    live = [one for one in free if one.is_live]
    fulfilled |= _pair(marks, live, lambda mark, one: one.fits(mark))
    marks = [one for one in marks if one.id not in fulfilled and one.reference is None]
    live = _without(live, fulfilled)
    differing = _pair(
        marks, live, lambda mark, one: (mark.provider, mark.payment) == (one.provider, one.payment)
    )
    marks = [one for one in marks if one.id not in differing]
    dead = [one for one in free if not one.is_live]
    failed |= _pair(marks, dead, lambda mark, one: one.fits(mark))
    external = [*_without(live, differing), *_without(dead, failed)]
    return Matching(fulfilled, differing, failed, tuple(external))


def _pair_vouched(
    asked: Iterable[RequestedRefund],
    free: list[ProviderRefund],
    fulfilled: dict[UUID, ProviderRefund],
    failed: dict[UUID, ProviderRefund],
) -> list[ProviderRefund]:
    """Pair refunds that name none of ours with those of ours that a person said they are; those left over."""
    named = {a.vouched_key: a for a in asked if a.is_vouched and a.id not in fulfilled | failed}
    for one in free:
        if one.refund_id is None and one.key in named:
            (fulfilled if one.is_live else failed)[named[one.key].id] = one
    return _without(free, fulfilled | failed)


def _pair(
    marks: Iterable[RequestedRefund], made: Iterable[ProviderRefund], belongs: Any
) -> dict[UUID, ProviderRefund]:
    left = list(made)
    pairs = {}
    for mark in marks:
        fitting = [one for one in left if belongs(mark, one)]
        if fitting:
            pairs[mark.id] = min(fitting, key=lambda one: (one.object_id != mark.reference, one.age))
            left.remove(pairs[mark.id])
    return pairs


def _without(made: Iterable[ProviderRefund], pairs: dict[UUID, ProviderRefund]) -> list[ProviderRefund]:
    taken = {one.key for one in pairs.values()}
    return [one for one in made if one.key not in taken]


def word_of(made: ProviderRefund) -> Word:
    """How a refund stands that is known from the provider alone."""
    if not made.is_live:
        return Word(RefundState.FAILED, None, made.object_id, made.detail)
    state = RefundState.CONFIRMED if made.state == "succeeded" else RefundState.SENT
    confirmed = made.amount_minor if state is RefundState.CONFIRMED else None
    return Word(state, confirmed, made.object_id)


def _word(asked: RequestedRefund, matching: Matching) -> Word | None:
    made = matching.of(asked)
    if made is not None:
        word = word_of(made)
        return (
            replace(word, state=RefundState.MARKED)
            if asked.is_mark and word.state is RefundState.SENT
            else word
        )
    if asked.refusal is not None:
        return Word(RefundState.FAILED, detail=asked.refusal)
    if asked.is_mark:
        if asked.reference is None:
            return Word(RefundState.MARKED)
        return Word(RefundState.CONFIRMED, asked.amount_minor)
    if asked.is_vouched:
        return Word(RefundState.CONFIRMED, asked.amount_minor, asked.reference)
    if asked.is_uncertain:
        return Word(RefundState.UNCERTAIN, detail=asked.doubt)
    return Word(RefundState.SENT) if asked.is_sent else None
