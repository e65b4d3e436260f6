"""Requests to fulfillment that failed: parked ones are shown, a discarded one ends its change and command.

The order can then be changed again. A discarded question was never executed. If its units were to be stopped,
the order stays as it is; where units had been stopped before, the change takes effect without those that were
to be added.
"""

from contracts.message import Reason
from contracts.orders.changes import ChangeCause
from contracts.service import MessageDiscarded, MessageParked
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.changes import editing
from services.orders.changes.changing import reject
from services.orders.order.record import Order
from services.orders.order.unit.edits.edit import Edit, EditState
from services.orders.order.unit.unit import Cause, OrderUnit
from services.orders.projections import outcomes


def note_parked(work: OrderUnit, received: ReceivedMessage[MessageParked]) -> None:
    """Show a command as parked while its message, or the question of its change, is parked: staff may retry
    or discard it.

    Idempotent: a repeat leaves the command's outcome unchanged.
    """
    outcomes.settle(work, received)
    for _, edit in work.questioned(received.message.message_id):
        work.outcomes.setdefault(edit.id, outcomes.parked(received))


def give_up(work: OrderUnit, received: ReceivedMessage[MessageDiscarded]) -> None:
    """Reject the command whose message staff discarded, or end the change whose question it was.

    Idempotent: a repeat leaves the settled command and the ended change unchanged.
    """
    outcomes.note_discard(work, received)
    for order, edit in work.questioned(received.message.message_id):
        end(work, order, edit, outcomes.reasons_of(received.message), received.envelope)


def end(work: OrderUnit, order: Order, edit: Edit, reasons: list[Reason], cause: Cause) -> None:
    """End an open change whose question will not be answered, for these reasons."""
    if edit.state is EditState.ADDING and edit.cause is ChangeCause.EDITED and edit.stopped:
        edit.missing = dict(edit.asked_on)
        editing.finish_without_adding(work, order, edit, cause)
        return
    reject(work, order, edit, reasons, cause)
