"""Cancellation: all units that have not left are stopped, and their worth is credited.

The credit is the difference in worth (`content.worth`): each stopped unit's share of its line, and with the
last unit of the order shipping and extra lines too. The content is kept, for a reinstatement and for
accounting.
"""

from uuid import UUID

from contracts.fulfillment.lines import LinesReduced
from contracts.message import Reason
from contracts.orders.changes import ChangeCause
from services.orders.changes import edition
from services.orders.changes.changing import (
    OrderIsCancelled,
    ask_to_stop,
    new_edit,
    reject,
    require_changeable,
    take_effect,
)
from services.orders.changes.editing import withdrawn_now
from services.orders.order.record import Order
from services.orders.order.totals.content import Units, worth
from services.orders.order.unit.edits.edit import Edit
from services.orders.order.unit.unit import Cause, OrderUnit


def cancel(
    work: OrderUnit,
    order: Order,
    edit_id: UUID,
    actor: str,
    reason: str | None,
    cause: Cause,
    *,
    notify_customer: bool = False,
    public_comment: str | None = None,
) -> None:
    """Begin a cancellation; the customer is notified once it took effect, if requested.

    Raises OrderNotPlaced, ChangeInProgress, OrderIsCancelled.
    """
    require_changeable(work, order)
    wanted = {line: units for line, units in still_wanted(work, order).items() if units}
    if not wanted:
        raise OrderIsCancelled(order)
    change = new_edit(work, order, ChangeCause.CANCELLED, edit_id, actor, reason)
    change.asked_off = wanted
    change.notify_customer, change.public_comment = notify_customer, public_comment
    ask_to_stop(work, order, change, cause)


def still_wanted(work: OrderUnit, order: Order) -> dict[int, int]:
    """Return the units of each line that were not cancelled, as far as is known here; some may have left."""
    content = work.edits.contents[order.shop, order.id]
    return edition.remaining(content, withdrawn_now(work, order))


def go_on_after_stopping(
    work: OrderUnit, order: Order, change: Edit, answer: LinesReduced, cause: Cause
) -> None:
    """Credit the units that were stopped; if all had left, reject the cancellation."""
    if not change.stopped:
        reject(work, order, change, [had_left(change.not_stopped)], cause)
    else:
        finish(work, order, change, answer, cause)


def finish(work: OrderUnit, order: Order, change: Edit, answer: LinesReduced, cause: Cause) -> None:
    """Cancel and credit the stopped units, according to the position in the answer."""
    content = work.edits.contents[order.shop, order.id]
    cancelled = {position.line: position.cancelled for position in answer.position.lines}
    after = edition.remaining(content, edition.withdrawn_of(content, cancelled, {}))
    before = edition.remaining(content, edition.withdrawn_of(content, cancelled, change.stopped))
    take_effect(work, order, change, content, worth(content, after) - worth(content, before), cause)


def had_left(units: Units) -> Reason:
    """Return the reason why no unit could be stopped."""
    lines = ", ".join(f"{quantity} of line {line}" for line, quantity in sorted(units.items()))
    message = f"All of it has left already ({lines}); take it back as a return instead."
    return Reason(code="already_shipped", message=message[:1000])
