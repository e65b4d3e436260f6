"""SQL on external effects: planned with their cause, leased for the call, settled with its outcome."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Json
from services.chassis.storage.database import Connection, Row
from services.chassis.storage.writing import Writer

REPLAYED = "noted by a replay, which has no effects: whether it happened before is not known here"
"""Note of an effect that was received only in a replay."""


class EffectRow(NamedTuple):
    key: str
    kind: str
    payload: Json
    due: datetime


_PLAN_EFFECTS = Bulk(
    EffectRow,
    """INSERT INTO msg.effect AS known (key, kind, state, payload, next_at, created_at, updated_at)
       SELECT key, kind, 'planned', payload, due, {now}, {now}
       FROM {rows} AS e ({columns})
       ON CONFLICT (key) DO UPDATE SET state = 'planned', next_at = excluded.next_at, detail = NULL, updated_at = {now}
       WHERE known.state = 'uncertain' AND known.attempts = 0 AND known.detail = {replayed}""",
)


async def plan_effects(connection: Writer, effects: Sequence[EffectRow], now: datetime) -> None:
    """Plan external effects; an existing key is left unchanged, unless only a replay inserted it."""
    await _PLAN_EFFECTS.execute(connection, effects, now=now, replayed=REPLAYED)


_NOTE_EFFECTS = Bulk(
    EffectRow,
    """INSERT INTO msg.effect (key, kind, state, payload, next_at, detail, created_at, updated_at)
       SELECT key, kind, {state}, payload, due, {detail}, {now}, {now}
       FROM {rows} AS e ({columns})
       ON CONFLICT (key) DO NOTHING""",
)


async def note_effects(
    connection: Writer,
    effects: Sequence[EffectRow],
    state: str,
    detail: str,
    now: datetime,
) -> None:
    """Insert effects in a state in which they are not performed; an existing key is left unchanged."""
    await _NOTE_EFFECTS.execute(connection, effects, state=state, detail=detail, now=now)


async def take_effects(
    connection: Connection, kind: str, owner: UUID, lease: timedelta, limit: int
) -> list[Row]:
    """Mark planned effects that are due as in flight and lease them; none while effects are paused. Committed
    separately, before the call is made."""
    return await connection.fetch(
        """WITH due AS MATERIALIZED (
               SELECT key FROM msg.effect WHERE kind = $1 AND state = 'planned' AND next_at <= now()
                     AND NOT EXISTS (SELECT FROM msg.pause WHERE what = 'effects')
               ORDER BY next_at, key LIMIT $4 FOR UPDATE SKIP LOCKED)
           UPDATE msg.effect e SET state = 'in_flight', owner = $2, lease_until = now() + $3,
               attempts = attempts + 1, updated_at = now()
           FROM due WHERE e.key = due.key RETURNING e.key, e.kind, e.payload, e.attempts, e.detail""",
        kind,
        owner,
        lease,
        limit,
    )


async def is_any_lost(connection: Connection, kind: str) -> bool:
    """Return whether an effect of this kind is in flight with an expired lease. This check costs less than the
    transaction that finds none."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM msg.effect
                          WHERE kind = $1 AND state = 'in_flight' AND lease_until < now())""",
        kind,
    )
    return found


async def take_lost_effects(connection: Connection, kind: str, limit: int) -> list[Row]:
    """Return effects in flight whose process is dead: whether the call was made is unknown. Locks them."""
    return await connection.fetch(
        """SELECT key, kind, payload, attempts, detail FROM msg.effect
           WHERE kind = $1 AND state = 'in_flight' AND lease_until < now()
           ORDER BY key LIMIT $2 FOR UPDATE SKIP LOCKED""",
        kind,
        limit,
    )


async def count_effects(connection: Connection, kind: str) -> dict[str, int]:
    """Return how many effects of a kind wait, are in flight, failed or are uncertain, by state. Failed ones that a
    person has acknowledged do not count."""
    rows = await connection.fetch(
        """SELECT state, count(*) AS n FROM (
               SELECT state FROM msg.effect WHERE kind = $1 AND state = 'planned'
               UNION ALL SELECT state FROM msg.effect WHERE kind = $1 AND state = 'in_flight'
               UNION ALL SELECT state FROM msg.effect WHERE kind = $1 AND state = 'uncertain'
               UNION ALL SELECT state FROM msg.effect
               WHERE kind = $1 AND state = 'failed' AND acknowledged_at IS NULL
           ) AS unended GROUP BY state""",
        kind,
    )
    return {row["state"]: row["n"] for row in rows}


class EffectAges(NamedTuple):
    """Seconds since the oldest planned effect fell due, and since the oldest one was planned that has fallen due
    before and has not ended; 0 if there is none."""

    due_seconds: float
    begun_seconds: float


async def effect_ages(connection: Connection, kind: str) -> EffectAges:
    """Return how long effects of a kind have waited. One that is planned for later and was never tried does not
    wait."""
    row = await connection.fetchrow(
        """SELECT coalesce(extract(epoch FROM now() - min(due)), 0)::float8 AS due,
                  coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS begun
           FROM (SELECT next_at AS due, created_at FROM msg.effect
                 WHERE kind = $1 AND state = 'planned' AND next_at <= now()
                 UNION ALL SELECT NULL, created_at FROM msg.effect
                 WHERE kind = $1 AND state = 'planned' AND next_at > now() AND attempts > 0
                 UNION ALL SELECT NULL, created_at FROM msg.effect WHERE kind = $1 AND state = 'in_flight') AS e""",
        kind,
    )
    return EffectAges(max(row["due"], 0.0), max(row["begun"], 0.0))


class OutcomeRow(NamedTuple):
    """The outcome of an effect; `next_at` is its next attempt, if there is one."""

    key: str
    state: str
    detail: str | None
    next_at: datetime | None
    is_try: bool


_SETTLE_EFFECTS = Bulk(
    OutcomeRow,
    """UPDATE msg.effect e SET state = o.state, detail = o.detail, next_at = coalesce(o.next_at, e.next_at),
           owner = NULL, lease_until = NULL, updated_at = {now}, acknowledged_at = NULL,
           attempts = CASE WHEN o.is_try THEN e.attempts ELSE e.attempts - 1 END
       FROM {rows} AS o ({columns})
       WHERE e.key = o.key AND e.state = 'in_flight' AND ({owner}::uuid IS NULL OR e.owner = {owner})
       RETURNING e.key""",
)


async def settle_effects(
    connection: Connection,
    outcomes: Sequence[OutcomeRow],
    owner: UUID | None,
    now: datetime,
) -> set[str]:
    """Record the outcomes of effects. Return the keys that were still leased to this process."""
    rows = await _SETTLE_EFFECTS.fetch(connection, outcomes, owner=owner, now=now)
    return {row["key"] for row in rows}


async def adopt_effects(connection: Connection, owner: UUID, keys: Sequence[str]) -> None:
    """Take over effects in flight whose lease has expired."""
    await connection.execute(
        """UPDATE msg.effect SET owner = $1, lease_until = now() + interval '1 minute'
           WHERE key = ANY($2) AND state = 'in_flight' AND lease_until < now()""",
        owner,
        keys,
    )


async def release_effects(connection: Connection, owner: UUID, keys: Sequence[str]) -> None:
    """Return claimed effects that were not begun to `planned`, as if they had never been claimed."""
    await connection.execute(
        """UPDATE msg.effect SET state = 'planned', owner = NULL, lease_until = NULL, attempts = attempts - 1,
               updated_at = now()
           WHERE owner = $1 AND key = ANY($2) AND state = 'in_flight'""",
        owner,
        keys,
    )


async def extend_leases(connection: Connection, owner: UUID, keys: Sequence[str], lease: timedelta) -> None:
    """Extend the leases of effects whose slow call still runs, so that they are not treated as lost."""
    await connection.execute(
        "UPDATE msg.effect SET lease_until = now() + $3 WHERE owner = $1 AND key = ANY($2) AND state = 'in_flight'",
        owner,
        keys,
        lease,
    )


async def lock_effects(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Return states by key, locked; unknown keys are omitted."""
    rows = await connection.fetch(
        "SELECT key, state FROM msg.effect WHERE key = ANY($1) ORDER BY key FOR UPDATE", keys
    )
    return {row["key"]: row["state"] for row in rows}


async def decide_effect(connection: Connection, key: str, state: str, note: str, now: datetime) -> bool:
    """Apply an operator's decision to an effect that has ended: `planned` (its attempts reset), `done` or
    `discarded`."""
    status = await connection.execute(
        """UPDATE msg.effect SET state = $2, detail = $3, next_at = $4, updated_at = $4, attempts = 0,
               acknowledged_at = NULL
           WHERE key = $1 AND state IN ('failed', 'uncertain', 'done', 'discarded')""",
        key,
        state,
        note,
        now,
    )
    return status == "UPDATE 1"
