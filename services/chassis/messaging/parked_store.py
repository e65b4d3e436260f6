"""SQL on parked messages: those that wait for another message, failed, or were discarded."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection, Row
from services.chassis.storage.writing import Writer

OF_SHOP = """(${0}::text IS NULL OR shop = ${0} OR (shop IS NULL AND (
    user_id IS NULL OR NOT starts_with(user_id, 'storefront.')
    OR starts_with(user_id, 'storefront.' || ${0} || '.'))))"""
"""Condition on `msg.parked` (format with the number of the parameter): rows of a shop and those that name
none, unless another shop's storefront sent them; all rows when the parameter is null."""


class ParkedRow(NamedTuple):
    dedupe_key: str
    queue: str
    state: str
    reason: str
    detail: str
    fingerprint: str
    wait_key: str | None
    event_id: UUID | None
    source: str | None
    type: str | None
    shop: str | None
    subject: str | None
    user_id: str | None
    headers: Json
    body: bytes
    attempts: Integer
    remembered: bool
    next_at: datetime | None
    give_up_at: datetime | None
    first_at: datetime
    last_at: datetime
    body_bytes: int | None
    actor: str | None
    note: str | None


_PARK = Bulk(
    ParkedRow,
    """INSERT INTO msg.parked ({columns})
       SELECT * FROM {rows} ORDER BY 1
       ON CONFLICT (dedupe_key) DO UPDATE SET
           queue = excluded.queue, state = excluded.state, reason = excluded.reason, detail = excluded.detail,
           fingerprint = excluded.fingerprint, wait_key = excluded.wait_key, user_id = excluded.user_id,
           headers = excluded.headers, body = excluded.body,
           body_bytes = excluded.body_bytes, remembered = true, next_at = excluded.next_at,
           give_up_at = excluded.give_up_at, last_at = excluded.last_at, actor = excluded.actor,
           note = excluded.note
       WHERE excluded.remembered RETURNING dedupe_key""",
)


async def park(connection: Connection, rows: Sequence[ParkedRow]) -> set[str]:
    """Park messages; return the dedupe keys of those written. Keys are distinct.

    A message already parked under its key is left unchanged (a redelivery after a crash), unless its inbox
    row is written only now: then the old row dates from a time when it could not be written, and is updated.
    """
    written = await _PARK.fetch(connection, rows)
    return {row["dedupe_key"] for row in written}


async def find_parked(connection: Connection, dedupe_key: str) -> int:
    """Return the id of the message parked under this key."""
    parked_id: int = await connection.fetchval("SELECT id FROM msg.parked WHERE dedupe_key = $1", dedupe_key)
    return parked_id


async def take_due(connection: Connection, limit: int) -> list[Row]:
    """Return the parked messages that are due for another attempt. Locks them; those of another process are
    skipped."""
    return await connection.fetch(
        """SELECT * FROM msg.parked WHERE state = 'waiting' AND next_at <= now()
           ORDER BY event_id NULLS FIRST, id LIMIT $1 FOR UPDATE SKIP LOCKED""",
        limit,
    )


async def list_due(connection: Connection, limit: int) -> list[int]:
    """Return the ids of the parked messages that are due for another attempt, without locking them."""
    rows = await connection.fetch(
        """SELECT id FROM msg.parked WHERE state = 'waiting' AND next_at <= now()
           ORDER BY event_id NULLS FIRST, id LIMIT $1""",
        limit,
    )
    return [row["id"] for row in rows]


async def take_parked(connection: Connection, parked_id: int) -> Row | None:
    """Return one waiting parked message, locked; None when another process holds it or it is no longer waiting."""
    return await connection.fetchrow(
        "SELECT * FROM msg.parked WHERE id = $1 AND state = 'waiting' FOR UPDATE SKIP LOCKED", parked_id
    )


async def postpone(connection: Connection, parked_id: int, pause: timedelta) -> None:
    """Postpone a waiting message."""
    await connection.execute(
        "UPDATE msg.parked SET next_at = now() + $2 WHERE id = $1 AND state = 'waiting'", parked_id, pause
    )


async def resolve(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Mark parked messages as handled after all."""
    await connection.execute(
        "UPDATE msg.parked SET state = 'resolved', next_at = NULL, last_at = $2 WHERE id = ANY($1)", ids, now
    )


async def park_again(
    connection: Connection,
    parked_id: int,
    state: str,
    reason: str,
    detail: str,
    fingerprint: str,
    wait_key: str | None,
    next_at: datetime | None,
    now: datetime,
    remembered: bool,
) -> None:
    """Update a retried message that failed or waits again. `remembered`: its inbox row is now written."""
    await connection.execute(
        """UPDATE msg.parked SET state = $2, reason = $3, detail = $4, fingerprint = $5, wait_key = $6, next_at = $7,
               last_at = $8, remembered = remembered OR $9, attempts = attempts + 1 WHERE id = $1""",
        parked_id,
        state,
        reason,
        detail,
        fingerprint,
        wait_key,
        next_at,
        now,
        remembered,
    )


async def wake(connection: Writer, keys: Sequence[str]) -> None:
    """Make the messages that wait for these keys due now. The statement's status contains the number of rows."""
    await connection.execute(
        "UPDATE msg.parked SET next_at = now() WHERE state = 'waiting' AND wait_key = ANY($1)", keys
    )


async def redrive(
    connection: Connection,
    actor: str,
    parked_id: int | None,
    fingerprint: str | None,
    now: datetime,
    shop: str | None = None,
) -> list[Row]:
    """Have dead messages retried: one by id, or all of a fingerprint; only a shop's if one is given."""
    return await connection.fetch(
        f"""UPDATE msg.parked SET state = 'waiting', next_at = $4, give_up_at = NULL, wait_key = NULL, attempts = 0,
               actor = $1, last_at = $4
           WHERE state = 'dead' AND (id = $2 OR fingerprint = $3) AND {OF_SHOP.format(5)}
           RETURNING id, queue, event_id, type""",  # noqa: S608 - a constant of ours
        actor,
        parked_id,
        fingerprint,
        now,
        shop,
    )


async def redrive_known(connection: Connection, types: Sequence[str], actor: str, now: datetime) -> list[Row]:
    """Have messages retried that an earlier version parked because it did not know their type, and that are of these
    types."""
    return await connection.fetch(
        """UPDATE msg.parked SET state = 'waiting', next_at = $3, give_up_at = NULL, wait_key = NULL, attempts = 0,
               actor = $2, last_at = $3
           WHERE state = 'dead' AND reason IN ('unknown_type', 'unknown_version') AND type = ANY($1)
           RETURNING id, queue, event_id, type""",
        types,
        actor,
        now,
    )


async def discard(
    connection: Connection,
    actor: str,
    parked_id: int | None,
    fingerprint: str | None,
    why: str,
    now: datetime,
    most: int,
    shop: str | None = None,
) -> list[Row]:
    """Discard parked messages, one by id or (up to a number of) the dead ones of a fingerprint; they stay
    readable. Only a shop's if one is given."""
    return await connection.fetch(
        f"""UPDATE msg.parked SET state = 'discarded', next_at = NULL, actor = $1, note = $4, last_at = $5
           WHERE id = ANY(ARRAY(SELECT id FROM msg.parked
                                WHERE ((id = $2 AND state IN ('dead', 'waiting'))
                                       OR (fingerprint = $3 AND state = 'dead')) AND {OF_SHOP.format(7)}
                                ORDER BY id LIMIT $6 FOR UPDATE))
           RETURNING id, queue, event_id, type""",  # noqa: S608 - a constant of ours
        actor,
        parked_id,
        fingerprint,
        why,
        now,
        most,
        shop,
    )


async def list_parked(
    connection: Connection,
    states: Sequence[str],
    limit: int,
    fingerprint: str | None = None,
    before: int | None = None,
    shop: str | None = None,
) -> list[Row]:
    """Return parked messages without their bodies, newest first: those of a fingerprint, those older than an
    id, and those of a shop, if given."""
    return await connection.fetch(
        f"""SELECT id, queue, state, reason, detail, fingerprint, wait_key, event_id, source, type, shop, subject,
               attempts, next_at, first_at, last_at, actor, note, coalesce(body_bytes, length(body)) AS body_bytes
           FROM msg.parked
           WHERE state = ANY($1) AND ($3::text IS NULL OR fingerprint = $3) AND ($4::bigint IS NULL OR id < $4)
                 AND {OF_SHOP.format(5)}
           ORDER BY id DESC LIMIT $2""",  # noqa: S608 - a constant of ours
        states,
        limit,
        fingerprint,
        before,
        shop,
    )


async def count_parked(connection: Connection) -> dict[str, int]:
    """Return the number of parked messages that still need something, by state."""
    return {state: one.rows for state, one in (await parked_backlog(connection)).items()}


class ParkedBacklog(NamedTuple):
    """Parked messages of one state: how many, and since when the oldest."""

    rows: int
    since: datetime


async def parked_backlog(connection: Connection) -> dict[str, ParkedBacklog]:
    """Return the parked messages that still need something, by state; a state without any is not in it."""
    rows = await connection.fetch(
        """SELECT state, count(*) AS n, min(first_at) AS since FROM msg.parked
           WHERE state IN ('waiting', 'dead') GROUP BY state"""
    )
    return {row["state"]: ParkedBacklog(row["n"], row["since"]) for row in rows}
