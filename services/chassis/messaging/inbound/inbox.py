"""The inbox: the events that this service has handled, with digests of their bodies; duplicates, and ids used again.

Invariant: a message is a duplicate only if its body equals the one first seen. An id used again with another
body gets an inbox row of its own, so that this message, too, has its effect once and never disappears without
a trace.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple
from uuid import UUID

from services.chassis.messaging.inbound.raw_message import digest_of, suffix_of
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection

Key = tuple[UUID, str]


class Seen(Enum):
    """Result of the inbox lookup for a message. A `REUSED` id was used before with another body."""

    NEW = auto()
    DUPLICATE = auto()
    REUSED = auto()


async def recognise(
    connection: Connection, consumer: str, messages: Sequence[tuple[Key, bytes]], now: datetime
) -> list[Seen]:
    """Write the inbox rows of these messages (key, body), in their order, and return the result for each."""
    first: dict[Key, bytes | None] = {}
    digests = [digest_of(body) for _, body in messages]
    for (key, _), digest in zip(messages, digests, strict=True):
        first.setdefault(key, digest)
    fresh = await remember(
        connection, consumer, [InboxRow(*key, digest) for key, digest in first.items()], now
    )
    if known := [key for key in first if key not in fresh]:
        first |= await read_digests(connection, consumer, known)
    seen = [
        _standing(key, first[key], digest, fresh) for (key, _), digest in zip(messages, digests, strict=True)
    ]
    if Seen.REUSED not in seen:
        return seen
    again = [
        ((key[0], key[1] + suffix_of(body)), digest) if one is Seen.REUSED else None
        for one, (key, body), digest in zip(seen, messages, digests, strict=True)
    ]
    rows = [InboxRow(*key, digest) for key, digest in dict.fromkeys(row for row in again if row)]
    others = await remember(connection, consumer, rows, now)
    return [_once(one, row[0] if row else None, others) for one, row in zip(seen, again, strict=True)]


def _standing(key: Key, first: bytes | None, digest: bytes, fresh: set[Key]) -> Seen:
    if first is not None and first != digest:
        return Seen.REUSED
    if key in fresh:
        fresh.discard(key)
        return Seen.NEW
    return Seen.DUPLICATE


def _once(seen: Seen, key: Key | None, fresh: set[Key]) -> Seen:
    """Return REUSED only for the first occurrence of the same body with a reused id; the next is a duplicate."""
    if key is None:
        return seen
    if key in fresh:
        fresh.discard(key)
        return Seen.REUSED
    return Seen.DUPLICATE


class InboxRow(NamedTuple):
    event_id: UUID
    source: str
    digest: bytes | None


_REMEMBER = Bulk(
    InboxRow,
    """INSERT INTO msg.inbox (event_id, source, consumer, seen_at, digest)
       SELECT event_id, source, {consumer}, {now}, digest
       FROM {rows} AS k ({columns}) ORDER BY 1, 2
       ON CONFLICT DO NOTHING RETURNING event_id, source""",
)


async def remember(
    connection: Connection, consumer: str, messages: Sequence[InboxRow], now: datetime
) -> set[Key]:
    """Insert inbox rows; return the keys that were new.

    A competing process's uncommitted row makes this wait, which is intended.
    """
    rows = await _REMEMBER.fetch(connection, messages, consumer=consumer, now=now)
    return {(row[0], row[1]) for row in rows}


_READ_DIGESTS = Bulk(
    tuple[UUID, str],
    """SELECT i.event_id, i.source, i.digest FROM {rows} AS k (event_id, source)
       JOIN msg.inbox AS i USING (event_id, source) WHERE i.consumer = {consumer}""",
)


async def read_digests(connection: Connection, consumer: str, keys: Sequence[Key]) -> dict[Key, bytes | None]:
    """Return the digests of the bodies first seen under these keys; None where none was stored."""
    rows = await _READ_DIGESTS.fetch(connection, keys, consumer=consumer)
    return {(row[0], row[1]): row[2] for row in rows}
