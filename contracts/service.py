"""Messages of every service: the refusal of a command, and the outcome of a message it could not handle."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import Actor, Message, OrderId, Reason, Shop


class CommandRejected(Message):
    """A command was refused; nothing changed."""

    wire_name: ClassVar[str] = "command.rejected.v1"

    shop: Shop
    order_id: OrderId | None = None
    command_id: UUID
    command_type: str
    reasons: list[Reason] = Field(min_length=1)


class CommandDone(Message):
    """A command requested the state that already held; nothing had to change."""

    wire_name: ClassVar[str] = "command.done.v1"

    shop: Shop
    order_id: OrderId | None = None
    command_id: UUID
    command_type: str


class MessageParked(Message):
    """A message could not be handled and waits for an operator."""

    wire_name: ClassVar[str] = "message.parked.v1"

    shop: Shop | None = None
    message_id: UUID | None = None
    message_type: str | None = None
    queue: str
    reason: str
    fingerprint: str


class MessageRedriven(Message):
    """A parked message was returned to its consumer."""

    wire_name: ClassVar[str] = "message.redriven.v1"

    message_id: UUID | None = None
    message_type: str | None = None
    queue: str
    actor: Actor


class MessageDiscarded(Message):
    """A parked message was discarded, with a reason."""

    wire_name: ClassVar[str] = "message.discarded.v1"

    message_id: UUID | None = None
    message_type: str | None = None
    queue: str
    actor: Actor
    reason: str
