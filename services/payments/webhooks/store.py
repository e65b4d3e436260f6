"""SQL on stored webhooks: inserting, claiming, giving up, counting and listing."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection

APART = "#"
"""The separator between an event id and the hash of another body of the same id; no event id contains it."""


class Posted(NamedTuple):
    """A verified webhook, not yet stored, as its row."""

    id: UUID
    provider: str
    endpoint: str
    shop: str
    event_id: str
    event_type: str
    body: bytes
    headers: Json
    received_at: datetime
    deliveries: Integer = 1

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.provider, self.endpoint, self.event_id)

    def apart(self) -> "Posted":
        """Return the webhook under a name of its own, for an event id that has another body already."""
        return self._replace(event_id=f"{self.event_id}{APART}{sha256(self.body).hexdigest()[:16]}")


async def keep(connection: Connection, posted: Sequence[Posted]) -> set[UUID]:
    """Insert webhooks; a repeat only counts one more delivery. Return the new ids. Commits by itself.

    `posted` names each (provider, endpoint, event id) once and is sorted by it, so that two processes never
    wait for each other. A different body under an existing event id is stored as a webhook of its own (see
    `Posted.apart`).
    """
    kept = await _insert(connection, posted)
    if others := [one.apart() for one in posted if one.key not in kept]:
        kept |= await _insert(connection, sorted(others, key=lambda one: one.key))
    return set(kept.values()) & {p.id for p in posted}


_INSERT = Bulk(
    Posted,
    """INSERT INTO webhook AS w ({columns}, body_digest, state)
       SELECT n.*, sha256(n.body), 'received' FROM {rows} AS n ({columns})
       ON CONFLICT (provider, endpoint, event_id) DO UPDATE SET deliveries = w.deliveries + excluded.deliveries
           WHERE coalesce(w.body_digest, sha256(w.body)) = excluded.body_digest
       RETURNING w.id, w.provider, w.endpoint, w.event_id""",
)


async def _insert(connection: Connection, posted: Sequence[Posted]) -> dict[tuple[str, str, str], UUID]:
    """Return the ids of those that are stored now, by key; one whose key has another body is not among them."""
    rows = await _INSERT.fetch(connection, posted)
    return {(row["provider"], row["endpoint"], row["event_id"]): row["id"] for row in rows}


_KEEP_MISSING = Bulk(
    Posted,
    """INSERT INTO webhook ({columns}, body_digest, state, source)
       SELECT n.*, sha256(n.body), 'received', 'reconcile' FROM {rows} AS n ({columns})
       ON CONFLICT (provider, endpoint, event_id) DO NOTHING RETURNING id""",
)


async def keep_missing(connection: Connection, listed: Sequence[Posted]) -> set[UUID]:
    """Insert events of the provider's own list that no webhook brought; return their ids. `listed` is sorted by
    event id and names each once.

    One that is stored already stays as it is, even if its body differs: a list renders events in another version.
    """
    rows = await _KEEP_MISSING.fetch(connection, listed)
    return {row["id"] for row in rows}


_READ_FIRST = Bulk(
    tuple[UUID, str, str, str],
    """SELECT n.id, w.body, w.order_id FROM webhook w JOIN {rows} AS n (id, provider, endpoint, event_id)
       USING (provider, endpoint, event_id)""",
)


async def read_first(
    connection: Connection, rows: Sequence[asyncpg.Record]
) -> dict[UUID, tuple[bytes, UUID | None]]:
    """Return the first body under the same event id, and the order it is about, for webhooks stored as another
    body, by the webhook's id.
    """
    found = await _READ_FIRST.fetch(
        connection,
        [(row["id"], row["provider"], row["endpoint"], row["event_id"].partition(APART)[0]) for row in rows],
    )
    return {row["id"]: (row["body"], row["order_id"]) for row in found}


async def take(connection: Connection, limit: int) -> list[asyncpg.Record]:
    """Return webhooks to apply, oldest first. Locks them; those another process has locked are skipped."""
    return await connection.fetch(
        """SELECT id, provider, endpoint, shop, event_id, event_type, body, answer, received_at, judged_by,
               source FROM webhook
           WHERE state = 'received' ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED""",
        limit,
    )


async def take_one(connection: Connection, webhook_id: UUID) -> list[asyncpg.Record]:
    """Return that webhook, if it is to be applied and no other process has locked it. Locks it."""
    return await connection.fetch(
        """SELECT id, provider, endpoint, shop, event_id, event_type, body, answer, received_at, judged_by,
               source FROM webhook
           WHERE id = $1 AND state = 'received' FOR UPDATE SKIP LOCKED""",
        webhook_id,
    )


async def give_up(connection: Connection, webhook_id: UUID, state: str, reason: str, detail: str) -> bool:
    """End a webhook that still waits; return False when it no longer does. Its keys stay, so its order may
    still arrive.
    """
    status = await connection.execute(
        "UPDATE webhook SET state = $2, reason = $3, detail = $4 WHERE id = $1 AND state = 'waiting'",
        webhook_id,
        state,
        reason,
        detail,
    )
    return status == "UPDATE 1"


async def is_waiting(connection: Connection, webhook_id: UUID) -> bool:
    """Return whether a webhook still waits for its order. Locks it if so."""
    row = await connection.fetchrow(
        "SELECT id FROM webhook WHERE id = $1 AND state = 'waiting' FOR UPDATE", webhook_id
    )
    return row is not None


class RefusedRow(NamedTuple):
    endpoint: str
    reason: str
    posts: int


_COUNT_REFUSED = Bulk(
    RefusedRow,
    """INSERT INTO webhook_refused AS r (endpoint, reason, hour_at, posts, last_at)
       SELECT n.endpoint, n.reason, {hour_at}, n.posts, {now}
       FROM {rows} AS n ({columns})
       ON CONFLICT (endpoint, reason, hour_at)
       DO UPDATE SET posts = r.posts + excluded.posts, last_at = excluded.last_at""",
)


async def count_refused(
    connection: Connection,
    counts: Sequence[RefusedRow],
    hour_at: datetime,
    now: datetime,
    keep_since: datetime,
) -> None:
    """Add rejected posts (endpoint, reason, count) to their hour, and delete hours before `keep_since`."""
    await _COUNT_REFUSED.execute(connection, counts, hour_at=hour_at, now=now)
    await connection.execute("DELETE FROM webhook_refused WHERE hour_at < $1", keep_since)


async def read_tally(connection: Connection, shop: str | None) -> list[asyncpg.Record]:
    """Return how many webhooks each endpoint, of the shop if one is given, received and how they ended."""
    return await connection.fetch(
        "SELECT * FROM webhook_tally WHERE $1::text IS NULL OR shop = $1 ORDER BY provider, endpoint", shop
    )


async def read_refused(
    connection: Connection, endpoints: Sequence[str] | None, limit: int
) -> list[asyncpg.Record]:
    """Return rejected posts, of these endpoints or of all, the latest hour first."""
    return await connection.fetch(
        """SELECT * FROM webhook_refused WHERE $1::text[] IS NULL OR endpoint = ANY($1)
           ORDER BY hour_at DESC, endpoint, reason LIMIT $2""",
        endpoints,
        limit,
    )


async def read_webhooks(
    connection: Connection,
    shop: str | None,
    state: str | None,
    before: UUID | None,
    limit: int,
    one: UUID | None = None,
) -> list[asyncpg.Record]:
    """Return webhooks without their bodies, newest first, before the one named `before`, or that `one`; with
    the code of their order.
    """
    return await connection.fetch(
        """SELECT w.id, w.provider, w.endpoint, w.shop, w.event_id, w.event_type, w.received_at, w.deliveries,
               CASE w.state WHEN 'received' THEN 'unread' ELSE w.state END AS state, w.source, w.reason, w.detail,
               w.order_id, w.object_id, w.amount_minor, w.currency, w.handled_at, w.judged_by,
               length(w.body) AS body_bytes, a.code
           FROM webhook w LEFT JOIN account a ON a.shop = w.shop AND a.order_id = w.order_id
           WHERE ($1::text IS NULL OR w.shop = $1) AND ($2::text IS NULL OR w.state = $2)
             AND ($3::uuid IS NULL OR w.id < $3) AND ($5::uuid IS NULL OR w.id = $5)
           ORDER BY w.id DESC LIMIT $4""",
        shop,
        state,
        before,
        limit,
        one,
    )


async def read_last_of_types(
    connection: Connection, endpoints: Sequence[str], types: Sequence[str]
) -> list[asyncpg.Record]:
    """Return when an event of each of these types last arrived, by endpoint; those that ever did."""
    return await connection.fetch(
        """SELECT e.endpoint, t.event_type, l.last_at
           FROM unnest($1::text[]) AS e (endpoint) CROSS JOIN unnest($2::text[]) AS t (event_type)
           CROSS JOIN LATERAL (SELECT max(received_at) AS last_at FROM webhook w
                               WHERE w.endpoint = e.endpoint AND w.event_type = t.event_type) AS l
           WHERE l.last_at IS NOT NULL""",
        endpoints,
        types,
    )


async def webhook_backlog(connection: Connection) -> dict[str, tuple[int, datetime]]:
    """Return how many webhooks are unread, wait or are parked, and since when the oldest, by state."""
    rows = await connection.fetch(
        """SELECT 'unread' AS state, count(*) AS n, min(received_at) AS since FROM webhook WHERE state = 'received'
           UNION ALL SELECT state, count(*), min(received_at) FROM webhook
           WHERE state IN ('waiting', 'parked') GROUP BY state"""
    )
    return {row["state"]: (row["n"], row["since"]) for row in rows if row["n"]}
