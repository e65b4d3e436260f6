"""SQL on the inbox: the events a consumer has handled, with digests of their bodies."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection

Key = tuple[UUID, str]


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
