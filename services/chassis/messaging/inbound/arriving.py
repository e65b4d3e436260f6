"""A raw message, before any of it has been validated, and its reading.

Reading never raises. The result is a `ReceivedMessage`, or an `InvalidMessage` with the reason for which the
message is parked.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json

from contracts.catalogue import CATALOGUE, STOREFRONT, Entry
from contracts.envelope import CONTENT_TYPE, MAX_BODY_BYTES, PREFIX, Envelope, EnvelopeUnreadable, uuid7_time
from contracts.message import Message, Reason
from services.chassis.messaging.inbound.recognising import suffix_of
from services.chassis.messaging.inbound.schema_faults import path_of, reasons_of
from services.chassis.messaging.outgoing import REPLAY_HEADER, STANDING_HEADER
from services.chassis.messaging.subscribers import Adapter, ReceivedMessage
from services.chassis.messaging.topology import UNROUTED

FUTURE_TOLERANCE = timedelta(minutes=5)
MOST_ATTRIBUTE_BYTES = 255
"""The size limit of AMQP's short strings and of an index entry in PostgreSQL; an attribute is copied into both."""

_COPIED = ("source", "type", "shop", "subject", "correlation_id", "traceparent")
WRONG_SENDER = "wrong_sender"
UNROUTABLE = "unroutable"
BEYOND_READING = frozenset(
    {"schema_invalid", "envelope_unreadable", "too_large", "id_not_uuid7", WRONG_SENDER, UNROUTABLE}
)
"""Reasons that only the sender can fix: neither a newer version nor a retry will help."""
_MAJOR = re.compile(r"^(?P<stem>.+)\.v(?P<major>\d{1,6})$")


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
    def is_standing(self) -> bool:
        """Return whether it is a snapshot, sent by a requested resync."""
        return self.replay_id is not None and STANDING_HEADER in self.headers


@dataclass(frozen=True, slots=True)
class InvalidMessage:
    """A message that can't be passed to a handler, with the reason."""

    code: str
    detail: str
    envelope: Envelope | None = None
    message: type[Message] | None = None
    reasons: tuple[Reason, ...] = ()


def read(
    arrival: RawMessage,
    heard: Mapping[str, Entry],
    window: tuple[UUID, UUID],
    now: datetime,
    adapters: Mapping[type[Message], Adapter] = MappingProxyType({}),
) -> ReceivedMessage[Any] | InvalidMessage:
    """Read a raw message: envelope, whether its sender may send it, its time, and its body against its schema.

    `heard` are the types this service receives; `window` is the range of ids its inbox covers; `adapters`
    make bodies readable that need not be rejected.
    """
    try:
        envelope = read_envelope(arrival.headers)
    except EnvelopeUnreadable as error:
        return InvalidMessage("envelope_unreadable", str(error))
    if arrival.queue.endswith(f".{UNROUTED}") and arrival.parked_id is None:
        return _unrouted(arrival, envelope, heard)
    entry = heard.get(envelope.type)
    if entry is None:
        return _not_heard(envelope, heard)
    sender = arrival.sender
    if entry.sender != sender or not _is_source_of(envelope.source, sender):
        detail = f"{envelope.type} from {envelope.source} came by the queue of {sender}"
        return InvalidMessage(WRONG_SENDER, detail, envelope)
    if sender == STOREFRONT and not arrival.user_id:
        detail = "published without user_id: set it to the login, so that the broker vouches for the sender"
        return InvalidMessage(WRONG_SENDER, detail, envelope)
    if sender == STOREFRONT and (fault := _fault_of_content_type(arrival.content_type)):
        return InvalidMessage("envelope_unreadable", fault, envelope)
    if arrival.size > MAX_BODY_BYTES:
        detail = f"the body has {arrival.size} bytes; {MAX_BODY_BYTES} are allowed: send a smaller message"
        return InvalidMessage("too_large", detail, envelope)
    is_asked_for = arrival.parked_id is not None or arrival.replay_id is not None
    if not is_asked_for and (late := _outside(envelope.id, window, now)):
        return InvalidMessage(*late, envelope)
    try:
        body, message, notes = _validated(entry, arrival.body, adapters.get(entry.message))
    except _Unread as unread:
        return _unreadable(entry, envelope, unread.body, unread.error)
    if sender == STOREFRONT and (fault := _fault_of_source(envelope.source, message)):
        return InvalidMessage(WRONG_SENDER, fault, envelope, entry.message)
    if b"\\u0000" in body and (place := _place_of_nul(from_json(body))) is not None:
        return _holding_nul(entry, envelope, place)
    return ReceivedMessage(
        envelope,
        message,
        arrival.queue,
        arrival.user_id,
        arrival.attempts,
        arrival.first_seen_at or now,
        arrival.is_standing,
        notes=notes,
    )


class _Unread(Exception):
    """A body that does not match its schema, in the form that was validated last."""

    def __init__(self, body: bytes, error: ValidationError) -> None:
        super().__init__("unread")
        self.body, self.error = body, error


def _validated(
    entry: Entry, body: bytes, adapter: Adapter | None
) -> tuple[bytes, Message, tuple[Reason, ...]]:
    """Return the body that was readable, its message, and a note per change made to read it. Raises _Unread."""
    message = _message(entry, body)
    adapted = adapter(body, isinstance(message, ValidationError)) if adapter else None
    notes: tuple[Reason, ...] = ()
    if adapted is not None:
        body, notes = adapted
        message = _message(entry, body)
    if isinstance(message, ValidationError):
        raise _Unread(body, message)
    return body, message, notes


def _message(entry: Entry, body: bytes) -> Message | ValidationError:
    try:
        found: Message = entry.message.__pydantic_validator__.validate_json(body, strict=True)
        return found
    except ValidationError as error:
        return error


def read_envelope(headers: Mapping[str, Any]) -> Envelope:
    """Return the envelope from the headers, with attributes that fit the columns they are copied to. Raises
    EnvelopeUnreadable."""
    envelope = Envelope.read(headers)
    for name in _COPIED:
        value = getattr(envelope, name)
        if value is not None and len(value) > 63 and len(value.encode()) > MOST_ATTRIBUTE_BYTES:
            raise EnvelopeUnreadable(f"{name} has more than {MOST_ATTRIBUTE_BYTES} bytes")
    return envelope


def event_id_of(headers: Mapping[str, Any]) -> UUID | None:
    """Return the id from the headers, whatever else is wrong with them."""
    try:
        return UUID(str(headers.get(f"{PREFIX}id")))
    except ValueError:
        return None


def dedupe_key(arrival: RawMessage, envelope: Envelope | None) -> str:
    """Return the key that identifies a parked message: its sender and id (with a digest of the body, if the
    id was used before), or a digest where no id is readable."""
    if envelope is not None:
        known = f"{envelope.source} {envelope.id}"
        return known + suffix_of(arrival.body) if arrival.reuses_id else known
    said = sorted((name, value) for name, value in arrival.headers.items() if not str(name).startswith("x-"))
    digest = hashlib.sha256(f"{arrival.queue}\0{said!r}\0".encode(errors="replace"))
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


def _unrouted(arrival: RawMessage, envelope: Envelope, heard: Mapping[str, Entry]) -> InvalidMessage:
    entry = heard.get(envelope.type)
    is_known = entry is not None and entry.sender == STOREFRONT
    wanted = envelope.type if is_known else "the message's type, such as storefront.order.submitted.v1"
    detail = (
        f"nobody listens to the routing key {arrival.routing_key!r}: send it with {wanted} as the routing key"
    )
    return InvalidMessage(UNROUTABLE, detail, envelope)


def _not_heard(envelope: Envelope, heard: Mapping[str, Entry]) -> InvalidMessage:
    match = _MAJOR.match(envelope.type)
    known = _stems(frozenset(heard)).get(match["stem"]) if match else None
    if match and known is not None and int(match["major"]) > known:
        detail = f"{envelope.type} is newer than v{known}, which this version knows: upgrade, then redrive"
        return InvalidMessage("unknown_version", detail, envelope)
    where = (
        "is in the catalogue but not for this service" if envelope.type in CATALOGUE else "is in no catalogue"
    )
    return InvalidMessage("unknown_type", f"{envelope.type} {where}; correct the sender or discard", envelope)


@cache
def _stems(types: frozenset[str]) -> dict[str, int]:
    return {match["stem"]: int(match["major"]) for match in map(_MAJOR.match, types) if match}


def _is_source_of(source: str, sender: str) -> bool:
    return source == f"/{sender}" or source.startswith(f"/{sender}/")


def _fault_of_content_type(content_type: str | None) -> str | None:
    kind = (content_type or CONTENT_TYPE).partition(";")[0].strip().lower()
    return None if kind == CONTENT_TYPE else f"the content type is {kind[:80]!r}: send {CONTENT_TYPE}"


def _fault_of_source(source: str, message: Any) -> str | None:
    """Return what is wrong with a storefront's source: it must be the shop and module that its message names."""
    own = f"/{STOREFRONT}/{message.shop}/{message.module}"
    return None if source == own else f"the source is {source}, but the message is of {own}: send {own}"


def _outside(identifier: UUID, window: tuple[UUID, UUID], now: datetime) -> tuple[str, str] | None:
    try:
        made_at = uuid7_time(identifier)
    except ValueError as error:
        return "id_not_uuid7", str(error)
    if made_at > now + FUTURE_TOLERANCE:
        return (
            "id_from_future",
            f"the id says {made_at:%Y-%m-%d %H:%M:%S}Z; check the sender's clock, then redrive",
        )
    if not window[0] <= identifier < window[1]:
        oldest = uuid7_time(UUID(int=window[0].int | 0x7 << 76 | 0b10 << 62)).astimezone(UTC)
        detail = (
            f"the id says {made_at:%Y-%m-%d}; messages are remembered since {oldest:%Y-%m-%d}: redrive if new"
        )
        return "dedupe_window_expired", detail
    return None


def _unreadable(entry: Entry, envelope: Envelope, body: bytes, error: ValidationError) -> InvalidMessage:
    reasons = reasons_of(error, body)
    detail = " ".join(reason.message for reason in reasons[:10])
    return InvalidMessage(
        "schema_invalid",
        f"does not fit contracts/schemas/{entry.type}.json: {detail}",
        envelope,
        entry.message,
        reasons,
    )


def _place_of_nul(value: Any, place: tuple[int | str, ...] = ()) -> tuple[int | str, ...] | None:
    """Return where a text contains NUL, None if none does: JSON allows it, PostgreSQL can't store it."""
    if isinstance(value, str):
        return place if "\0" in value else None
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        within = (*place, step)
        found = within if isinstance(step, str) and "\0" in step else _place_of_nul(one, within)
        if found is not None:
            return found
    return None


def _holding_nul(entry: Entry, envelope: Envelope, place: tuple[int | str, ...]) -> InvalidMessage:
    path = path_of(place)
    words = f"{path or 'the body'} holds the NUL character, which can't be stored: send it without"
    reason = Reason(code="schema_invalid", message=f"{words}.", field=path or None)
    return InvalidMessage("schema_invalid", words, envelope, entry.message, (reason,))
