"""The answers to a command that changed nothing: refused with every reason, already so, or not yet.

What a command names may be on its way (packed and dispatched in one click): it waits a minute, then it is
refused. A person looking at the page learns the outcome; nothing waits for days on a mistyped id.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from contracts.message import Command, Reason
from contracts.service import CommandDone, CommandRejected
from services.chassis.messaging.subscribers import ReceivedMessage, Wait
from services.fulfillment.order.unit import FulfillmentUnit

C = TypeVar("C", bound=Command)
PATIENCE = timedelta(seconds=60)
"""How long a command waits for what it names, from when it was first seen."""


def reject(work: FulfillmentUnit, received: ReceivedMessage[Any], *reasons: Reason) -> None:
    """Answer that the command is refused, with every reason."""
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
    """Answer that what the command asks for already is."""
    command = received.message
    answer = CommandDone(
        shop=command.shop,
        order_id=getattr(command, "order_id", None),
        command_id=received.envelope.id,
        command_type=received.envelope.type,
    )
    work.unit.emit(answer, cause=received.envelope)


def wait_or_reject(work: FulfillmentUnit, received: ReceivedMessage[Any], key: str, unknown: Reason) -> None:
    """Raise Wait for the key while there is patience left; then refuse for that reason."""
    if work.unit.now - received.first_seen_at < PATIENCE:
        raise Wait(key, unknown.code)
    reject(work, received, unknown)


def unless_deleted(
    handler: Callable[[FulfillmentUnit, ReceivedMessage[C]], None],
) -> Callable[[FulfillmentUnit, ReceivedMessage[C]], None]:
    """Refuse the command instead of handling it when its order was deleted."""

    @wraps(handler)
    def handle(work: FulfillmentUnit, received: ReceivedMessage[C]) -> None:
        if not refused_as_deleted(work, received):
            handler(work, received)

    return handle


def refused_as_deleted(work: FulfillmentUnit, received: ReceivedMessage[Any]) -> bool:
    """Refuse the command when its order was deleted: nothing of a customer comes back. Whether that was so."""
    command = received.message
    order = work.orders.get((command.shop, command.order_id))
    if order is None or order.deleted_at is None:
        return False
    message = (
        f"Order {order.code} was deleted at {order.deleted_at.isoformat()}; nothing of it changes any more."
    )
    reject(work, received, Reason(code="order_deleted", message=message, field="order_id"))
    return True
