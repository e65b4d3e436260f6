"""Answers to a command that changed nothing: rejected with every reason, already done, or not yet possible.

The subject of a command may not have arrived yet (packed and dispatched in one click): the command waits a
minute, then it is rejected. So the staff see the outcome on the page, and nothing waits for days on a
mistyped id.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from contracts.message import Command, Reason
from contracts.service import CommandDone, CommandRejected
from services.chassis.messaging.subscribers import ReceivedMessage, Wait
from services.fulfillment.order.unit.unit import FulfillmentUnit

C = TypeVar("C", bound=Command)
PATIENCE = timedelta(seconds=60)
"""Time that a command waits for its subject, from when it was first received."""


def reject(work: FulfillmentUnit, received: ReceivedMessage[Any], *reasons: Reason) -> None:
    """Answer that the command is rejected, with every reason."""
    command = received.message
    answer = CommandRejected(
        shop=command.shop,
        order_id=getattr(command, "order_id", None),
        command_id=received.envelope.id,
        command_type=received.envelope.type,
        reasons=list(reasons),
    )
    work.unit.emit(answer, cause=received.envelope)


def done(work: FulfillmentUnit, received: ReceivedMessage[Any]) -> None:
    """Answer that the requested state already exists."""
    command = received.message
    answer = CommandDone(
        shop=command.shop,
        order_id=getattr(command, "order_id", None),
        command_id=received.envelope.id,
        command_type=received.envelope.type,
    )
    work.unit.emit(answer, cause=received.envelope)


def wait_or_reject(work: FulfillmentUnit, received: ReceivedMessage[Any], key: str, unknown: Reason) -> None:
    """Raise Wait for the key until the time limit; then reject for that reason."""
    if work.unit.now - received.first_seen_at < PATIENCE:
        raise Wait(key, unknown.code)
    reject(work, received, unknown)


def unless_deleted(
    handler: Callable[[FulfillmentUnit, ReceivedMessage[C]], None],
) -> Callable[[FulfillmentUnit, ReceivedMessage[C]], None]:
    """Reject the command instead of handling it when its order was deleted."""

    @wraps(handler)
    def handle(work: FulfillmentUnit, received: ReceivedMessage[C]) -> None:
        if not refused_as_deleted(work, received):
            handler(work, received)

    return handle


def refused_as_deleted(work: FulfillmentUnit, received: ReceivedMessage[Any]) -> bool:
    """Reject the command when its order was deleted, since no customer data may return; return whether that
    was so.
    """
    command = received.message
    order = work.orders.get((command.shop, command.order_id))
    if order is None or order.deleted_at is None:
        return False
    message = (
        f"Order {order.code} was deleted at {order.deleted_at.isoformat()}; it can't be changed any more."
    )
    reject(work, received, Reason(code="order_deleted", message=message, field="order_id"))
    return True
