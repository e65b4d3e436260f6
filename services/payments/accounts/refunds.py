"""The refunds of one account: those a person requested, those the provider made, and which is which. Pure.

Two sets of facts, matched again after every change, so the ledger does not depend on which fact arrived
first. The provider's refund that names ours is ours; one that fits an open mark (same payment, same amount)
confirms it; one of another amount replaces it; the remaining ones were made at the provider without us. A
live refund counts once, whichever source reported it: counting a mark and the refund that fulfils it would
show money sent twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.payments import RefundCause, RefundLine, RefundMode, RefundState

RANKS = ("pending", "requires_action", "succeeded", "canceled", "failed")
"""States of a refund at the provider; of those reported the last one here counts, for returned money stays
returned.
"""
_DEAD = frozenset(("canceled", "failed"))


@dataclass(frozen=True, slots=True)
class RequestedRefund:
    """A refund a person requested. (provider, payment) is the payment it refunds, None when none in
    particular.
    """

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
    """The number of times it ended with an uncertain outcome; `doubt` holds the reason, the last time."""
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
        """Return whether its outcome is uncertain, judged by this side only."""
        return self.doubts > 0 and not self.is_sent and self.refusal is None

    @property
    def is_untraced(self) -> bool:
        """Return whether it was made, by a person's decision or an answer, without a reference to the
        provider's refund.
        """
        return not self.is_mark and self.is_sent and self.refusal is None and self.reference is None

    @property
    def is_vouched(self) -> bool:
        """Return whether a person saw the provider's refund of it: `reference` is that refund's id."""
        return not self.is_mark and self.reference is not None

    @property
    def vouched_key(self) -> tuple[str, str]:
        """Return the provider and its refund that a person named."""
        return (self.provider or "", self.reference or "")


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund as the provider has it; `states` are all that were reported. `refund_id` is ours, if it names
    one.
    """

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
        """Return whether money was refunded, or is on its way."""
        return self.state not in _DEAD

    @property
    def age(self) -> tuple[datetime, str]:
        return (self.made_at, self.object_id)

    def fits(self, mark: RequestedRefund) -> bool:
        """Return whether this may be the refund that the mark describes."""
        named = mark.payment is None or (mark.provider, mark.payment) == (self.provider, self.payment)
        return named and mark.amount_minor == self.amount_minor


@dataclass(frozen=True, slots=True)
class Matching:
    """The pairs of a refund at the provider and one of ours (by its id), and those that belong to none."""

    fulfilled: dict[UUID, ProviderRefund]
    differing: dict[UUID, ProviderRefund]
    failed: dict[UUID, ProviderRefund]
    external: tuple[ProviderRefund, ...]

    def of(self, asked: RequestedRefund) -> ProviderRefund | None:
        """Return the refund at the provider that belongs to ours."""
        for pairs in (self.fulfilled, self.differing, self.failed):
            if asked.id in pairs:
                return pairs[asked.id]
        return None

    def is_in_force(self, mark: RequestedRefund) -> bool:
        """Return whether a mark counts by itself, without a refund at the provider in its place."""
        return self.of(mark) is None


@dataclass(frozen=True, slots=True)
class Word:
    """The state of one refund."""

    state: RefundState
    confirmed_minor: int | None = None
    provider_reference: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class Refunds:
    """All refunds of an account; `stored` is how many facts the database has, `stored_ids` which of the
    requested ones.
    """

    asked: dict[UUID, RequestedRefund] = field(default_factory=dict)
    made: dict[tuple[str, str], ProviderRefund] = field(default_factory=dict)
    stored: int = 0
    stored_ids: frozenset[UUID] = frozenset()

    @property
    def facts(self) -> int:
        """Return how many facts there are: grows with each and is the same after any order."""
        return sum(one.facts for one in self.asked.values()) + sum(len(m.states) for m in self.made.values())

    @property
    def planned_minor(self) -> int:
        """Return the sum of refunds that will be sent and are not in the ledger yet."""
        return sum(one.amount_minor for one in self.waiting())

    @property
    def under_way_minor(self) -> int:
        """Return the sum of refunds that the provider has accepted and not yet confirmed."""
        return sum(one.amount_minor for one in self.made.values() if one.is_live and one.state != "succeeded")

    def waiting(self) -> list[RequestedRefund]:
        """Return those whose refund at the provider has not been reported yet."""
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
        """Return whether it counts as made by a person's decision only: the provider reported neither it nor
        the named refund.
        """
        if not asked.is_vouched or asked.vouched_key in self.made:
            return False
        return all(made.refund_id != asked.id for made in self.made.values())

    def ask(self, asked: RequestedRefund) -> None:
        self.asked[asked.id] = asked

    def fill(self, refund_id: UUID, **facts: Any) -> None:
        """Fill in new information about a requested refund."""
        self.asked[refund_id] = replace(self.asked[refund_id], **facts)

    def learn(self, made: ProviderRefund) -> bool:
        """Add the provider's report of a refund; return False when it is recorded already."""
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
        """Return the provider's refund of each sent one that was uncertain, by the refund's id as text."""
        if not any(one.doubts for one in self.asked.values()):
            return {}
        matching = self.matching()
        pairs = ((one, matching.of(one)) for one in self.asked.values() if one.doubts and not one.is_mark)
        return {str(one.id): made for one, made in pairs if made is not None}

    def words(self) -> dict[UUID, Word]:
        """Return the state of each requested refund; one that is still to be sent has none yet."""
        matching = self.matching()
        words = {one.id: _word(one, matching) for one in self.asked.values()}
        return {refund_id: word for refund_id, word in words.items() if word is not None}

    def flags(self, balance_minor: int) -> list[str]:
        """Return the flags that a person should look at."""
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
    """Pair both sets; the same sets give the same pairs, in whatever order the facts arrived."""
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
    """Pair refunds that name none of ours with ours by a person's reference; return those left over."""
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
    """Return the state of a refund that only the provider reported."""
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
