"""A message on its way out, as the outbox keeps it and the relay publishes it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.message import Message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One publish. `dispatch_id` is AMQP's message_id and differs each time the same event is sent again; `replay_id`
    is of the replay that has it said again. One that `is_standing` tells how things stand and is in no log."""

    dispatch_id: UUID
    envelope: Envelope
    body: bytes
    exchange: str
    routing_key: str
    mandatory: bool
    replay_id: UUID | None = None
    is_standing: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What is told anew: a message about an order that tells how something stands, and since when."""

    message: Message
    since: datetime
