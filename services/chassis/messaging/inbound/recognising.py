"""What the inbox knows of a batch: which messages are new, which were seen, and which bring other content under an id
that was used before.

Invariant: a message is a duplicate only if its body is the one that was seen. An id used again for something else is
given its own inbox row, so that this message, too, has its effect once and is never lost without a trace.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from hashlib import blake2b

from services.chassis.messaging import store
from services.chassis.storage.database import Connection


class Seen(Enum):
    """What the inbox says of a message. A `REUSED` id was used before for another body."""

    NEW = auto()
    DUPLICATE = auto()
    REUSED = auto()


def digest_of(body: bytes) -> bytes:
    """The digest by which a body is recognised."""
    return blake2b(body, digest_size=16).digest()


def suffix_of(body: bytes) -> str:
    """What distinguishes a message from another one that has its id."""
    return f"#{digest_of(body).hex()}"


async def recognise(
    connection: Connection, consumer: str, messages: Sequence[tuple[store.Key, bytes]], now: datetime
) -> list[Seen]:
    """Write the inbox rows of these messages (key, body), in their sequence, and return what each of them is."""
    first: dict[store.Key, bytes | None] = {}
    digests = [digest_of(body) for _, body in messages]
    for (key, _), digest in zip(messages, digests, strict=True):
        first.setdefault(key, digest)
    fresh = await store.remember(
        connection, consumer, [store.InboxRow(*key, digest) for key, digest in first.items()], now
    )
    if known := [key for key in first if key not in fresh]:
        first |= await store.read_digests(connection, consumer, known)
    seen = [
        _standing(key, first[key], digest, fresh) for (key, _), digest in zip(messages, digests, strict=True)
    ]
    if Seen.REUSED not in seen:
        return seen
    again = [
        ((key[0], key[1] + suffix_of(body)), digest) if one is Seen.REUSED else None
        for one, (key, body), digest in zip(seen, messages, digests, strict=True)
    ]
    rows = [store.InboxRow(*key, digest) for key, digest in dict.fromkeys(row for row in again if row)]
    others = await store.remember(connection, consumer, rows, now)
    return [_once(one, row[0] if row else None, others) for one, row in zip(seen, again, strict=True)]


def _standing(key: store.Key, first: bytes | None, digest: bytes, fresh: set[store.Key]) -> Seen:
    if first is not None and first != digest:
        return Seen.REUSED
    if key in fresh:
        fresh.discard(key)
        return Seen.NEW
    return Seen.DUPLICATE


def _once(seen: Seen, key: store.Key | None, fresh: set[store.Key]) -> Seen:
    """A reused id is that only once for the same body; then it is a duplicate."""
    if key is None:
        return seen
    if key in fresh:
        fresh.discard(key)
        return Seen.REUSED
    return Seen.DUPLICATE
