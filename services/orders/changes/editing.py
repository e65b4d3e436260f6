"""Edit of a placed order: lines, quantities, prices, shipping, addresses, customer; the amount due follows.

Units that have left stay ordered regardless of the request, and a line without stock is not added; the outcome
reports both. The rest of the edit takes effect.
"""

from uuid import UUID

from contracts.fulfillment.lines import LinesAdded, LinesReduced
from contracts.message import Reason
from contracts.orders.changes import ChangeCause
from services.orders.changes import edition
from services.orders.changes.changing import (
    ChangeRefused,
    OrderIsCancelled,
    ask_to_add,
    ask_to_stop,
    new_edit,
    require_changeable,
    take_effect,
)
from services.orders.changes.requests import EditRequest
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.totals.content import Content, Units
from services.orders.order.unit.edits.edit import Edit
from services.orders.order.unit.unit import Cause, OrderUnit


class NothingToChange(Refusal):
    """Error: an edit requests the values that the order already has."""

    code = "nothing_to_change"

    def __init__(self, order: Order) -> None:
        super().__init__(f"order {order.code} already has these values; change something, or leave the page")


def edit(
    work: OrderUnit, order: Order, request: EditRequest, edit_id: UUID, actor: str, cause: Cause
) -> None:
    """Begin an edit; one that changes no quantities takes effect immediately.

    Raises OrderNotPlaced, ChangeInProgress, OrderIsCancelled, ChangeRefused with every reason,
    NothingToChange.
    """
    require_changeable(work, order)
    if order.units.all_cancelled:
        raise OrderIsCancelled(order)
    key = (order.shop, order.id)
    content, withdrawn = work.edits.contents[key], withdrawn_now(work, order)
    wanted, reasons = wanted_of(work, content, request, withdrawn)
    if reasons:
        raise ChangeRefused(order, reasons)
    if wanted == content:
        raise NothingToChange(order)
    change = new_edit(work, order, ChangeCause.EDITED, edit_id, actor, request.reason)
    questions = edition.questions_of(content, wanted)
    change.wanted, change.asked_off, change.asked_on = wanted, questions.off, questions.on
    if questions.off:
        ask_to_stop(work, order, change, cause)
    elif questions.on:
        ask_to_add(work, order, change, cause)
    else:
        _finish(work, order, change, withdrawn, cause)


def wanted_of(
    work: OrderUnit, content: Content, request: EditRequest, withdrawn: Units
) -> tuple[Content, list[Reason]]:
    """Return the content that an edit requests, and every reason against it; the current content when the
    edit itself is invalid.
    """
    if reasons := edition.faults_of(content, request):
        return content, reasons
    wanted = edition.edited(content, request, withdrawn)
    return wanted, edition.faults_of_content(content, wanted, request, work.unit.now)


def withdrawn_now(work: OrderUnit, order: Order) -> dict[int, int]:
    """Return the units cancelled other than by edits, as far as is known here."""
    key = (order.shop, order.id)
    cancelled = {position.line: position.cancelled for position in work.edits.positions[key]}
    return edition.withdrawn_of(work.edits.contents[key], cancelled, {})


def go_on_after_stopping(
    work: OrderUnit, order: Order, change: Edit, answer: LinesReduced, cause: Cause
) -> None:
    """Continue after units were stopped: request those to add, or finish."""
    if change.asked_on:
        ask_to_add(work, order, change, cause)
    else:
        _finish(work, order, change, _withdrawn_by(work, order, change, answer), cause)


def go_on_after_adding(work: OrderUnit, order: Order, change: Edit, answer: LinesAdded, cause: Cause) -> None:
    """Finish after units were added."""
    _finish(work, order, change, _withdrawn_by(work, order, change, answer), cause)


def finish_without_adding(work: OrderUnit, order: Order, change: Edit, cause: Cause) -> None:
    """Finish without the units to be added, after others were stopped: the answer will not come."""
    key = (order.shop, order.id)
    cancelled = {position.line: position.cancelled for position in work.edits.positions[key]}
    withdrawn = edition.withdrawn_of(work.edits.contents[key], cancelled, change.stopped)
    _finish(work, order, change, withdrawn, cause)


def _withdrawn_by(
    work: OrderUnit, order: Order, change: Edit, answer: LinesReduced | LinesAdded
) -> dict[int, int]:
    """Return the cancelled units from the answer's own position, so that other messages received by now do
    not matter.
    """
    cancelled = {position.line: position.cancelled for position in answer.position.lines}
    return edition.withdrawn_of(work.edits.contents[order.shop, order.id], cancelled, change.stopped)


def _finish(work: OrderUnit, order: Order, change: Edit, withdrawn: Units, cause: Cause) -> None:
    content = work.edits.contents[order.shop, order.id]
    assert change.wanted is not None
    after = edition.settled(content, change.wanted, change.not_stopped, change.missing, change.stopped)
    take_effect(work, order, change, after, edition.due_change(content, after, withdrawn), cause)
