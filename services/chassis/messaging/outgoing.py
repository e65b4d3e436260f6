"""A message on its way out, as the outbox keeps it and the relay publishes it."""

from dataclasses import dataclass
from uuid import UUID

from contracts.envelope import Envelope

REPLAY_HEADER = "comptoir_replay"
"""Header of a message that is said again because somebody asked for it: the replay's id. Only services are believed."""
STANDING_HEADER = "comptoir_standing"
"""Header of a replayed message that is in no log: it tells how things stand, not that something happened."""


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
