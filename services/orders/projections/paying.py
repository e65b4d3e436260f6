"""What payments says about an order's money: the position of its account with its ledger, and each receipt.

Invariant: the copy equals payments' position of the highest version heard of, whatever arrived in between; the
ledger's copy is the set of entries of all positions heard of, of which only BalanceChanged tells. Neither depends on
the order in which messages arrive.
"""

from typing import Any

from contracts.envelope import Envelope
from contracts.payments import BalanceChanged, LedgerEntry, PaymentSettled, PaymentUnmatched, Position
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.intake import checking_out
from services.orders.order.payment_status import Money
from services.orders.order.record import Order
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes


def take_position(work: OrderUnit, received: ReceivedMessage[BalanceChanged]) -> None:
    """Take over the position unless a newer one is known, and copy its entries. Raises Wait for an unknown order.

    Idempotent: a repeat finds its entries; an older position adds its entries and nothing else.
    """
    message, cause = received.message, received.envelope
    order = work.find(message.shop, message.order_id)
    currency = message.position.currency
    work.ledger_entries += [_entry_row(order, currency, entry, cause) for entry in message.entries]
    if order.take_money(message.position.version, _money_of(message.position)):
        work.changed(order, cause)


def _entry_row(order: Order, currency: str, entry: LedgerEntry, cause: Envelope) -> tuple[Any, ...]:
    name = (order.shop, order.id, entry.entry_id, entry.number, entry.kind)
    money = (entry.method, entry.amount_minor, currency, entry.provider, entry.provider_reference)
    words = (entry.reference, entry.received_on, entry.clearing_on, entry.note, entry.actor)
    return (
        *name,
        *money,
        *words,
        entry.balance_after_minor,
        entry.occurred_at,
        cause.time,
        entry.payment_entry_id,
    )


def note_receipt(work: OrderUnit, received: ReceivedMessage[PaymentSettled]) -> None:
    """Note a receipt and settle the command that asked for it; in a resync, the order stays as it is. Raise Wait for
    an unknown order.

    Idempotent: a repeat leaves its row unchanged.
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
    if not received.is_standing:
        work.changed(order, cause, entry.recorded_by)
    outcomes.settle(work, received)


def note_unmatched(work: OrderUnit, received: ReceivedMessage[PaymentUnmatched]) -> None:
    """Note money that no order claims; it has found its order once a ledger entry has its reference.

    When it names an order, that may be a checkout: which then is placed, or flagged.

    Idempotent: a repeat leaves its row unchanged.
    """
    payment = received.message
    work.unmatched_payments.append(
        (
            payment.shop,
            payment.provider,
            payment.provider_reference,
            payment.amount_minor,
            payment.currency,
            payment.received_at,
            payment.reason,
            received.envelope.id,
            payment.order_id,
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
