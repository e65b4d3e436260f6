"""Payments' events about money paid back: refunds, reversals, credits, payments reassigned to another order.

Invariant: a refund's row holds the highest version received, and every event is recorded once in the history;
so neither depends on which of two events about one refund arrives first.
"""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from contracts.payments.accounts import PaymentReassigned, PaymentReversed
from contracts.payments.refunds import (
    CreditGranted,
    Refund,
    RefundConfirmed,
    RefundFailed,
    RefundLine,
    RefundMarked,
    RefundSent,
    RefundUncertain,
)
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.copies.payment_store import AssignedPaymentRow, RefundRow
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes

RefundWord = RefundMarked | RefundSent | RefundConfirmed | RefundFailed | RefundUncertain
_KINDS: dict[type[RefundWord], str] = {
    RefundMarked: "refund_marked",
    RefundSent: "refund_sent",
    RefundConfirmed: "refund_confirmed",
    RefundFailed: "refund_failed",
    RefundUncertain: "refund_uncertain",
}
_LINES = TypeAdapter(list[RefundLine])


def copy_refund(work: OrderUnit, received: ReceivedMessage[Any]) -> None:
    """Copy a refund and record the activity, except in a resync. Raises Wait for an unknown order.

    Idempotent: a repeat, or an older version, changes nothing.
    """
    word, cause = received.message, received.envelope
    order = work.find(word.shop, word.order_id)
    refund: Refund = word.refund
    key = (order.shop, order.id, refund.refund_id)
    known = work.refunds.get(key)
    if known is None or known.version < refund.version:
        work.refunds[key] = _row(order.shop, order.id, refund)
    if not received.is_snapshot:
        work.note(
            order.shop, order.id, _KINDS[type(word)], cause.id, refund.actor, cause, _activity_data(refund)
        )
    outcomes.settle(work, received)


def note_reversal(work: OrderUnit, received: ReceivedMessage[PaymentReversed]) -> None:
    """Record a payment that was reversed. Raises Wait for an unknown order.

    Idempotent: a repeat leaves its row unchanged.
    """
    reversal = received.message
    data = {
        "method": reversal.method,
        "amount_minor": reversal.amount_minor,
        "currency": reversal.currency,
        "reason": reversal.reason,
        "reversed_entry_id": str(reversal.reversed_entry_id),
    }
    _note(work, received, "payment_reversed", reversal.entry_id, data)


def note_credit(work: OrderUnit, received: ReceivedMessage[CreditGranted]) -> None:
    """Record a credit. Raises Wait for an unknown order.

    Idempotent: a repeat leaves its row unchanged.
    """
    credit = received.message
    data = {"amount_minor": credit.amount_minor, "currency": credit.currency, "reason": credit.reason}
    _note(work, received, "credit_granted", credit.entry_id, data)


def note_reassignment(work: OrderUnit, received: ReceivedMessage[PaymentReassigned]) -> None:
    """Record a payment that was reassigned to or from an order. Raises Wait for an unknown order.

    Idempotent: a repeat leaves its row unchanged.
    """
    move = received.message
    if move.direction == "in" and move.provider and move.provider_reference:
        row = AssignedPaymentRow(
            shop=move.shop,
            provider=move.provider,
            provider_reference=move.provider_reference,
            order_id=move.order_id,
        )
        work.assigned_payments.append(row)
    other = str(move.other_order_id) if move.other_order_id else None
    data = {
        "amount_minor": move.amount_minor,
        "currency": move.currency,
        "provider_reference": move.provider_reference,
        "other_order_id": other,
        "note": move.note,
    }
    _note(work, received, f"payment_moved_{move.direction}", received.envelope.id, data)


def _note(
    work: OrderUnit, received: ReceivedMessage[Any], kind: str, item: Any, data: dict[str, Any]
) -> None:
    order = work.find(received.message.shop, received.message.order_id)
    actor = received.message.recorded_by
    work.note(order.shop, order.id, kind, item, actor, received.envelope, data)
    outcomes.settle(work, received)


def _activity_data(refund: Refund) -> dict[str, Any]:
    return {
        "refund_id": str(refund.refund_id),
        "mode": refund.mode,
        "amount_minor": refund.amount_minor,
        "confirmed_minor": refund.confirmed_minor,
        "currency": refund.currency,
        "reference": refund.reference or refund.provider_reference,
        "reason": refund.reason,
        "detail": refund.detail,
    }


def _row(shop: str, order_id: UUID, refund: Refund) -> RefundRow:
    return RefundRow(
        shop=shop,
        order_id=order_id,
        refund_id=refund.refund_id,
        version=refund.version,
        mode=refund.mode,
        state=refund.state,
        amount_minor=refund.amount_minor,
        confirmed_minor=refund.confirmed_minor,
        currency=refund.currency,
        provider=refund.provider,
        payment_reference=refund.payment_reference,
        provider_reference=refund.provider_reference,
        reference=refund.reference,
        lines=_LINES.dump_json(refund.lines).decode(),
        cause=refund.cause,
        reason=refund.reason,
        actor=refund.actor,
        asked_at=refund.asked_at,
        detail=refund.detail,
    )
