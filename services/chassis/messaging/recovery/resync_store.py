"""SQL of resyncs: the open ones, the progress of each, and the messages still to be sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Json
from services.chassis.storage.database import Connection, Row


async def note_resync(
    connection: Connection,
    resync_id: UUID,
    consumer: str,
    queue: str,
    shop: str,
    orders: Sequence[UUID] | None,
    wanted: int,
    actor: str,
    now: datetime,
) -> None:
    """Insert a requested resync. It is open until `advance` ends it."""
    await connection.execute(
        """INSERT INTO msg.resync (id, consumer, queue, shop, orders, wanted, actor, asked_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        resync_id,
        consumer,
        queue,
        shop,
        orders,
        wanted,
        actor,
        now,
    )


async def is_any_open(connection: Connection) -> bool:
    """Return whether any resync is open. Locks nothing."""
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM msg.resync WHERE ended_at IS NULL)")
    return found


async def take_open(connection: Connection) -> Row | None:
    """Return the open resync that was requested first. Locks it; one that another process holds is skipped."""
    return await connection.fetchrow(
        """SELECT id, consumer, queue, shop, orders, told_until FROM msg.resync WHERE ended_at IS NULL
           ORDER BY asked_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"""
    )


async def count_to_leave(connection: Connection, resync_id: UUID, at_most: int) -> int:
    """Return how many messages of a resync are still in the outbox, counted up to `at_most`."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM (SELECT FROM msg.dispatch WHERE replay_id = $1 LIMIT $2) AS first_rows",
        resync_id,
        at_most,
    )
    return count


class SnapshotRow(NamedTuple):
    """A snapshot message: it describes the current state and is in no log."""

    id: UUID
    headers: Json
    body: bytes


_QUEUE_SNAPSHOT = Bulk(
    SnapshotRow,
    """INSERT INTO msg.dispatch
           (id, event_id, exchange, routing_key, mandatory, owner, lease_until, replay_id, headers, body)
       SELECT gen_random_uuid(), s.id, {exchange}, {queue}, true, {owner}, now(), {resync_id}, s.headers, s.body
       FROM {rows} AS s ({columns})""",
)


async def queue_snapshot(
    connection: Connection,
    resync_id: UUID,
    exchange: str,
    queue: str,
    owner: UUID,
    rows: Sequence[SnapshotRow],
) -> None:
    """Insert messages that are in no log into the outbox, for one queue only."""
    await _QUEUE_SNAPSHOT.execute(
        connection, rows, exchange=exchange, queue=queue, owner=owner, resync_id=resync_id
    )


async def advance(
    connection: Connection,
    resync_id: UUID,
    last_order: UUID | None,
    resynced: int,
    messages: int,
    ended_at: datetime | None,
) -> None:
    """Record the progress of a locked resync: so many more orders and messages."""
    await connection.execute(
        """UPDATE msg.resync SET told_until = coalesce($2, told_until), told = told + $3, messages = messages + $4,
               ended_at = $5 WHERE id = $1""",
        resync_id,
        last_order,
        resynced,
        messages,
        ended_at,
    )


async def read_resyncs(connection: Connection, limit: int) -> list[Row]:
    """Return the latest resyncs, each with the number of messages still to be sent."""
    return await connection.fetch(
        """SELECT r.id, r.queue, r.shop, r.wanted, r.told, r.messages, r.actor, r.asked_at, r.ended_at,
                  (SELECT count(*) FROM msg.dispatch d WHERE d.replay_id = r.id) AS to_leave
           FROM msg.resync r ORDER BY r.asked_at DESC LIMIT $1""",
        limit,
    )
