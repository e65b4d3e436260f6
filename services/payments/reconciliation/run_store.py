"""All SQL on runs of the reconciliation: the process that runs one, its progress, its result."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection


class RunRow(NamedTuple):
    provider: str
    endpoint: str
    kind: str
    shop: str


_ADD_RUNS = Bulk(
    RunRow,
    """INSERT INTO reconcile_run ({columns}, reached_at)
       SELECT n.*, coalesce((SELECT min(w.received_at) FROM webhook w
                             WHERE w.endpoint = n.endpoint AND w.received_at > {now}::timestamptz - interval '29 days'),
                            {now}::timestamptz)
       FROM {rows} AS n ({columns}) ON CONFLICT DO NOTHING""",
)


async def add_runs(connection: Connection, runs: Sequence[RunRow], now: datetime) -> None:
    """Insert the runs that have no row. They begin with the first webhook of their endpoint: what happened at the
    provider before that belongs to no order here.
    """
    await _ADD_RUNS.execute(connection, runs, now=now)


async def take_due(
    connection: Connection,
    endpoints: Sequence[str],
    every: dict[str, timedelta],
    after_failure: timedelta,
    lease: timedelta,
    now: datetime,
) -> asyncpg.Record | None:
    """Start a run that is due or was requested, and return it; runs leased by another process are skipped.

    A run that failed is due again after `after_failure`, if its list's own pause in `every` is longer.
    """
    return await connection.fetchrow(
        """UPDATE reconcile_run SET started_at = $4::timestamptz, ended_at = NULL,
               lease_until = $4::timestamptz + $5::interval, steps = 0, steps_done = 0, seen = 0, found = 0,
               error = NULL
           WHERE (provider, endpoint, kind) = (
               SELECT r.provider, r.endpoint, r.kind FROM reconcile_run r
               JOIN unnest($2::text[], $3::interval[]) AS e (kind, pause) USING (kind)
               WHERE r.endpoint = ANY($1)
                 AND (r.started_at IS NULL OR r.asked_at > r.started_at
                      OR r.ended_at IS NULL
                      OR r.ended_at < $4::timestamptz
                          - CASE WHEN r.error IS NULL THEN e.pause ELSE least(e.pause, $6::interval) END)
                 AND (r.lease_until IS NULL OR r.lease_until < $4::timestamptz)
               ORDER BY r.asked_at NULLS LAST, r.started_at NULLS FIRST LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING *""",
        list(endpoints),
        list(every),
        list(every.values()),
        now,
        lease,
        after_failure,
    )


async def move_on(
    connection: Connection,
    run: asyncpg.Record,
    lease: timedelta,
    now: datetime,
    *,
    steps: int,
    done: int,
    seen: int,
    found: int,
    reached_at: datetime | None = None,
) -> None:
    """Record how far a run came, and keep its lease."""
    await connection.execute(
        """UPDATE reconcile_run SET lease_until = $5::timestamptz + $4::interval, steps = $6, steps_done = $7,
               seen = seen + $8, found = found + $9, reached_at = greatest(reached_at, $10)
           WHERE (provider, endpoint, kind) = ($1, $2, $3)""",
        run["provider"],
        run["endpoint"],
        run["kind"],
        lease,
        now,
        steps,
        done,
        seen,
        found,
        reached_at,
    )


async def end(connection: Connection, run: asyncpg.Record, now: datetime, error: str | None) -> None:
    """Record that a run ended, with its error if it failed."""
    await connection.execute(
        """UPDATE reconcile_run SET ended_at = $4, lease_until = NULL, error = $5
           WHERE (provider, endpoint, kind) = ($1, $2, $3)""",
        run["provider"],
        run["endpoint"],
        run["kind"],
        now,
        error,
    )


async def ask(connection: Connection, shop: str, actor: str, endpoints: Sequence[str], now: datetime) -> int:
    """Request a run of every list of the shop's endpoints; return how many lists there are."""
    status = await connection.execute(
        "UPDATE reconcile_run SET asked_at = $4, asked_by = $2 WHERE shop = $1 AND endpoint = ANY($3)",
        shop,
        actor,
        list(endpoints),
        now,
    )
    return int(status.rpartition(" ")[2])


async def read_runs(connection: Connection, shop: str) -> list[asyncpg.Record]:
    """Return the runs of a shop."""
    return await connection.fetch(
        "SELECT * FROM reconcile_run WHERE shop = $1 ORDER BY provider, endpoint, kind", shop
    )


async def resolve_finding(
    connection: Connection, shop: str, finding: UUID, actor: str, note: str, now: datetime
) -> bool:
    """Record what staff found out about a finding; return False when there is none that is open."""
    status: str = await connection.execute(
        """UPDATE reconcile_finding SET resolved_at = $5, resolved_by = $3, note = $4
           WHERE shop = $1 AND id = $2 AND resolved_at IS NULL""",
        shop,
        finding,
        actor,
        note,
        now,
    )
    return status == "UPDATE 1"


async def read_findings(connection: Connection, shop: str, is_open: bool, limit: int) -> list[asyncpg.Record]:
    """Return findings of a shop that are open, or those that were resolved or are gone, the latest first."""
    return await connection.fetch(
        """SELECT f.*, a.code FROM reconcile_finding f
           LEFT JOIN account a ON (a.shop, a.order_id) = (f.shop, f.order_id)
           WHERE f.shop = $1 AND (f.resolved_at IS NULL AND f.gone_at IS NULL) = $2
           ORDER BY f.found_at DESC, f.id LIMIT $3""",
        shop,
        is_open,
        limit,
    )


async def read_payouts(connection: Connection, shop: str, limit: int) -> list[asyncpg.Record]:
    """Return the shop's payouts, the latest first."""
    return await connection.fetch(
        "SELECT * FROM payout WHERE shop = $1 ORDER BY created_at DESC, object_id LIMIT $2", shop, limit
    )
