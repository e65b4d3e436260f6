"""Credits: the customer owes less, without money moving.

The command's id names a credit, so a repeat is the same one. A credit is never more than is due: beyond that
an account would owe the value of goods that nobody ordered.
"""

from contracts.message import Reason
from contracts.payments.refunds import CreditGranted, GrantCredit
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import MANUAL, Entry, Kind, entry_id
from services.payments.accounts.unit.answering import account_of, not_positive, other_currency, reject
from services.payments.accounts.unit.unit import AccountUnit


def grant_credit(work: AccountUnit, received: ReceivedMessage[GrantCredit]) -> None:
    """Post the credit, or answer with every reason against it. Waits for an order that has not arrived yet."""
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    reasons = [*other_currency(account, command.currency), *not_positive(command.amount_minor)]
    if reasons := [*reasons, *beyond_due(account, command.amount_minor)]:
        return reject(work, received, reasons)
    entry = _entry(received)
    if account.post(entry, received.envelope):
        work.unit.emit(_event(account, entry, command), about=account, cause=received.envelope)
    return None


def beyond_due(account: Account, amount_minor: int) -> list[Reason]:
    """Return the reason against crediting more than is still due, if it is more."""
    left = account.position.due_minor - account.position.credited_minor
    if amount_minor <= left:
        return []
    text = f"{amount_minor} to credit, {left} {account.currency} still due; credit at most that"
    return [Reason(code="credit_exceeds_due", message=text, field="amount_minor")]


def _entry(received: ReceivedMessage[GrantCredit]) -> Entry:
    command = received.message
    return Entry(
        kind=Kind.CREDIT_GRANTED,
        amount_minor=command.amount_minor,
        provider=MANUAL,
        object_id=str(received.envelope.id),
        step=0,
        source="manual",
        caused_by=received.envelope.id,
        occurred_at=received.envelope.time,
        actor=command.actor,
        note=command.reason,
    )


def _event(account: Account, entry: Entry, command: GrantCredit) -> CreditGranted:
    return CreditGranted(
        shop=account.shop,
        order_id=account.id,
        code=account.code,
        entry_id=entry_id(account.shop, entry),
        amount_minor=entry.amount_minor,
        currency=account.currency,
        reason=command.reason,
        recorded_by=command.actor,
        balance_minor=account.position.balance_minor,
    )
