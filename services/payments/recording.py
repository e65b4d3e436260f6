"""A person received money: a cheque, a transfer, cash. The command's id names the entry, so a repeat is the same one.

Any manual method is taken whatever the customer chose (a cheque may come for an order meant to be paid by transfer),
and any amount above zero: what is too much shows as owed to the customer. What a provider settles by itself is refused,
or the same card payment would be counted once by hand and once by its webhook.
"""

from datetime import date, timedelta

from contracts.message import Reason
from contracts.payments import RecordPayment
from contracts.service import CommandRejected
from services.chassis.subscribers import Delivery, Wait, order_key
from services.payments.account import Account
from services.payments.book import AccountBook
from services.payments.ledger import MANUAL, MANUAL_METHODS, Entry, Kind
from services.payments.settling import receive

LARGEST_SUM_MINOR = 2**53 - 1
"""The largest sum a position can tell (contracts.message.Minor)."""
FIRST_DAY = date(1970, 1, 1)
PATIENCE = timedelta(minutes=2)
"""How long a command waits for its order to be known here."""


def record_payment(book: AccountBook, delivery: Delivery[RecordPayment]) -> None:
    """Post the receipt, or answer with every reason against it. Waits for an order that is not here yet."""
    command = delivery.message
    account = book.find(command.shop, command.order_id)
    if account is None and book.unit.now - delivery.first_seen_at < PATIENCE:
        raise Wait(order_key(command.order_id), f"order {command.order_id} is not known yet", PATIENCE * 2)
    reasons = _against(command, account, delivery)
    if reasons or account is None:
        _reject(book, delivery, reasons)
    else:
        receive(book, account, _entry(delivery), delivery.envelope)


def _against(
    command: RecordPayment, account: Account | None, delivery: Delivery[RecordPayment]
) -> list[Reason]:
    if account is None:
        text = f"no order {command.order_id} in shop {command.shop} after {PATIENCE}; check the order's id"
        return [Reason(code="unknown_order", message=text, field="order_id")]
    reasons = []
    if account.closed_at is not None:
        text = f"order {account.code} was deleted at {account.closed_at:%Y-%m-%d %H:%M}; choose another order"
        reasons.append(Reason(code="order_deleted", message=text, field="order_id"))
    if command.currency != account.currency:
        text = (
            f"{command.currency} for an account in {account.currency}; enter the amount in {account.currency}"
        )
        reasons.append(Reason(code="currency_differs", message=text, field="currency"))
    if command.amount_minor <= 0:
        text = f"amount {command.amount_minor} is not above zero; to correct an entry, reverse it"
        reasons.append(Reason(code="amount_not_positive", message=text, field="amount_minor"))
    if account.position.received_minor + command.amount_minor > LARGEST_SUM_MINOR:
        text = (
            f"{command.amount_minor} is more than an account can hold ({LARGEST_SUM_MINOR} in all); check it"
        )
        reasons.append(Reason(code="amount_too_large", message=text, field="amount_minor"))
    if command.method not in MANUAL_METHODS:
        text = f"{command.method} is not recorded by hand; choose cheque, transfer, cash or other"
        reasons.append(Reason(code="automatic_method", message=text, field="method"))
    if command.received_on < FIRST_DAY:
        text = (
            f"received on {command.received_on}; enter the day it was received, {FIRST_DAY} at the earliest"
        )
        reasons.append(Reason(code="received_long_ago", message=text, field="received_on"))
    if command.received_on > delivery.envelope.time.date() + timedelta(days=1):
        text = f"received on {command.received_on}, which is yet to come; enter the day it was received"
        reasons.append(Reason(code="received_in_the_future", message=text, field="received_on"))
    return reasons


def _reject(book: AccountBook, delivery: Delivery[RecordPayment], reasons: list[Reason]) -> None:
    command = delivery.message
    book.unit.emit(
        CommandRejected(
            shop=command.shop,
            order_id=command.order_id,
            command_id=delivery.envelope.id,
            command_type=delivery.envelope.type,
            reasons=reasons,
        ),
        cause=delivery.envelope,
    )


def _entry(delivery: Delivery[RecordPayment]) -> Entry:
    command = delivery.message
    return Entry(
        kind=Kind.PAYMENT_RECEIVED,
        amount_minor=command.amount_minor,
        provider=MANUAL,
        object_id=str(delivery.envelope.id),
        step=0,
        source="manual",
        caused_by=delivery.envelope.id,
        occurred_at=delivery.envelope.time,
        actor=command.actor,
        method=command.method,
        received_on=command.received_on,
        clearing_on=command.clearing_on,
        reference=command.reference,
        note=command.note,
    )
