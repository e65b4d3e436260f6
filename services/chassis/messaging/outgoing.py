"""An outbound message, as the outbox stores it and the relay publishes it."""

from dataclasses import dataclass
from uuid import UUID

from contracts.envelope import Envelope

REPLAY_HEADER = "comptoir_replay"
"""Header of a message that was sent again on request: the replay's id. It is accepted only from services."""
SNAPSHOT_HEADER = "comptoir_standing"
"""Header of a replayed message that is in no log: a snapshot of the current state, not an event."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One publish. `dispatch_id` is AMQP's message_id and differs each time the same event is sent again;
    `replay_id` is the replay that sends it again. With `is_snapshot` it is a snapshot of the current state
    and is in no log."""

    dispatch_id: UUID
    envelope: Envelope
    body: bytes
    exchange: str
    routing_key: str
    mandatory: bool
    replay_id: UUID | None = None
    is_snapshot: bool = False
