"""What became of the commands sent from here: every command has exactly one outcome that a page can show.

An event whose causation id is a command's id settles it, if the catalogue lists it as an outcome of that type.
Invariant: done and rejected are final; parked is not, for a person may redrive the command. So the outcome does not
depend on which of two answers arrives first, and a repeat changes nothing.
"""

from typing import Any

from contracts.service import CommandDone, CommandRejected, MessageParked
from services.chassis.subscribers import Delivery
from services.orders.book import OrderBook
from services.orders.outcome_types import SETTLES, commands_named

FINAL = frozenset({"done", "rejected"})


def settle(book: OrderBook, delivery: Delivery[Any]) -> None:
    """Settle the command that led to this event, if one did and it is still open."""
    state = _state_given(delivery)
    for command_id in commands_named(delivery):
        command = book.commands.get(command_id)
        if command is None or command["type"] not in SETTLES[delivery.envelope.type]:
            continue
        if book.outcomes.get(command_id, ("pending",))[0] not in FINAL:
            book.outcomes[command_id] = (state, _outcome(delivery))


def note_rejection(book: OrderBook, delivery: Delivery[CommandRejected]) -> None:
    """Settle a refused command, and show on its order who asked for what and why it was refused."""
    message = delivery.message
    settle(book, delivery)
    if message.order_id is None:
        return
    command = book.commands.get(message.command_id)
    book.note(
        message.shop,
        message.order_id,
        "command_rejected",
        message.command_id,
        command["actor"] if command else delivery.envelope.source.strip("/"),
        delivery.envelope,
        {
            "command_type": message.command_type,
            "reasons": [reason.model_dump(exclude_none=True) for reason in message.reasons],
        },
    )


def _state_given(delivery: Delivery[Any]) -> str:
    if isinstance(delivery.message, CommandRejected):
        return "rejected"
    if isinstance(delivery.message, MessageParked):
        return "parked"
    return "done"


def _outcome(delivery: Delivery[Any]) -> str:
    """The event as JSON with its type and id, without the whole position, which is kept elsewhere."""
    message = delivery.message
    leave_out = (
        {"position", "command_type"} if isinstance(message, CommandDone | CommandRejected) else {"position"}
    )
    body = message.__pydantic_serializer__.to_json(message, exclude=leave_out, exclude_none=True).decode()
    return f'{{"type":"{delivery.envelope.type}","event_id":"{delivery.envelope.id}",{body[1:]}'
