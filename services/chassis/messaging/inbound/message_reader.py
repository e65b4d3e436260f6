"""The reading of a raw message.

Reading never raises. The result is a `ReceivedMessage`, or an `InvalidMessage` with the reason for which the
message is parked.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json

from contracts.catalogue import CATALOGUE, STOREFRONT, Entry
from contracts.envelope import CONTENT_TYPE, MAX_BODY_BYTES, Envelope, EnvelopeUnreadable, uuid7_time
from contracts.message import Message, Reason
from services.chassis.faults.schema_faults import path_of, reasons_of
from services.chassis.messaging.inbound.raw_message import (
    UNROUTABLE,
    WRONG_SENDER,
    InvalidMessage,
    RawMessage,
)
from services.chassis.messaging.subscribers import Adapter, ReceivedMessage
from services.chassis.messaging.topology import UNROUTED
from services.chassis.texts import NUL_SIGN, json_path_of

FUTURE_TOLERANCE = timedelta(minutes=5)
MOST_ATTRIBUTE_BYTES = 255
"""The size limit of AMQP's short strings and of an index entry in PostgreSQL; an attribute is copied into both."""

_COPIED = ("source", "type", "shop", "subject", "correlation_id", "traceparent")
_MAJOR = re.compile(r"^(?P<stem>.+)\.v(?P<major>\d{1,6})$")


def read(
    arrival: RawMessage,
    known_types: Mapping[str, Entry],
    window: tuple[UUID, UUID],
    now: datetime,
    adapters: Mapping[type[Message], Adapter] = MappingProxyType({}),
) -> ReceivedMessage[Any] | InvalidMessage:
    """Read a raw message: envelope, whether its sender may send it, its time, and its body against its schema.

    `known_types` are the types this service receives; `window` is the range of ids its inbox covers; `adapters`
    make bodies readable that need not be rejected.
    """
    try:
        envelope = read_envelope(arrival.headers)
    except EnvelopeUnreadable as error:
        return InvalidMessage("envelope_unreadable", str(error))
    if arrival.queue.endswith(f".{UNROUTED}") and arrival.parked_id is None:
        return _unrouted(arrival, envelope, known_types)
    entry = known_types.get(envelope.type)
    if entry is None:
        return _unexpected_type(envelope, known_types)
    sender = arrival.sender
    if entry.sender != sender or not _is_source_of(envelope.source, sender):
        detail = f"{envelope.type} from {envelope.source} came by the queue of {sender}"
        return InvalidMessage(WRONG_SENDER, detail, envelope)
    if sender == STOREFRONT and not arrival.user_id:
        detail = "published without user_id: set it to the login, so that the broker verifies the sender"
        return InvalidMessage(WRONG_SENDER, detail, envelope)
    if sender == STOREFRONT and (fault := _fault_of_content_type(arrival.content_type)):
        return InvalidMessage("envelope_unreadable", fault, envelope)
    if arrival.size > MAX_BODY_BYTES:
        detail = f"the body has {arrival.size} bytes; {MAX_BODY_BYTES} are allowed: send a smaller message"
        return InvalidMessage("too_large", detail, envelope)
    is_requested = arrival.parked_id is not None or arrival.replay_id is not None
    if not is_requested and (late := _outside(envelope.id, window, now)):
        return InvalidMessage(*late, envelope)
    try:
        body, message, notes = _validated(entry, arrival.body, adapters.get(entry.message))
    except _Unread as unread:
        return _unreadable(entry, envelope, unread.body, unread.error)
    if sender == STOREFRONT and (fault := _fault_of_source(arrival, envelope.source, message)):
        return InvalidMessage(WRONG_SENDER, fault, envelope, entry.message)
    if b"\\u0000" in body and (path := json_path_of(NUL_SIGN, from_json(body))) is not None:
        return _holding_nul(entry, envelope, path)
    return ReceivedMessage(
        envelope,
        message,
        arrival.queue,
        arrival.user_id,
        arrival.attempts,
        arrival.first_seen_at or now,
        arrival.is_snapshot,
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


def _unrouted(arrival: RawMessage, envelope: Envelope, known_types: Mapping[str, Entry]) -> InvalidMessage:
    entry = known_types.get(envelope.type)
    is_known = entry is not None and entry.sender == STOREFRONT
    wanted = envelope.type if is_known else "the message's type, such as storefront.order.submitted.v1"
    detail = f"no queue is bound to the routing key {arrival.routing_key!r}: send it with {wanted} as the routing key"
    return InvalidMessage(UNROUTABLE, detail, envelope)


def _unexpected_type(envelope: Envelope, known_types: Mapping[str, Entry]) -> InvalidMessage:
    match = _MAJOR.match(envelope.type)
    known = _stems(frozenset(known_types)).get(match["stem"]) if match else None
    if match and known is not None and int(match["major"]) > known:
        detail = f"{envelope.type} is newer than v{known}, which this version knows: upgrade, then retry"
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


def _fault_of_source(arrival: RawMessage, source: str, message: Any) -> str | None:
    """Return what is wrong with a storefront's source: it must be the shop and module that its message names, which
    its login must be allowed to send."""
    named = f"/{STOREFRONT}/{message.shop}/{message.module}"
    if source == named:
        return None
    own = arrival.login_source or named
    fault = f"the source is {source}, but the message is of {named}"
    if own == named:
        return f"{fault}: send {own}"
    return f"{fault}: this login sends {own} only, as the source and as the message's shop and module"


def _outside(identifier: UUID, window: tuple[UUID, UUID], now: datetime) -> tuple[str, str] | None:
    try:
        made_at = uuid7_time(identifier)
    except ValueError as error:
        return "id_not_uuid7", str(error)
    if made_at > now + FUTURE_TOLERANCE:
        return (
            "id_from_future",
            f"the id was made at {made_at:%Y-%m-%d %H:%M:%S}Z; check the sender's clock, then retry",
        )
    if not window[0] <= identifier < window[1]:
        oldest = uuid7_time(UUID(int=window[0].int | 0x7 << 76 | 0b10 << 62)).astimezone(UTC)
        detail = f"the id was made on {made_at:%Y-%m-%d}; messages are remembered since {oldest:%Y-%m-%d}: retry if new"
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


def _holding_nul(entry: Entry, envelope: Envelope, location: tuple[int | str, ...]) -> InvalidMessage:
    path = path_of(location)
    words = f"{path or 'the body'} contains the NUL character, which can't be stored: remove it"
    reason = Reason(code="schema_invalid", message=f"{words}.", field=path or None)
    return InvalidMessage("schema_invalid", words, envelope, entry.message, (reason,))
