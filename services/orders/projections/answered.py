"""Fulfillment's answers to the questions of a change of an order: the change continues.

Each answer counts once, regardless of what was received in between; an answer to a question that is no longer open
changes only the quantities, of which the highest version counts as always.
"""

from contracts.fulfillment.lines import LinesAdded, LinesReduced
from contracts.message import LineUnits
from contracts.orders.changes import ChangeCause
from services.chassis.messaging.subscribers import ReceivedMessage, Wait
from services.orders.changes import cancelling, deleting, editing, reinstating
from services.orders.order.unit.edits.edit import EditState
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import positions

_AFTER_STOPPING = {
    ChangeCause.EDITED: editing.go_on_after_stopping,
    ChangeCause.CANCELLED: cancelling.go_on_after_stopping,
    ChangeCause.DELETED: deleting.go_on_after_stopping,
}
_AFTER_ADDING = {
    ChangeCause.EDITED: editing.go_on_after_adding,
    ChangeCause.REINSTATED: reinstating.go_on_after_adding,
}


def go_on_after_stopping(work: OrderUnit, received: ReceivedMessage[LinesReduced]) -> None:
    """Update the quantities and continue the change. Raises Wait for an unknown order.

    Idempotent: a repeat, or an older position, changes nothing.
    """
    answer, cause = received.message, received.envelope
    order = work.find(answer.shop, answer.order_id)
    positions.take_change(work, received)
    edit = work.edits.find((order.shop, order.id), answer.request_id)
    if edit is None or edit.state is not EditState.REDUCING:
        return
    edit.stopped, edit.not_stopped = _units(answer.stopped), _units(answer.left)
    work.edits.changed(edit)
    _AFTER_STOPPING[edit.cause](work, order, edit, answer, cause)
    work.unit.wake(f"stopped:{edit.id}")


def go_on_after_adding(work: OrderUnit, received: ReceivedMessage[LinesAdded]) -> None:
    """Update the quantities and finish the change. Raises Wait for an unknown order, or an answer still to
    come.

    Idempotent: a repeat, or an older position, changes nothing.
    """
    answer, cause = received.message, received.envelope
    order = work.find(answer.shop, answer.order_id)
    edit = work.edits.find((order.shop, order.id), answer.request_id)
    if edit is not None and edit.state is EditState.REDUCING:
        raise Wait(f"stopped:{edit.id}", "stopping_unanswered")
    positions.take_change(work, received)
    if edit is None or edit.state is not EditState.ADDING:
        return
    edit.missing = {missing.line: missing.requested for missing in answer.missing}
    work.edits.changed(edit)
    _AFTER_ADDING[edit.cause](work, order, edit, answer, cause)


def _units(lines: list[LineUnits]) -> dict[int, int]:
    return {part.line: part.quantity for part in lines}
