"""The answers to a command that changed nothing: refused with every reason, already so, or not yet.

What a command names may be on its way (packed and dispatched in one click): it waits a minute, then it is
refused. A person looking at the page learns the outcome; nothing waits for days on a mistyped id.
"""

from datetime import timedelta
from typing import Any

from contracts.message import Reason
from contracts.service import CommandDone, CommandRejected
from services.chassis.messaging.subscribers import Delivery, Wait
from services.fulfillment.order.unit import ShelfBook

PATIENCE = timedelta(seconds=60)
"""How long a command waits for what it names, from when it was first seen."""


def reject(book: ShelfBook, delivery: Delivery[Any], *reasons: Reason) -> None:
    """Answer that the command is refused, with every reason."""
    command = delivery.message
    answer = CommandRejected(
        shop=command.shop,
        order_id=getattr(command, "order_id", None),
        command_id=delivery.envelope.id,
        command_type=delivery.envelope.type,
        reasons=list(reasons),
    )
    book.unit.emit(answer, cause=delivery.envelope)


def done(book: ShelfBook, delivery: Delivery[Any]) -> None:
    """Answer that what the command asks for already is."""
    command = delivery.message
    answer = CommandDone(
        shop=command.shop,
        order_id=getattr(command, "order_id", None),
        command_id=delivery.envelope.id,
        command_type=delivery.envelope.type,
    )
    book.unit.emit(answer, cause=delivery.envelope)


def wait_or_reject(book: ShelfBook, delivery: Delivery[Any], key: str, unknown: Reason) -> None:
    """Raise Wait for the key while there is patience left; then refuse for that reason."""
    if book.unit.now - delivery.first_seen_at < PATIENCE:
        raise Wait(key, unknown.code)
    reject(book, delivery, unknown)


def refused_as_deleted(book: ShelfBook, delivery: Delivery[Any]) -> bool:
    """Refuse the command when its order was deleted: nothing of a customer comes back. Whether that was so."""
    command = delivery.message
    order = book.orders.get((command.shop, command.order_id))
    if order is None or order.deleted_at is None:
        return False
    message = (
        f"Order {order.code} was deleted at {order.deleted_at.isoformat()}; nothing of it changes any more."
    )
    reject(book, delivery, Reason(code="order_deleted", message=message, field="order_id"))
    return True
