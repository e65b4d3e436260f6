"""A raw message from a queue, before any of it has been validated, and the keys it is parked under."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.catalogue import STOREFRONT
from contracts.envelope import PREFIX, Envelope
from contracts.message import Message, Reason
from services.chassis.messaging.outgoing import REPLAY_HEADER, SNAPSHOT_HEADER
from services.chassis.messaging.topology import UNROUTED

WRONG_SENDER = "wrong_sender"
UNROUTABLE = "unroutable"
BEYOND_READING = frozenset(
    {"schema_invalid", "envelope_unreadable", "too_large", "id_not_uuid7", WRONG_SENDER, UNROUTABLE}
)
"""Reasons that only the sender can fix: neither a newer version nor a retry will help."""


@dataclass(slots=True)
class RawMessage:
    """One message from a queue, or from the parked ones when `parked_id` is set.

    `remembered`: its inbox row was written when it was parked, so an existing row does not make it a
    duplicate. `has_inbox_row`: the present attempt wrote the row, or it existed. `reuses_id`: its id was used
    before with another body.
    """

    queue: str
    headers: Mapping[str, Any]
    body: bytes
    user_id: str | None = None
    parked_id: int | None = None
    attempts: int = 0
    first_seen_at: datetime | None = None
    give_up_at: datetime | None = None
    remembered: bool = False
    has_inbox_row: bool = False
    reuses_id: bool = False
    content_type: str | None = None
    routing_key: str | None = None
    true_bytes: int | None = None

    @property
    def sender(self) -> str:
        """Return the sender, whose exchange it was published to: `orders`, `storefront`."""
        sender = self.queue.partition(".")[2]
        return STOREFRONT if sender == UNROUTED else sender

    @property
    def login_shop(self) -> str | None:
        """Return the shop of the storefront's login that sent it, as validated by the broker; None for services."""
        parts = (self.user_id or "").split(".")
        return parts[1] if len(parts) == 3 and parts[0] == STOREFRONT else None

    @property
    def login_source(self) -> str | None:
        """Return the source that the storefront's login may send; None for services."""
        return f"/{(self.user_id or '').replace('.', '/')}" if self.login_shop else None

    @property
    def size(self) -> int:
        """Return the size of the body as sent, in bytes; of a long body only the beginning is kept when it is
        parked."""
        return self.true_bytes if self.true_bytes is not None else len(self.body)

    @property
    def replay_id(self) -> str | None:
        """Return the id of the replay that sent it again."""
        value = self.headers.get(REPLAY_HEADER)
        is_one = isinstance(value, str) and len(value) == 36 and self.sender != STOREFRONT
        return value if is_one else None

    @property
    def is_replayed(self) -> bool:
        return self.replay_id is not None

    @property
    def is_snapshot(self) -> bool:
        """Return whether it is a snapshot, sent by a requested resync."""
        return self.replay_id is not None and SNAPSHOT_HEADER in self.headers


@dataclass(frozen=True, slots=True)
class InvalidMessage:
    """A message that can't be passed to a handler, with the reason."""

    code: str
    detail: str
    envelope: Envelope | None = None
    message: type[Message] | None = None
    reasons: tuple[Reason, ...] = ()


def event_id_of(headers: Mapping[str, Any]) -> UUID | None:
    """Return the id from the headers, even if other headers are invalid."""
    try:
        return UUID(str(headers.get(f"{PREFIX}id")))
    except ValueError:
        return None


def digest_of(body: bytes) -> bytes:
    """Return the digest by which a body is recognised."""
    return hashlib.blake2b(body, digest_size=16).digest()


def suffix_of(body: bytes) -> str:
    """Return the suffix that distinguishes a message from another one with the same id."""
    return f"#{digest_of(body).hex()}"


def dedupe_key(arrival: RawMessage, envelope: Envelope | None) -> str:
    """Return the key that identifies a parked message: its sender and id (with a digest of the body, if the
    id was used before), or a digest where no id is readable."""
    if envelope is not None:
        known = f"{envelope.source} {envelope.id}"
        return known + suffix_of(arrival.body) if arrival.reuses_id else known
    headers = sorted(
        (name, value) for name, value in arrival.headers.items() if not str(name).startswith("x-")
    )
    digest = hashlib.sha256(f"{arrival.queue}\0{headers!r}\0".encode(errors="replace"))
    digest.update(arrival.body)
    return digest.hexdigest()


def fingerprint(queue: str, type: str | None, code: str, error: BaseException | None = None) -> str:
    """Return a fingerprint that groups equal failures: queue, type, reason and where an exception was raised."""
    place = ""
    trace = error.__traceback__ if error else None
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_frame.f_code.co_name}"
        trace = trace.tb_next
    name = error.__class__.__name__ if error else ""
    return hashlib.sha256(f"{queue}|{type}|{code}|{name}|{place}".encode()).hexdigest()[:16]
