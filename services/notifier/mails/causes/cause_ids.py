"""Causes of mails that several events may name: their ids are derived from what the events have in common."""

from datetime import UTC
from uuid import UUID, uuid5

from contracts.payments.accounts import PaymentUnmatched
from contracts.payments.disputes import Dispute, DisputeState

_NAMESPACE = UUID("3f0f3c39-58a1-5d0c-8f55-6d9d3f0d3c52")
BY_HAND = "manual"
"""What stands for the provider of a receipt that staff entered."""
_AWAITING = frozenset((DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE))


def money_cause(money: PaymentUnmatched) -> UUID:
    """Return the cause of the mail about money that no order claims: the provider's payment, by its reference.

    The reference of a receipt entered by hand is what staff wrote, and may be that of another one: there the time
    and the amount count too. Of a provider's payment they don't, since each of its reports has a time of its own.
    """
    named = ["money", money.provider, money.provider_reference]
    if money.provider == BY_HAND:
        named += [money.received_at.astimezone(UTC).isoformat(), str(money.amount_minor)]
    return uuid5(_NAMESPACE, "\n".join(named))


def deadline_cause(dispute: Dispute) -> UUID | None:
    """Return the cause of the mail about a dispute's deadline: both together. None while the deadline is not
    near, and once the provider waits for no answer any more.
    """
    if not dispute.is_due_soon or dispute.due_at is None or dispute.state not in _AWAITING:
        return None
    named = ("deadline", dispute.provider, dispute.provider_reference, dispute.due_at.isoformat())
    return uuid5(_NAMESPACE, "\n".join(named))
