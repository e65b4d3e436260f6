"""Deduplication by the inbox: the new messages of a batch, the duplicates, and the reused ids.

Invariant: a message is a duplicate only if its body equals the one first seen. An id used again with another
body gets an inbox row of its own, so that this message, too, has its effect once and never disappears without
a trace.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from hashlib import blake2b

from services.chassis.messaging import inbox_store
from services.chassis.storage.database import Connection


class Seen(Enum):
    """Result of the inbox lookup for a message. A `REUSED` id was used before with another body."""

    NEW = auto()
    DUPLICATE = auto()
    REUSED = auto()


def digest_of(body: bytes) -> bytes:
    """Return the digest by which a body is recognised."""
    return blake2b(body, digest_size=16).digest()


def suffix_of(body: bytes) -> str:
    """Return the suffix that distinguishes a message from another one with the same id."""
    return f"#{digest_of(body).hex()}"


async def recognise(
    connection: Connection, consumer: str, messages: Sequence[tuple[inbox_store.Key, bytes]], now: datetime
) -> list[Seen]:
    """Write the inbox rows of these messages (key, body), in their order, and return the result for each."""
    first: dict[inbox_store.Key, bytes | None] = {}
    digests = [digest_of(body) for _, body in messages]
    for (key, _), digest in zip(messages, digests, strict=True):
        first.setdefault(key, digest)
    fresh = await inbox_store.remember(
        connection, consumer, [inbox_store.InboxRow(*key, digest) for key, digest in first.items()], now
    )
    if known := [key for key in first if key not in fresh]:
        first |= await inbox_store.read_digests(connection, consumer, known)
    seen = [
        _standing(key, first[key], digest, fresh) for (key, _), digest in zip(messages, digests, strict=True)
    ]
    if Seen.REUSED not in seen:
        return seen
    again = [
        ((key[0], key[1] + suffix_of(body)), digest) if one is Seen.REUSED else None
        for one, (key, body), digest in zip(seen, messages, digests, strict=True)
    ]
    rows = [inbox_store.InboxRow(*key, digest) for key, digest in dict.fromkeys(row for row in again if row)]
    others = await inbox_store.remember(connection, consumer, rows, now)
    return [_once(one, row[0] if row else None, others) for one, row in zip(seen, again, strict=True)]


def _standing(key: inbox_store.Key, first: bytes | None, digest: bytes, fresh: set[inbox_store.Key]) -> Seen:
    if first is not None and first != digest:
        return Seen.REUSED
    if key in fresh:
        fresh.discard(key)
        return Seen.NEW
    return Seen.DUPLICATE


def _once(seen: Seen, key: inbox_store.Key | None, fresh: set[inbox_store.Key]) -> Seen:
    """Return REUSED only for the first occurrence of the same body with a reused id; the next is a duplicate."""
    if key is None:
        return seen
    if key in fresh:
        fresh.discard(key)
        return Seen.REUSED
    return Seen.DUPLICATE
