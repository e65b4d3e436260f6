"""The envelope of a message: CloudEvents 1.0 in binary mode over AMQP 0-9-1.

The body is the message as JSON; the attributes travel as headers prefixed `cloudEvents_` (`cloudEvents:` is
understood too). AMQP's own `message_id` is the id of the dispatch and differs when an event is sent
again; the event's `id` never changes and, with `source`, is what consumers dedupe by.
There is no official binding for AMQP 0-9-1; this one follows the binding for AMQP 1.0, so that a 1.0 reader
of the same queue sees a conforming event.
"""

import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar
from uuid import UUID

from contracts.timestamps import RANGE, is_in_range, parse_timestamp, parse_uuid

_Parsed = TypeVar("_Parsed")
CONTENT_TYPE = "application/json"
PREFIX = "cloudEvents_"
_PREFIXES_READ = (PREFIX, "cloudEvents:")
_ATTRIBUTES = (
    *("specversion", "id", "source", "type", "time", "shop", "subject", "sequence"),
    *("correlationid", "causationid", "traceparent"),
)
_ATTRIBUTES_READ = {prefix + name: name for prefix in _PREFIXES_READ for name in _ATTRIBUTES}
HEADERS_READ = frozenset(_ATTRIBUTES_READ)
"""Names of the headers that an envelope is read from."""
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
MAX_BODY_BYTES = 1024 * 1024
"""A larger body is parked unread."""

LARGEST_SEQUENCE = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_chance = random.Random(os.urandom(32))
os.register_at_fork(after_in_child=_chance.seed)
_last = 0
_ahead = 0
_MOST_TICKS_AHEAD = 60_000 * 4096
"""A minute; an id from five minutes ahead is refused."""


def follow_clock(ahead: timedelta) -> None:
    """Make ids with a clock that is this much ahead of the machine's (negative: behind), such as the database's."""
    global _ahead
    _ahead = ahead // timedelta(microseconds=1) * 1000


def uuid7() -> UUID:
    """Return a UUIDv7 (RFC 9562): milliseconds, then a sub-millisecond counter. Ids of one process only grow.

    They restart from the clock where it was set back by more than listeners tolerate, so that a wrong clock's ids end.
    """
    global _last
    with _lock:
        ticks = (time.time_ns() + _ahead) * 4096 // 1_000_000
        if ticks <= _last <= ticks + _MOST_TICKS_AHEAD:
            ticks = _last + 1
        _last = ticks
    return UUID(
        int=(ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | _chance.getrandbits(62)
    )


def uuid7_time(identifier: UUID) -> datetime:
    """Return the time at which a UUIDv7 was made, in UTC to the millisecond.

    Raises ValueError for another version of UUID or a time past the year 9999.
    """
    if identifier.version != 7:
        raise ValueError(
            f"{identifier} is not a UUIDv7: make event ids with 48 bits of Unix milliseconds first (RFC 9562)"
        )
    try:
        return _EPOCH + timedelta(milliseconds=identifier.int >> 80)
    except OverflowError:
        raise ValueError(
            f"{identifier} names a time past the year 9999; make event ids with the present time"
        ) from None


def uuid7_floor(timestamp: datetime) -> UUID:
    """Return the smallest UUIDv7-sized value of a timestamp: the bound of a partition, not an id."""
    return UUID(int=(timestamp - _EPOCH) // timedelta(milliseconds=1) << 80)


class EnvelopeUnreadable(ValueError):
    """The headers are not a CloudEvents envelope; the text names the attribute that is missing or invalid."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Attributes of one message: its source, its type, its aggregate and its cause.

    `sequence` counts a sender's events about one subject from 1 without gaps; no consumer waits for it.
    `correlation_id` names the whole conversation (the order), `causation_id` the message that this one answers.
    """

    id: UUID
    source: str
    type: str
    time: datetime
    shop: str | None = None
    subject: str | None = None
    sequence: int | None = None
    correlation_id: str | None = None
    causation_id: UUID | None = None
    traceparent: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the AMQP headers; absent attributes are left out."""
        values = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": self.source,
            "type": self.type,
            "time": self.time.isoformat().replace("+00:00", "Z"),
        }
        for name, value in (
            ("shop", self.shop),
            ("subject", self.subject),
            ("sequence", self.sequence),
            ("correlationid", self.correlation_id),
            ("causationid", self.causation_id),
            ("traceparent", self.traceparent),
        ):
            if value is not None:
                values[name] = str(value)
        return {PREFIX + name: value for name, value in values.items()}

    @classmethod
    def read(cls, headers: Mapping[str, Any]) -> Self:
        """Return the envelope that AMQP headers carry.

        Unknown attributes are ignored. Raises only EnvelopeUnreadable, naming the first invalid attribute.
        """
        values = _attributes(headers)
        try:
            _require_version_1(values)
            return cls(
                id=_parsed(values, "id", parse_uuid),
                source=_text(values, "source"),
                type=_text(values, "type"),
                time=_parsed(values, "time", _time),
                shop=values.get("shop"),
                subject=values.get("subject"),
                sequence=_count(values["sequence"]) if "sequence" in values else None,
                correlation_id=values.get("correlationid"),
                causation_id=_parsed(values, "causationid", parse_uuid) if "causationid" in values else None,
                traceparent=values.get("traceparent"),
            )
        except KeyError as missing:
            name = PREFIX + str(missing.args[0])
            raise EnvelopeUnreadable(
                f"header {name} is missing; send CloudEvents 1.0 in binary mode"
            ) from None
        except EnvelopeUnreadable:
            raise
        except (ValueError, OverflowError) as error:
            raise EnvelopeUnreadable(f"an attribute of the envelope can't be read: {error}") from None

    def resent(self, **changes: Any) -> Self:
        """Return the same envelope with some attributes changed."""
        return replace(self, **changes)


def _attributes(headers: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        attribute = _ATTRIBUTES_READ.get(name)
        if attribute is not None:
            plain = type(value) is str and len(value) <= 1024 and value.isascii() and "\x00" not in value
            found[attribute] = value if plain else _as_text(name, value)
    return found


def _as_text(name: str, value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        try:
            value = bytes(value).decode()
        except UnicodeDecodeError:
            raise EnvelopeUnreadable(f"header {name} is not UTF-8 text") from None
    if not isinstance(value, str | int | datetime):
        raise EnvelopeUnreadable(f"header {name} must be text, not {type(value).__name__}")
    if isinstance(value, int) and value.bit_length() > 64:
        raise EnvelopeUnreadable(f"header {name} is a number of more than 64 bits")
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    if len(text) > 1024 or _UNSTORABLE.search(text):
        raise EnvelopeUnreadable(
            f"header {name} is longer than 1024 characters or holds a NUL or a surrogate"
        )
    return text


def _require_version_1(values: dict[str, str]) -> None:
    if values["specversion"] != "1.0":
        raise EnvelopeUnreadable(
            f"header {PREFIX}specversion is {values['specversion']}; send CloudEvents 1.0 in binary mode"
        )


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text) or not 1 <= int(text) <= LARGEST_SEQUENCE:
        raise EnvelopeUnreadable(f"header {PREFIX}sequence is {text[:40]}; it counts from 1 in plain digits")
    return int(text)


def _text(values: dict[str, str], name: str) -> str:
    if not values[name]:
        raise EnvelopeUnreadable(f"header {PREFIX}{name} is empty")
    return values[name]


def _time(text: str) -> datetime:
    timestamp = parse_timestamp(text)
    if not is_in_range(timestamp):
        raise ValueError(f"is out of range: send a time from {RANGE}")
    return timestamp.astimezone(UTC)


def _parsed(values: dict[str, str], name: str, parse: Callable[[str], _Parsed]) -> _Parsed:
    try:
        return parse(values[name])
    except ValueError as error:
        raise EnvelopeUnreadable(f"header {PREFIX}{name} {error}") from None
