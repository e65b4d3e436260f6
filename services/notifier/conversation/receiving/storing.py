"""Received mails stored as they came, before they are answered with 250.

A mail whose 250 was lost comes again: it has the same content but for the fields that every delivery adds, and is
stored once. Mails that arrive together share one commit.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.background.group_commit import GroupCommit
from services.chassis.failpoints import reach
from services.chassis.messaging.process import Process
from services.chassis.storage.bulk import Bulk, Integer
from services.notifier.conversation.inbound import INBOUND
from services.notifier.conversation.receiving.destinations import Destination

TOGETHER = 4
"""Mails in one commit: each may have 25 MiB."""
STORE_SECONDS = 20.0
_ADDED_ON_THE_WAY = re.compile(rb"(?im)^(?:received|return-path|delivered-to):[^\n]*\n(?:[ \t][^\n]*\n)*")


class StoredRow(NamedTuple):
    inbound_id: UUID
    shop: str
    received_at: datetime
    envelope_from: str
    envelope_to: str
    digest: bytes
    size: Integer
    raw: bytes
    order_id: UUID | None


_INSERT = Bulk(
    StoredRow,
    """INSERT INTO inbound_mail ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (envelope_to, digest) DO NOTHING
       RETURNING inbound_id""",
)


class Incoming(NamedTuple):
    """A mail for one of its recipients, and its digest."""

    envelope_from: str
    destination: Destination
    raw: bytes
    digest: bytes


def digest_of(raw: bytes) -> bytes:
    """Return the SHA-256 of a mail without the header fields that every delivery adds."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    if not gap:
        head, gap, body = raw.partition(b"\n\n")
    digest = sha256(_ADDED_ON_THE_WAY.sub(b"", head + b"\n"))
    digest.update(body)
    return digest.digest()


class Storage:
    """Storage of received mails."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._group: GroupCommit[Incoming, None] = GroupCommit(self._store, TOGETHER)

    async def keep(self, incoming: Incoming) -> None:
        """Store a mail for one recipient; it is committed when this returns. Raises the database's errors."""
        await self._group.submit(incoming)

    async def _store(self, batch: Sequence[Incoming]) -> list[None]:
        async with asyncio.timeout(STORE_SECONDS), self._process.unit() as unit:
            rows = {(one.destination.address, one.digest): _row(one, unit.now) for one in batch}
            for row in await _INSERT.fetch(
                unit.connection, sorted(rows.values(), key=lambda row: row.inbound_id)
            ):
                payload = {"inbound_id": str(row["inbound_id"])}
                unit.plan(INBOUND, str(row["inbound_id"]), payload, changes_outside=False)
        reach("inbound_committed")
        return [None] * len(batch)


def _row(incoming: Incoming, now: datetime) -> StoredRow:
    destination = incoming.destination
    return StoredRow(
        inbound_id=uuid7(),
        shop=destination.shop,
        received_at=now,
        envelope_from=incoming.envelope_from[:254],
        envelope_to=destination.address,
        digest=incoming.digest,
        size=len(incoming.raw),
        raw=incoming.raw,
        order_id=destination.order_id,
    )
