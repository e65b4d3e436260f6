"""Reinstatement of a cancelled order, if there is stock for all of it; the credit is reversed.

Only units stopped by a cancellation are reinstated: units cancelled by a refund were paid back, and stay
cancelled.
"""

from uuid import UUID

from contracts.fulfillment.lines import LinesAdded, MissingUnits
from contracts.message import Reason
from contracts.orders.changes import ChangeCause
from services.orders.changes.changing import ask_to_add, new_edit, reject, require_changeable, take_effect
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.unit.edits.edit import Edit
from services.orders.order.unit.unit import Cause, OrderUnit


class NotCancelled(Refusal):
    """Error: the order still has wanted units; only a fully cancelled order can be reinstated."""

    code = "order_not_cancelled"
    status = 409

    def __init__(self, order: Order) -> None:
        super().__init__(f"order {order.code} is {order.state}; only a cancelled order can be reinstated")


class NothingToReinstate(Refusal):
    """Error: every unit of the order was cancelled by refunds."""

    code = "nothing_to_reinstate"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"order {order.code} was cancelled by refunds, which can't be undone; place a new order"
        )


def reinstate(
    work: OrderUnit, order: Order, edit_id: UUID, actor: str, reason: str | None, cause: Cause
) -> None:
    """Begin a reinstatement. Raises OrderNotPlaced, ChangeInProgress, NotCancelled, NothingToReinstate."""
    require_changeable(work, order)
    if not order.units.all_cancelled:
        raise NotCancelled(order)
    units: dict[int, int] = {}
    for cancelled in cancellations(work, order):
        for line, quantity in cancelled.stopped.items():
            units[line] = units.get(line, 0) + quantity
    if not units:
        raise NothingToReinstate(order)
    change = new_edit(work, order, ChangeCause.REINSTATED, edit_id, actor, reason)
    change.asked_on = units
    ask_to_add(work, order, change, cause)


def cancellations(work: OrderUnit, order: Order) -> list[Edit]:
    """Return the cancellations in effect that no reinstatement reversed."""
    done = work.edits.done_of((order.shop, order.id))
    return [edit for edit in done if edit.cause is ChangeCause.CANCELLED and edit.undone_by is None]


def go_on_after_adding(work: OrderUnit, order: Order, change: Edit, answer: LinesAdded, cause: Cause) -> None:
    """Reinstate the order if there is stock for all of it; otherwise it stays cancelled."""
    if answer.missing:
        reject(work, order, change, [_short(missing) for missing in answer.missing], cause)
        return
    undone = cancellations(work, order)
    for cancelled in undone:
        cancelled.undone_by = change.id
        work.edits.changed(cancelled)
    content = work.edits.contents[order.shop, order.id]
    take_effect(work, order, change, content, -sum(one.due_change_minor for one in undone), cause)


def _short(missing: MissingUnits) -> Reason:
    message = (
        f"Line {missing.line} needs {missing.requested} of SKU {missing.sku}, {missing.available} available; "
        "set the stock, then reinstate again."
    )
    return Reason(code="stock_missing", message=message, field=f"lines[{missing.line}]")
