"""Outcomes of the commands that orders sent: every command has exactly one outcome that a page can show.

An event whose causation id is a command's id settles it, if the catalogue lists it as an outcome of that
type. Invariant: done and rejected are final; parked is not, because staff may retry the command or discard
it, which rejects it with that person's reason. A command ended by staff (`unanswered`) stays
ended. So the outcome does not depend on which of two answers arrives first, and a repeat changes nothing.
"""

from typing import Any

from contracts.message import Reason
from contracts.service import CommandDone, CommandRejected, MessageDiscarded, MessageParked
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.unit.needs import SETTLES, commands_named
from services.orders.order.unit.unit import OrderUnit

FINAL = frozenset({"done", "rejected"})
ENDED = "orders.command.ended"
"""Type in the outcome of a command that staff ended because no answer came."""


def settle(work: OrderUnit, received: ReceivedMessage[Any]) -> None:
    """Settle the command that caused this event, if there is one and it is still open.

    Idempotent: a repeat leaves the outcome unchanged.
    """
    state = _state_given(received)
    for command_id in commands_named(received):
        command = work.commands.get(command_id)
        if command is None or command["type"] not in SETTLES[received.envelope.type]:
            continue
        if command["state"] == "rejected":
            _note_late(work, received, command, state)
            continue
        if work.outcomes.get(command_id, ("pending",))[0] not in FINAL:
            work.outcomes[command_id] = (state, _outcome(received))


def note_rejection(work: OrderUnit, received: ReceivedMessage[CommandRejected]) -> None:
    """Settle a rejected command, and show on its order the actor, the request and the reason.

    Idempotent: a repeat leaves the outcome and the note unchanged.
    """
    message = received.message
    settle(work, received)
    if message.order_id is None:
        return
    command = work.commands.get(message.command_id)
    work.note(
        message.shop,
        message.order_id,
        "command_rejected",
        message.command_id,
        command["actor"] if command else received.envelope.source.strip("/"),
        received.envelope,
        {
            "command_type": message.command_type,
            "reasons": [reason.model_dump(exclude_none=True) for reason in message.reasons],
        },
    )


def note_discard(work: OrderUnit, received: ReceivedMessage[MessageDiscarded]) -> None:
    """Reject a parked command that staff discarded, and show on its order the actor and the reason."""
    message = received.message
    settle(work, received)
    command = work.commands.get(message.message_id) if message.message_id else None
    if command is None or command["order_id"] is None:
        return
    reasons = [reason.model_dump(exclude_none=True) for reason in reasons_of(message)]
    data = {"command_type": command["type"], "asked_by": command["actor"], "reasons": reasons}
    order = (command["shop"], command["order_id"])
    work.note(*order, "command_discarded", command["command_id"], message.actor, received.envelope, data)


def _note_late(work: OrderUnit, received: ReceivedMessage[Any], command: Any, state: str) -> None:
    """Record on its order that a command ended by staff was executed after all; a rejection is recorded
    separately.
    """
    if state == "done" and command["order_id"] is not None:
        data = {"command_type": command["type"], "asked_by": command["actor"]}
        order = (command["shop"], command["order_id"])
        actor = received.envelope.source.strip("/")
        work.note(*order, "command_done_late", command["command_id"], actor, received.envelope, data)


def _state_given(received: ReceivedMessage[Any]) -> str:
    if isinstance(received.message, CommandRejected | MessageDiscarded):
        return "rejected"
    if isinstance(received.message, MessageParked):
        return "parked"
    return "done"


def _outcome(received: ReceivedMessage[Any]) -> str:
    """Return the event as JSON with its type and id, without the complete position, which is stored
    elsewhere.
    """
    message = received.message
    leave_out = (
        {"position", "command_type"} if isinstance(message, CommandDone | CommandRejected) else {"position"}
    )
    body = message.__pydantic_serializer__.to_json(message, exclude=leave_out, exclude_none=True).decode()
    if isinstance(message, MessageDiscarded):
        reasons = ",".join(reason.model_dump_json(exclude_none=True) for reason in reasons_of(message))
        body = f'{{"reasons":[{reasons}],{body[1:]}'
    return f'{{"type":"{received.envelope.type}","event_id":"{received.envelope.id}",{body[1:]}'


def parked(received: ReceivedMessage[MessageParked]) -> tuple[str, str]:
    """Return state and outcome of a command whose message, or question, is parked."""
    return "parked", _outcome(received)


def reasons_of(message: MessageDiscarded) -> list[Reason]:
    """Return the reasons why a command whose message was discarded is not executed."""
    text = f"{message.actor} set the command aside: {message.reason}"
    return [Reason(code="command_discarded", message=text[:1000])]
