"""Deletion: an order is removed permanently, and a tombstone records who deleted it, when and why.

Rejected when money was ever received or paid back, a shipment had a tracking number, an invoice was issued, or
the order is completed, because accounting and customers refer to it; the right to force it overrides this. All
units are stopped first. If some had left by then, the order is not deleted: the units that could be stopped
are cancelled, and the command is rejected.
"""

from uuid import UUID

from contracts.fulfillment.lines import LinesReduced
from contracts.message import Reason
from contracts.orders.changes import ChangeCause
from contracts.orders.lifecycle import OrderDeleted, OrderState
from services.chassis.storage.database import Connection
from services.orders.changes import cancelling
from services.orders.changes.changing import (
    ChangeRefused,
    ask_to_stop,
    envelope_of,
    new_edit,
    outcome,
    reject,
    require_changeable,
)
from services.orders.order.record import Order
from services.orders.order.state import automatic_state
from services.orders.order.unit.edits import edit_store
from services.orders.order.unit.edits.deletion_store import Tombstone
from services.orders.order.unit.edits.edit import Edit, EditState
from services.orders.order.unit.unit import Cause, OrderUnit


async def reasons_against(connection: Connection, order: Order) -> list[Reason]:
    """Return every reason why a locked order may not be deleted without force."""
    reasons = _reasons_in(order)
    if not _had_money(order) and await edit_store.has_money(connection, order.shop, order.id):
        reasons.insert(0, _money(order))
    if await edit_store.has_tracking(connection, order.shop, order.id):
        message = f"Order {order.code} has a shipment with a tracking number; archive it instead."
        reasons.append(Reason(code="tracking_number_exists", message=message))
    if await edit_store.has_invoice(connection, order.shop, order.id):
        message = f"Order {order.code} has an invoice; cancel the order, which makes a credit note."
        reasons.append(Reason(code="invoice_issued", message=message))
    return reasons


def delete(
    work: OrderUnit,
    order: Order,
    edit_id: UUID,
    actor: str,
    reason: str,
    cause: Cause,
    *,
    against: list[Reason],
    force: bool = False,
) -> None:
    """Begin a deletion; `against` are its `reasons_against`. An order without wanted units is deleted at
    once.

    Raises OrderNotPlaced, ChangeInProgress, ChangeRefused with every reason unless forced.
    """
    require_changeable(work, order)
    if against and not force:
        raise ChangeRefused(order, against)
    change = new_edit(work, order, ChangeCause.DELETED, edit_id, actor, reason)
    change.forced = force
    wanted = cancelling.still_wanted(work, order)
    change.asked_off = {line: units for line, units in wanted.items() if units}
    if change.asked_off:
        ask_to_stop(work, order, change, cause)
    else:
        _erase(work, order, change, cause)


def go_on_after_stopping(
    work: OrderUnit, order: Order, change: Edit, answer: LinesReduced, cause: Cause
) -> None:
    """Erase the order if no unit has left; otherwise, or if money came in the meantime, only cancel it."""
    reasons = [] if change.forced else _reasons_in(order)
    if change.not_stopped and not change.forced:
        reasons.append(cancelling.had_left(change.not_stopped))
    if not reasons:
        _erase(work, order, change, cause)
    elif not change.stopped:
        reject(work, order, change, reasons, cause)
    else:
        change.cause = ChangeCause.CANCELLED
        cancelling.finish(work, order, change, answer, cause)
        reject(work, order, change, reasons, cause, undone=False)


def _reasons_in(order: Order) -> list[Reason]:
    reasons = [_money(order)] if _had_money(order) else []
    if OrderState.COMPLETED in (order.state, automatic_state(order.facts())):
        message = f"Order {order.code} is completed; archive it instead."
        reasons.append(Reason(code="order_completed", message=message))
    return reasons


def _had_money(order: Order) -> bool:
    money = order.money
    return bool(money.received or money.refunded or money.marked)


def _money(order: Order) -> Reason:
    message = f"Money was received or given back for order {order.code}; cancel and refund it instead."
    return Reason(code="money_moved", message=message)


def _erase(work: OrderUnit, order: Order, change: Edit, cause: Cause) -> None:
    change.state, change.settled_at = EditState.DONE, work.unit.now
    work.edits.changed(change)
    event = OrderDeleted(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        reason=change.reason or "",
        actor=change.actor,
        deleted_at=work.unit.now,
    )
    envelope = work.unit.emit(event, about=order, cause=envelope_of(cause))
    work.outcomes[change.id] = ("done", outcome(envelope.type, envelope.id, {"code": order.code}))
    tombstone = Tombstone(
        code=order.code, actor=change.actor, reason=change.reason or "", deleted_at=work.unit.now
    )
    work.edits.erase((order.shop, order.id), change, tombstone)
