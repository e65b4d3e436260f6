"""Requested refunds, refunds as the provider has them, and their pairs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.payments.refunds import RefundCause, RefundLine, RefundMode

RANKS = ("pending", "requires_action", "succeeded", "canceled", "failed")
"""States of a refund at the provider; of those reported the last one here counts, for returned money stays
returned.
"""
_DEAD = frozenset(("canceled", "failed"))


@dataclass(frozen=True, slots=True)
class RequestedRefund:
    """A refund staff requested. (provider, payment) is the payment it refunds, None when none in
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
    part_of: UUID | None = None
    """The refund of which this is a further part, made of another payment."""

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
        """Return whether it was made, by a staff decision or an answer, without a reference to the
        provider's refund.
        """
        return not self.is_mark and self.is_sent and self.refusal is None and self.reference is None

    @property
    def is_vouched(self) -> bool:
        """Return whether staff saw the provider's refund of it: `reference` is that refund's id."""
        return not self.is_mark and self.reference is not None

    @property
    def vouched_key(self) -> tuple[str, str]:
        """Return the provider and its refund that staff named."""
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

    def of(self, refund: RequestedRefund) -> ProviderRefund | None:
        """Return the refund at the provider that belongs to ours."""
        for pairs in (self.fulfilled, self.differing, self.failed):
            if refund.id in pairs:
                return pairs[refund.id]
        return None

    def is_active(self, mark: RequestedRefund) -> bool:
        """Return whether a mark counts by itself, without a refund at the provider in its place."""
        return self.of(mark) is None


def match(
    requested_refunds: Iterable[RequestedRefund], provider_refunds: Iterable[ProviderRefund]
) -> Matching:
    """Pair both sets; the same sets give the same pairs, in any order of the facts."""
    ours = {one.id: one for one in requested_refunds}
    fulfilled: dict[UUID, ProviderRefund] = {}
    failed: dict[UUID, ProviderRefund] = {}
    free: list[ProviderRefund] = []
    for one in sorted(provider_refunds, key=lambda m: (not m.is_live, m.age)):
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
    refund: Iterable[RequestedRefund],
    free: list[ProviderRefund],
    fulfilled: dict[UUID, ProviderRefund],
    failed: dict[UUID, ProviderRefund],
) -> list[ProviderRefund]:
    """Pair refunds that name none of ours with ours by staff's reference; return those left over."""
    named = {a.vouched_key: a for a in refund if a.is_vouched and a.id not in fulfilled | failed}
    for one in free:
        if one.refund_id is None and one.key in named:
            (fulfilled if one.is_live else failed)[named[one.key].id] = one
    return _without(free, fulfilled | failed)


def _pair(
    marks: Iterable[RequestedRefund], provider_refunds: Iterable[ProviderRefund], belongs: Any
) -> dict[UUID, ProviderRefund]:
    left = list(provider_refunds)
    pairs = {}
    for mark in marks:
        fitting = [one for one in left if belongs(mark, one)]
        if fitting:
            pairs[mark.id] = min(fitting, key=lambda one: (one.object_id != mark.reference, one.age))
            left.remove(pairs[mark.id])
    return pairs


def _without(
    provider_refunds: Iterable[ProviderRefund], pairs: dict[UUID, ProviderRefund]
) -> list[ProviderRefund]:
    taken = {one.key for one in pairs.values()}
    return [one for one in provider_refunds if one.key not in taken]
