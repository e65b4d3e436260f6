"""SQL on the event log and the outbox. Everything is set-based: a batch of a hundred messages takes the same few
statements as one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from contracts.envelope import Envelope
from services.chassis.messaging.outgoing import Outgoing
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection, Row
from services.chassis.storage.writing import Writer

NOBODY = UUID(int=0)


class EventRow(NamedTuple):
    id: UUID
    type: str
    time: datetime
    shop: str | None
    subject: str | None
    sequence: int | None
    correlation_id: str | None
    causation_id: UUID | None
    traceparent: str | None
    body: bytes


_LOG_EVENTS = Bulk(
    EventRow,
    """INSERT INTO msg.event_log ({columns})
       SELECT * FROM {rows}""",
)


async def emitted_at(
    connection: Connection, event_id: UUID, type: str, shop: str, subject: str
) -> datetime | None:
    """Return when this service emitted a message of this id, type and subject; None when it has not."""
    found: datetime | None = await connection.fetchval(
        "SELECT time FROM msg.event_log WHERE id = $1 AND type = $2 AND shop = $3 AND subject = $4",
        event_id,
        type,
        shop,
        subject,
    )
    return found


async def read_bodies(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the bodies of those of these messages that the event log still has, by id."""
    if not ids:
        return {}
    rows = await connection.fetch("SELECT id, body FROM msg.event_log WHERE id = ANY($1)", list(ids))
    return {row["id"]: row["body"] for row in rows}


async def log_events(connection: Writer, events: Sequence[tuple[Envelope, bytes]]) -> None:
    """Append to the event log."""
    rows = [
        EventRow(
            id=envelope.id,
            type=envelope.type,
            time=envelope.time,
            shop=envelope.shop,
            subject=envelope.subject,
            sequence=envelope.sequence,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
            traceparent=envelope.traceparent,
            body=body,
        )
        for envelope, body in events
    ]
    await _LOG_EVENTS.execute(connection, rows)


class DispatchRow(NamedTuple):
    id: UUID
    event_id: UUID
    exchange: str
    routing_key: str
    mandatory: bool


_QUEUE_DISPATCHES = Bulk(
    DispatchRow,
    """INSERT INTO msg.dispatch ({columns}, owner, lease_until)
       SELECT d.*, {owner}, now() + {lease}
       FROM {rows} AS d""",
)


async def queue_dispatches(
    connection: Writer, outgoing: Sequence[Outgoing], owner: UUID, lease: timedelta
) -> None:
    """Insert outbox rows, already leased to this process so that no sweeper competes for them."""
    rows = [
        DispatchRow(
            id=one.dispatch_id,
            event_id=one.envelope.id,
            exchange=one.exchange,
            routing_key=one.routing_key,
            mandatory=one.mandatory,
        )
        for one in outgoing
    ]
    await _QUEUE_DISPATCHES.execute(connection, rows, owner=owner, lease=lease)


async def take_dispatches(connection: Connection, owner: UUID, lease: timedelta, limit: int) -> list[Row]:
    """Lease and return up to `limit` outbox rows whose lease has expired, oldest first, with their events, or
    with an envelope and body of their own when they are in no log. Locks them. A row with neither (`id` and
    `own_headers` are null) has lost its event.
    """
    return await connection.fetch(
        """WITH due AS MATERIALIZED (
               SELECT id FROM msg.dispatch WHERE lease_until < now() ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED),
           taken AS (
               UPDATE msg.dispatch d SET owner = $1, lease_until = now() + $2, attempts = attempts + 1
               FROM due WHERE d.id = due.id RETURNING d.*)
           SELECT taken.id AS dispatch_id, taken.replay_id, taken.exchange, taken.routing_key, taken.mandatory,
                  taken.headers AS own_headers, taken.body AS own_body, e.*
           FROM taken LEFT JOIN msg.event_log e ON e.id = taken.event_id ORDER BY taken.id""",
        owner,
        lease,
        limit,
    )


async def forget_dispatches(connection: Connection, ids: Sequence[UUID]) -> None:
    """Delete confirmed outbox rows. Losing this delete costs a duplicate publish, so its commit need not wait.

    One statement, one round trip: the setting is local to the statement's own transaction.
    """
    await connection.execute(
        """DELETE FROM msg.dispatch
           WHERE (SELECT set_config('synchronous_commit', 'off', true)) = 'off' AND id = ANY($1)""",
        ids,
    )


async def release_dispatches(connection: Connection, owner: UUID) -> None:
    """End all leases of this process now, since its in-memory messages were dropped."""
    await connection.execute("UPDATE msg.dispatch SET lease_until = now() WHERE owner = $1", owner)


class HeldDispatchRow(NamedTuple):
    id: UUID
    why: str


_HOLD_DISPATCHES = Bulk(
    HeldDispatchRow,
    """UPDATE msg.dispatch AS d
       SET owner = {nobody}, lease_until = now() + {pause}, refused = r.why, refused_at = coalesce(d.refused_at, now())
       FROM {rows} AS r ({columns}) WHERE d.id = r.id""",
)


async def hold_dispatches(
    connection: Connection, refused: Sequence[HeldDispatchRow], pause: timedelta
) -> None:
    """Postpone rows that can't be sent now; they have no owner, so that a reconnect does not end the wait."""
    await _HOLD_DISPATCHES.execute(connection, refused, pause=pause, nobody=NOBODY)


async def dispatch_backlog(connection: Connection) -> tuple[int, UUID | None]:
    """Return how many messages are still to be sent (counted up to 100,000), and the oldest dispatch id."""
    row = await connection.fetchrow(
        """SELECT (SELECT count(*) FROM (SELECT 1 FROM msg.dispatch LIMIT 100000) AS first_rows) AS rows,
                  (SELECT id FROM msg.dispatch ORDER BY id LIMIT 1) AS oldest"""
    )
    assert row is not None
    return row["rows"], row["oldest"]


async def overdue_dispatches(connection: Connection, owner: UUID) -> int:
    """Return how many messages this process should have sent by now: its own, and those whose lease has
    expired (up to 1,000)."""
    return await connection.fetchval(
        """SELECT count(*) FROM (
               SELECT 1 FROM msg.dispatch WHERE owner = $1 OR lease_until < now() LIMIT 1000) AS first_rows""",
        owner,
    )
