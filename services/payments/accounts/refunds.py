"""The refunds of one account: those staff requested, those the provider made, and which is which. Pure.

Two sets of facts, matched again after every change, so the ledger does not depend on which fact arrived
first. The provider's refund that names ours is ours; one that fits an open mark (same payment, same amount)
confirms it; one of another amount replaces it; the remaining ones were made at the provider without us. A
live refund counts once, whichever source reported it: counting a mark and the refund that fulfils it would
show money sent twice.
"""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from contracts.payments.refunds import RefundState
from services.payments.accounts.refund_matching import RANKS, Matching, ProviderRefund, RequestedRefund, match


@dataclass(frozen=True, slots=True)
class RefundStatus:
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

    requested: dict[UUID, RequestedRefund] = field(default_factory=dict)
    made: dict[tuple[str, str], ProviderRefund] = field(default_factory=dict)
    stored: int = 0
    stored_ids: frozenset[UUID] = frozenset()

    @property
    def facts(self) -> int:
        """Return how many facts there are: grows with each and is the same after any order."""
        return sum(one.facts for one in self.requested.values()) + sum(
            len(m.states) for m in self.made.values()
        )

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
        claimed = {provider_refund.refund_id for provider_refund in self.made.values()}
        return [
            one
            for one in self.requested.values()
            if not one.is_mark
            and one.refusal is None
            and one.id not in claimed
            and not self.counts_by_word(one)
        ]

    def counts_by_word(self, refund: RequestedRefund) -> bool:
        """Return whether it counts as made by a staff decision only: the provider reported neither it nor
        the named refund.
        """
        if not refund.is_vouched or refund.vouched_key in self.made:
            return False
        return all(provider_refund.refund_id != refund.id for provider_refund in self.made.values())

    def ask(self, refund: RequestedRefund) -> None:
        self.requested[refund.id] = refund

    def fill(self, refund_id: UUID, **facts: Any) -> None:
        """Fill in new information about a requested refund."""
        self.requested[refund_id] = replace(self.requested[refund_id], **facts)

    def learn(self, provider_refund: ProviderRefund) -> bool:
        """Add the provider's report of a refund; return False when it is recorded already."""
        known = self.made.get(provider_refund.key)
        if known is None:
            self.made[provider_refund.key] = provider_refund
            return True
        if provider_refund.states <= known.states:
            return False
        detail = (
            provider_refund.detail
            if provider_refund.state == max(provider_refund.state, known.state, key=RANKS.index)
            else known.detail
        )
        self.made[provider_refund.key] = replace(
            known, states=known.states | provider_refund.states, detail=detail
        )
        return True

    def matching(self) -> Matching:
        return match(self.requested.values(), self.made.values())

    def doubts_ended(self) -> dict[str, ProviderRefund]:
        """Return the provider's refund of each sent one that was uncertain, by the refund's id as text."""
        if not any(one.doubts for one in self.requested.values()):
            return {}
        matching = self.matching()
        pairs = ((one, matching.of(one)) for one in self.requested.values() if one.doubts and not one.is_mark)
        return {str(one.id): provider_refund for one, provider_refund in pairs if provider_refund is not None}

    def statuses(self) -> dict[UUID, RefundStatus]:
        """Return the state of each requested refund; one that is still to be sent has none yet."""
        matching = self.matching()
        statuses = {one.id: _status(one, matching) for one in self.requested.values()}
        return {refund_id: status for refund_id, status in statuses.items() if status is not None}

    def flags(self, balance_minor: int) -> list[str]:
        """Return the flags that staff should look at."""
        matching = self.matching()
        statuses = self.statuses()
        flags = {
            "refund_unconfirmed": any(status.state is RefundState.MARKED for status in statuses.values()),
            "refund_differs": balance_minor != 0 and bool(matching.differing),
            "refund_uncertain": any(status.state is RefundState.UNCERTAIN for status in statuses.values()),
            "refund_failed": balance_minor < 0
            and any(w.state is RefundState.FAILED for w in statuses.values()),
        }
        return [flag for flag, is_set in flags.items() if is_set]


def status_of(provider_refund: ProviderRefund) -> RefundStatus:
    """Return the state of a refund that only the provider reported."""
    if not provider_refund.is_live:
        return RefundStatus(RefundState.FAILED, None, provider_refund.object_id, provider_refund.detail)
    state = RefundState.CONFIRMED if provider_refund.state == "succeeded" else RefundState.SENT
    confirmed = provider_refund.amount_minor if state is RefundState.CONFIRMED else None
    return RefundStatus(state, confirmed, provider_refund.object_id)


def _status(refund: RequestedRefund, matching: Matching) -> RefundStatus | None:
    provider_refund = matching.of(refund)
    if provider_refund is not None:
        status = status_of(provider_refund)
        return (
            replace(status, state=RefundState.MARKED)
            if refund.is_mark and status.state is RefundState.SENT
            else status
        )
    if refund.refusal is not None:
        return RefundStatus(RefundState.FAILED, detail=refund.refusal)
    if refund.is_mark:
        if refund.reference is None:
            return RefundStatus(RefundState.MARKED)
        return RefundStatus(RefundState.CONFIRMED, refund.amount_minor)
    if refund.is_vouched:
        return RefundStatus(RefundState.CONFIRMED, refund.amount_minor, refund.reference)
    if refund.is_uncertain:
        return RefundStatus(RefundState.UNCERTAIN, detail=refund.doubt)
    return RefundStatus(RefundState.SENT) if refund.is_sent else None
