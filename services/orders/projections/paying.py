"""Payments' events about an order's money: the position of its account with its ledger, and each receipt.

Invariant: the copy equals payments' position of the highest version received, regardless of what arrived in between;
the ledger's copy is the set of entries of all positions received, which only BalanceChanged carries. Neither
depends on the order in which messages arrive.
"""

from contracts.envelope import Envelope
from contracts.payments.accounts import (
    BalanceChanged,
    LedgerEntry,
    PaymentSettled,
    PaymentUnmatched,
    Position,
)
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.copies.payment_store import LedgerEntryRow, UnmatchedPaymentRow
from services.orders.order.intake import checking_out
from services.orders.order.payment_status import Money
from services.orders.order.record import Order
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes


def take_position(work: OrderUnit, received: ReceivedMessage[BalanceChanged]) -> None:
    """Update the position unless a newer one is recorded, and copy its entries. Raises Wait for an unknown
    order.

    Idempotent: a repeat leaves the entries unchanged; an older position only adds its entries.
    """
    message, cause = received.message, received.envelope
    order = work.find(message.shop, message.order_id)
    currency = message.position.currency
    work.ledger_entries += [_entry_row(order, currency, entry, cause) for entry in message.entries]
    if order.take_money(message.position.version, _money_of(message.position)):
        work.changed(order, cause)


def _entry_row(order: Order, currency: str, entry: LedgerEntry, cause: Envelope) -> LedgerEntryRow:
    return LedgerEntryRow(
        shop=order.shop,
        order_id=order.id,
        entry_id=entry.entry_id,
        number=entry.number,
        kind=entry.kind,
        method=entry.method,
        amount_minor=entry.amount_minor,
        currency=currency,
        provider=entry.provider,
        provider_reference=entry.provider_reference,
        reference=entry.reference,
        received_on=entry.received_on,
        clearing_on=entry.clearing_on,
        note=entry.note,
        recorded_by=entry.actor,
        balance_minor=entry.balance_after_minor,
        occurred_at=entry.occurred_at,
        recorded_at=cause.time,
        payment_entry_id=entry.payment_entry_id,
    )


def note_receipt(work: OrderUnit, received: ReceivedMessage[PaymentSettled]) -> None:
    """Record a receipt and settle the command that requested it; in a resync, the order is left unchanged.

    Raises Wait for an unknown order. Idempotent: a repeat leaves its row unchanged.
    """
    entry, cause = received.message, received.envelope
    order = work.find(entry.shop, entry.order_id)
    data = {
        "method": entry.method,
        "amount_minor": entry.amount_minor,
        "currency": entry.currency,
        "reference": entry.reference or entry.provider_reference,
    }
    work.note(order.shop, order.id, "payment_received", entry.entry_id, entry.recorded_by, cause, data)
    if not received.is_snapshot:
        work.changed(order, cause, entry.recorded_by)
    outcomes.settle(work, received)


def note_unmatched(work: OrderUnit, received: ReceivedMessage[PaymentUnmatched]) -> None:
    """Record money that matches no order; it is matched once a ledger entry has its reference.

    If it names an order, that may be a checkout, which is then placed or flagged.

    Idempotent: a repeat leaves its row unchanged.
    """
    payment = received.message
    work.unmatched_payments.append(
        UnmatchedPaymentRow(
            shop=payment.shop,
            provider=payment.provider,
            reference=payment.provider_reference,
            amount=payment.amount_minor,
            currency=payment.currency,
            received_at=payment.received_at,
            reason=payment.reason,
            event_id=received.envelope.id,
            order_id=payment.order_id,
        )
    )
    if payment.order_id is not None and payment.reason == "order_unknown":
        key = payment.shop, payment.order_id
        checking_out.note_money(work, key, payment.received_at, received.envelope)


def _money_of(position: Position) -> Money:
    return Money(
        due=position.due_minor,
        credited=position.credited_minor,
        received=position.received_minor,
        received_by_hand=position.received_by_hand_minor,
        refunded=position.refunded_minor,
        refunds_pending=position.refunds_pending_minor,
        marked=position.marked_minor,
        disputed=position.disputed_minor,
        authorised=position.authorised_minor,
        balance=position.balance_minor,
        attempt=position.attempt,
        flags=tuple(sorted(set(position.flags))),
    )
