"""The SQL of lists over all accounts: every entry of a shop, and unmatched money. Locks nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.chassis.storage.database import Connection


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """A filter for a shop's entries; an empty sequence or None means all. `since` and `until` bound the
    recording time.
    """

    shop: str
    kinds: Sequence[str] = ()
    methods: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    order_id: UUID | None = None
    after: tuple[datetime, UUID] | None = None


async def read_entries(connection: Connection, wanted: EntryFilter, limit: int) -> list[asyncpg.Record]:
    """Return entries with their orders' codes, the latest recorded first, from the cursor `after` on."""
    return await connection.fetch(
        """SELECT e.*, a.code FROM ledger_entry e JOIN account a USING (shop, order_id)
           WHERE e.shop = $1 AND (cardinality($2::text[]) = 0 OR e.kind = ANY($2))
             AND (cardinality($3::text[]) = 0 OR e.method = ANY($3))
             AND ($4::timestamptz IS NULL OR e.recorded_at >= $4)
             AND ($5::timestamptz IS NULL OR e.recorded_at < $5)
             AND ($6::uuid IS NULL OR e.order_id = $6)
             AND ($7::timestamptz IS NULL OR (e.recorded_at, e.id) < ($7, $8::uuid))
           ORDER BY e.recorded_at DESC, e.id DESC LIMIT $9""",
        wanted.shop,
        list(wanted.kinds),
        list(wanted.methods),
        wanted.since,
        wanted.until,
        wanted.order_id,
        wanted.after[0] if wanted.after else None,
        wanted.after[1] if wanted.after else None,
        limit,
    )


async def read_unmatched(connection: Connection, shop: str, limit: int) -> list[asyncpg.Record]:
    """Return webhooks with unmatched money: of each payment the one with the most information, the latest
    first.
    """
    return await connection.fetch(
        """SELECT * FROM (
               SELECT DISTINCT ON (provider, object_id) id, provider, endpoint, object_id, amount_minor, currency,
                      state, reason, order_id, received_at, body
               FROM webhook
               WHERE shop = $1 AND state IN ('waiting', 'parked') AND object_id IS NOT NULL AND amount_minor > 0
               ORDER BY provider, object_id, amount_minor DESC, id) AS found
           ORDER BY id DESC LIMIT $2""",
        shop,
        limit,
    )
