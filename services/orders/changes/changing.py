"""Changes of placed orders: their common checks, and the two steps that most of them take.

Only fulfillment knows which units have left. So a change first requests that it stop or add units; the order
itself, its total and the amount due follow its answer. The request is a row of `order_edit` and a pending
command, both committed with the question: an unavailable service, or a crash between the steps, delays the
change and loses nothing. An order has one such change at a time.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.catalogue import type_of
from contracts.envelope import Envelope
from contracts.message import LineUnits, Reason
from contracts.orders.changes import (
    ChangeCause,
    LineAddition,
    LinesAdditionRequested,
    LinesReductionRequested,
    OrderEdited,
)
from contracts.orders.lifecycle import OrderState, PlacedLine
from contracts.service import CommandRejected
from services.orders.order.record import Order
from services.orders.order.refusal import Refusal
from services.orders.order.totals.content import Content
from services.orders.order.unit.edits.edit import Edit, EditState
from services.orders.order.unit.unit import Cause, OrderUnit

NOT_PLACED = frozenset({OrderState.DRAFT, OrderState.IN_CHECKOUT, OrderState.ABANDONED})


class OrderNotPlaced(Refusal):
    """Error: the order is not placed; a running checkout is the customer's to change, an abandoned one
    is nobody's.
    """

    code = "order_not_placed"
    status = 409

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"order {order.code} is {order.state}, not placed; it can be changed once the customer has placed it"
        )


class ChangeInProgress(Refusal):
    """Error: another change of the order waits for fulfillment's answer."""

    code = "change_in_progress"
    status = 409

    def __init__(self, order: Order, edit: Edit) -> None:
        super().__init__(
            f"order {order.code} is just being {edit.cause} by {edit.actor} (command {edit.id}); wait for its outcome"
        )
        self.command_id = edit.id


class OrderIsCancelled(Refusal):
    """Error: a cancelled order cannot be edited or cancelled again."""

    code = "order_is_cancelled"
    status = 409

    def __init__(self, order: Order) -> None:
        super().__init__(f"order {order.code} is cancelled; reinstate it first")


class ChangeRefused(Refusal):
    """Error: a change cannot be made, for these reasons."""

    code = "change_refused"

    def __init__(self, order: Order, reasons: Sequence[Reason]) -> None:
        super().__init__(
            f"order {order.code} stays as it is: " + " ".join(reason.message for reason in reasons)[:900]
        )
        self.reasons = tuple(reasons)


def require_changeable(work: OrderUnit, order: Order) -> None:
    """Raise OrderNotPlaced, or ChangeInProgress while another change waits for its answer."""
    if order.state in NOT_PLACED:
        raise OrderNotPlaced(order)
    if (edit := work.edits.open_of((order.shop, order.id))) is not None:
        raise ChangeInProgress(order, edit)


def new_edit(
    work: OrderUnit, order: Order, cause: ChangeCause, edit_id: UUID, actor: str, reason: str | None
) -> Edit:
    """Return a newly requested change of this order; no question was sent to fulfillment yet."""
    total = work.edits.contents[order.shop, order.id].totals.total_minor
    edit = Edit(
        shop=order.shop,
        order_id=order.id,
        id=edit_id,
        cause=cause,
        actor=actor,
        reason=reason,
        total_before_minor=total,
        total_after_minor=total,
        requested_at=work.unit.now,
    )
    work.edits.add(edit)
    return edit


def ask_to_stop(work: OrderUnit, order: Order, edit: Edit, cause: Cause) -> None:
    """Request that fulfillment stop the units of `asked_off`."""
    edit.state = EditState.REDUCING
    work.changed(order, cause, edit.actor)
    request = LinesReductionRequested(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        request_id=edit.id,
        lines=listed(edit.asked_off),
        cause=edit.cause,
        actor=edit.actor,
    )
    edit.question_id = work.unit.emit(request, about=order, cause=envelope_of(cause)).id


def ask_to_add(work: OrderUnit, order: Order, edit: Edit, cause: Cause) -> None:
    """Request that fulfillment add the units of `asked_on`; a reinstatement requires all of them or none."""
    edit.state = EditState.ADDING
    work.edits.changed(edit)
    work.changed(order, cause, edit.actor)
    content = edit.wanted or work.edits.contents[order.shop, order.id]
    lines = {line.line: line for line in content.lines}
    request = LinesAdditionRequested(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        request_id=edit.id,
        lines=[
            LineAddition(line=n, kind=lines[n].kind, sku=lines[n].sku, quantity=quantity)
            for n, quantity in sorted(edit.asked_on.items())
        ],
        all_or_nothing=edit.cause is ChangeCause.REINSTATED,
        cause=edit.cause,
        actor=edit.actor,
    )
    edit.question_id = work.unit.emit(request, about=order, cause=envelope_of(cause)).id


def take_effect(
    work: OrderUnit, order: Order, edit: Edit, content: Content, due_change_minor: int, cause: Cause
) -> None:
    """Complete the change: write it, record the activity, publish the event, and settle its command as done."""
    key = (order.shop, order.id)
    before = work.edits.done_of(key)
    edit.state, edit.number, edit.settled_at = EditState.DONE, len(before) + 1, work.unit.now
    edit.due_change_minor, edit.total_after_minor = due_change_minor, content.totals.total_minor
    work.edits.changed(edit)
    if edit.cause is ChangeCause.EDITED:
        work.edits.amend(key, content)
        order.reach.email = content.customer.email
    if edit.cause is ChangeCause.CANCELLED:
        order.cancellation_requested_at = None
    work.note(order.shop, order.id, f"order_{edit.cause}", edit.id, edit.actor, cause, _told(edit))
    work.changed(order, cause, edit.actor)
    event = OrderEdited(
        shop=order.shop,
        order_id=order.id,
        code=order.code,
        edit_id=edit.id,
        previous_edit_id=before[-1].id if before else None,
        revision=order.revision,
        cause=edit.cause,
        currency=content.currency,
        due_change_minor=due_change_minor,
        totals=content.totals,
        lines=[PlacedLine.model_validate(dict(line)) for line in content.present()],
        shipping=content.shipping,
        extra_lines=content.extra_lines,
        customer=content.buyer(),
        billing_address=content.billing_address,
        shipping_address=content.shipping_address,
        reason=edit.reason,
        notify_customer=edit.notify_customer,
        public_comment=edit.public_comment if edit.notify_customer else None,
        cancelled_lines=_cancelled_lines(edit),
        actor=edit.actor,
    )
    envelope = work.unit.emit(event, about=order, cause=envelope_of(cause))
    work.outcomes[edit.id] = ("done", outcome(envelope.type, envelope.id, _told(edit)))


def _cancelled_lines(edit: Edit) -> list[LineUnits] | None:
    """Return the lines that a cancellation cancelled, if some units of the order had left."""
    if edit.cause is not ChangeCause.CANCELLED or not edit.not_stopped:
        return None
    return [LineUnits(line=line, quantity=quantity) for line, quantity in sorted(edit.stopped.items())]


def reject(
    work: OrderUnit, order: Order, edit: Edit, reasons: Sequence[Reason], cause: Cause, *, undone: bool = True
) -> None:
    """End the change as rejected; `undone` is False when it ended as another one that took effect."""
    if undone:
        edit.state, edit.settled_at = EditState.REJECTED, work.unit.now
        work.edits.changed(edit)
    data = {
        "command_type": edit.command_type,
        "reasons": [reason.model_dump(exclude_none=True) for reason in reasons],
    }
    work.note(order.shop, order.id, "command_rejected", edit.id, edit.actor, cause, data)
    work.changed(order, cause, edit.actor)
    work.outcomes[edit.id] = (
        "rejected",
        outcome(type_of(CommandRejected, "orders"), cause.id, {**data, "command_id": str(edit.id)}),
    )


def outcome(type: str, event_id: UUID, data: Mapping[str, Any]) -> str:
    """Return an outcome in the format of commands' rows."""
    return json.dumps({"type": type, "event_id": str(event_id), **data}, ensure_ascii=False)


def listed(units: Mapping[int, int]) -> list[LineUnits]:
    """Return units by line in the format of messages."""
    return [LineUnits(line=line, quantity=quantity) for line, quantity in sorted(units.items())]


def _told(edit: Edit) -> dict[str, Any]:
    units = {
        "stopped": edit.stopped,
        "not_stopped": edit.not_stopped,
        "added": {n: q for n, q in edit.asked_on.items() if n not in edit.missing},
        "missing": edit.missing,
    }
    fields: dict[str, Any] = {
        "due_change_minor": edit.due_change_minor,
        "total_before_minor": edit.total_before_minor,
        "total_after_minor": edit.total_after_minor,
        **{name: [dict(one) for one in listed(found)] for name, found in units.items() if found},
    }
    return fields | ({"reason": edit.reason} if edit.reason else {})


def envelope_of(cause: Cause) -> Envelope | None:
    """Return the envelope of the cause, if it was a message."""
    return cause if isinstance(cause, Envelope) else None
