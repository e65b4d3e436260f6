"""Changes of the amount due by an edited, cancelled or reinstated order: one entry named by the edit.

A smaller sum is a credit, never more than is still due, for a customer cannot owe less than nothing: an
amount that a refund or a goodwill credit removed before is not removed again. Reinstating reverses exactly
what cancelling credited, and no other credit. The amount of an edit therefore depends on the edits before it,
so each waits for its predecessor.
"""

from contracts.orders.changes import ChangeCause, OrderEdited
from services.chassis.messaging.subscribers import ReceivedMessage, Refuse, Wait, order_key
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import ORDER, Entry, Kind
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.invoices.sale import cancelled_by, edit_of


def change_due(work: AccountUnit, received: ReceivedMessage[OrderEdited]) -> None:
    """Post the change an edit makes; a repeat posts nothing. Raises Wait for an unknown order or a missing
    edit.
    """
    edit = received.message
    account = work.find(edit.shop, edit.order_id)
    if account is None:
        raise Wait(order_key(edit.order_id), "order_unknown")
    if edit.edit_id in account.edits:
        return
    if edit.previous_edit_id is not None and edit.previous_edit_id not in account.edits:
        raise Wait(f"edit:{edit.previous_edit_id}", "edit_before_missing")
    if edit.currency != account.currency:
        text = f"edit {edit.edit_id} is in {edit.currency}, the account of order {edit.code} in {account.currency}"
        raise Refuse("currency_differs", f"{text}; the currency of an order never changes")
    kind, amount_minor = posting(account, edit)
    if amount_minor:
        account.post(_entry(received, kind, amount_minor), received.envelope)
    work.sales.edit(
        account, edit.revision, edit_of(edit).model_dump_json(exclude_none=True), cancelled_by(edit)
    )
    work.note_edit(account, edit, amount_minor if edit.due_change_minor > 0 else -amount_minor)
    work.unit.wake(f"edit:{edit.edit_id}")


def posting(account: Account, edit: OrderEdited) -> tuple[Kind, int]:
    """Return the kind of entry an edit makes, and its amount in minor units."""
    position = account.position
    if edit.due_change_minor < 0:
        still_due = max(0, position.due_minor - position.credited_minor)
        return Kind.CREDIT_GRANTED, min(-edit.due_change_minor, still_due)
    if edit.cause is ChangeCause.REINSTATED:
        return Kind.CREDIT_REVERSED, min(edit.due_change_minor, credited_by_cancelling(account))
    return Kind.DUE_INCREASED, edit.due_change_minor


def credited_by_cancelling(account: Account) -> int:
    """Return the amount credited by cancelling the order and not reversed by a reinstatement yet, in minor
    units.
    """
    signs = {Kind.CREDIT_GRANTED: 1, Kind.CREDIT_REVERSED: -1}
    causes = (ChangeCause.CANCELLED, ChangeCause.REINSTATED)
    return sum(
        signs.get(entry.kind, 0) * entry.amount_minor
        for entry in account.entries
        if entry.provider == ORDER and entry.reference in causes
    )


def _entry(received: ReceivedMessage[OrderEdited], kind: Kind, amount_minor: int) -> Entry:
    edit = received.message
    return Entry(
        kind=kind,
        amount_minor=amount_minor,
        provider=ORDER,
        object_id=str(edit.edit_id),
        step=0,
        source="order",
        caused_by=received.envelope.id,
        occurred_at=received.envelope.time,
        actor=edit.actor,
        reference=edit.cause.value,
        note=edit.reason,
    )
