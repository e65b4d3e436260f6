"""Money received outside the providers and entered by staff: a cheque, a transfer, cash.

The command's id names the entry, so a repeat is the same one. Any manual method is accepted, regardless of
what the customer chose (a cheque may come for an order meant to be paid by transfer), and any amount above zero: an
excess appears as owed to the customer. A method that a provider settles automatically is rejected, or the same
card payment would be counted once by hand and once by its webhook.
"""

from datetime import date, timedelta

from contracts.message import Reason
from contracts.payments.accounts import RecordPayment
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import MANUAL, MANUAL_METHODS, Entry, Kind
from services.payments.accounts.unit.answering import (
    account_of,
    deleted,
    not_positive,
    other_currency,
    reject,
)
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.webhooks.settling import receive

LARGEST_SUM_MINOR = 2**53 - 1
"""The largest sum a position can hold (contracts.message.Minor)."""
FIRST_DAY = date(1970, 1, 1)


def record_payment(work: AccountUnit, received: ReceivedMessage[RecordPayment]) -> None:
    """Post the receipt, or answer with every reason against it. Waits for an order that has not arrived yet."""
    account = account_of(work, received)
    if account is None:
        return
    if reasons := _against(received.message, account, received):
        reject(work, received, reasons)
    else:
        receive(work, account, _entry(received), received.envelope)


def _against(
    command: RecordPayment, account: Account, received: ReceivedMessage[RecordPayment]
) -> list[Reason]:
    reasons = [
        *deleted(account),
        *other_currency(account, command.currency),
        *not_positive(command.amount_minor),
    ]
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
    if command.received_on > received.envelope.time.date() + timedelta(days=1):
        text = f"received on {command.received_on}, which is in the future; enter the day it was received"
        reasons.append(Reason(code="received_in_the_future", message=text, field="received_on"))
    return reasons


def _entry(received: ReceivedMessage[RecordPayment]) -> Entry:
    command = received.message
    return Entry(
        kind=Kind.PAYMENT_RECEIVED,
        amount_minor=command.amount_minor,
        provider=MANUAL,
        object_id=str(received.envelope.id),
        step=0,
        source="manual",
        caused_by=received.envelope.id,
        occurred_at=received.envelope.time,
        actor=command.actor,
        method=command.method,
        received_on=command.received_on,
        clearing_on=command.clearing_on,
        reference=command.reference,
        note=command.note,
    )
