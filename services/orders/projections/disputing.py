"""Payments' events about disputes: the current state of each dispute, and its events in the order's history.

Invariant: a dispute's row holds the highest version received, so it does not matter which of two events about
one dispute arrives first. A dispute never changes the state of its order: the flags come with the position.
"""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from contracts.payments.disputes import Dispute, DisputeClosed, DisputeFee, DisputeOpened, DisputeUpdated
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.copies.payment_store import DisputeRow
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes

DisputeWord = DisputeOpened | DisputeUpdated | DisputeClosed
_FEES = TypeAdapter(list[DisputeFee])
_KINDS: dict[type[DisputeWord], str] = {
    DisputeOpened: "dispute_opened",
    DisputeUpdated: "dispute_updated",
    DisputeClosed: "dispute_closed",
}


def copy_dispute(work: OrderUnit, received: ReceivedMessage[Any]) -> None:
    """Copy a dispute and record the activity, except in a resync. Raises Wait for an unknown order.

    Idempotent: a repeat, or an older version, changes nothing.
    """
    word, cause = received.message, received.envelope
    order = work.find(word.shop, word.order_id)
    dispute: Dispute = word.dispute
    key = (order.shop, dispute.provider, dispute.provider_reference)
    known = work.disputes.get(key)
    if known is None or known.version < dispute.version:
        work.disputes[key] = _row(order.shop, order.id, dispute)
    if not received.is_snapshot:
        actor = dispute.resolved_by or dispute.provider
        work.note(order.shop, order.id, _kind(word), cause.id, actor, cause, _activity_data(dispute))
    if isinstance(word, DisputeClosed):
        outcomes.settle(work, received)


def _kind(state: DisputeWord) -> str:
    if isinstance(state, DisputeClosed) and state.dispute.resolution is not None:
        return f"dispute_{state.dispute.resolution}"
    return _KINDS[type(state)]


def _activity_data(dispute: Dispute) -> dict[str, Any]:
    return {
        "provider_reference": dispute.provider_reference,
        "dispute_state": dispute.state,
        "amount_minor": dispute.amount_minor,
        "currency": dispute.currency,
        "reason": dispute.reason,
        "note": dispute.note,
    }


def _row(shop: str, order_id: UUID, dispute: Dispute) -> DisputeRow:
    return DisputeRow(
        shop=shop,
        provider=dispute.provider,
        provider_reference=dispute.provider_reference,
        order_id=order_id,
        version=dispute.version,
        state=dispute.state,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        withdrawn_minor=dispute.withdrawn_minor,
        reinstated_minor=dispute.reinstated_minor,
        fees=_FEES.dump_json(dispute.fees).decode(),
        payment_reference=dispute.payment_reference,
        payment_entry_id=dispute.payment_entry_id,
        reason=dispute.reason,
        due_at=dispute.due_at,
        is_due_soon=dispute.is_due_soon,
        opened_at=dispute.opened_at,
        updated_at=dispute.updated_at,
        resolution=dispute.resolution,
        resolved_by=dispute.resolved_by,
        resolved_at=dispute.resolved_at,
        note=dispute.note,
    )
