"""Reversal of a payment entered by hand: a cheque bounced, or it was entered by mistake.

The counter-entry is named by the payment's entry, so it exists at most once, however often it is requested. Money a
provider received is not reversed here, it is refunded: a counter-entry would claim that the money never came.
"""

from uuid import UUID

from contracts.message import Reason
from contracts.payments.accounts import PaymentReversed, ReversePayment
from contracts.sale import PaymentMethod
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import MANUAL, Entry, Kind, entry_id, find_payment
from services.payments.accounts.unit.answering import account_of, done, reject
from services.payments.accounts.unit.unit import AccountUnit


def reverse_payment(work: AccountUnit, received: ReceivedMessage[ReversePayment]) -> None:
    """Post the counter-entry; a payment already reversed counts as done. Waits for an order that has not
    arrived yet.
    """
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    paid = find_payment(account.shop, account.entries, command.entry_id)
    if paid is not None and account.posted(MANUAL, _object(command.entry_id), Kind.PAYMENT_REVERSED)[1]:
        return done(work, received)
    if reasons := _against(command, account, paid):
        return reject(work, received, reasons)
    assert paid is not None
    entry = _entry(received, paid)
    account.post(entry, received.envelope)
    work.unit.emit(_event(account, entry, command), about=account, cause=received.envelope)
    return None


def _object(entry: UUID) -> str:
    return f"reversed/{entry}"


def _against(command: ReversePayment, account: Account, paid: Entry | None) -> list[Reason]:
    if paid is None:
        text = f"order {account.code} has no payment {command.entry_id}; name the entry of a payment"
        return [Reason(code="payment_unknown", message=text, field="entry_id")]
    if not paid.payment_key.startswith(f"{MANUAL}:"):
        text = (
            f"{paid.payment_key} came from {paid.actor}; what a provider received is refunded, not reversed"
        )
        return [Reason(code="automatic_method", message=text, field="entry_id")]
    if account.net_received(paid.payment_key) < paid.amount_minor:
        text = f"payment {command.entry_id} was given to another order; reverse it there"
        return [Reason(code="payment_moved", message=text, field="entry_id")]
    return []


def _entry(received: ReceivedMessage[ReversePayment], paid: Entry) -> Entry:
    command = received.message
    return Entry(
        kind=Kind.PAYMENT_REVERSED,
        amount_minor=paid.amount_minor,
        provider=MANUAL,
        object_id=_object(command.entry_id),
        step=0,
        source="manual",
        caused_by=received.envelope.id,
        occurred_at=received.envelope.time,
        actor=command.actor,
        method=paid.method,
        reference=paid.reference,
        note=command.reason,
        payment=paid.payment_key,
    )


def _event(account: Account, entry: Entry, command: ReversePayment) -> PaymentReversed:
    return PaymentReversed(
        shop=account.shop,
        order_id=account.id,
        code=account.code,
        entry_id=entry_id(account.shop, entry),
        reversed_entry_id=command.entry_id,
        method=entry.method or PaymentMethod.OTHER,
        amount_minor=entry.amount_minor,
        currency=account.currency,
        reason=command.reason,
        recorded_by=command.actor,
        balance_minor=account.position.balance_minor,
    )
