"""SQL on the schema `msg`: inbox, event log, outbox, parked messages, effects, timers. One function per statement.

Everything is set-based: a batch of a hundred messages takes the same few statements as one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from contracts.envelope import Envelope
from services.chassis.messaging.outgoing import Outgoing
from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

Row = Mapping[str, Any]
Key = tuple[UUID, str]
NOBODY = UUID(int=0)
SAID_AGAIN = "noted by a replay, which has no effects: whether it happened before is not known here"
"""Note of an effect that was received only in a replay."""
OF_SHOP = """(${0}::text IS NULL OR shop = ${0} OR (shop IS NULL AND (
    user_id IS NULL OR NOT starts_with(user_id, 'storefront.')
    OR starts_with(user_id, 'storefront.' || ${0} || '.'))))"""
"""Condition on `msg.parked` (format with the number of the parameter): rows of a shop and those that name
none, unless another shop's storefront sent them; all rows when the parameter is null."""


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
    """Redrive dead messages to their consumer: one by id, or all of a fingerprint; only a shop's if one is given."""
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
    rows = await connection.fetch(
        "SELECT state, count(*) AS n FROM msg.parked WHERE state IN ('waiting', 'dead') GROUP BY state"
    )
    return {row["state"]: row["n"] for row in rows}


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
       WHERE known.state = 'uncertain' AND known.attempts = 0 AND known.detail = {said_again}""",
)


async def plan_effects(connection: Writer, effects: Sequence[EffectRow], now: datetime) -> None:
    """Plan external effects; an existing key is left unchanged, unless only a replay inserted it."""
    await _PLAN_EFFECTS.execute(connection, effects, now=now, said_again=SAID_AGAIN)


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
    """Mark planned effects that are due as in flight and lease them. Committed separately, before the call is
    made."""
    return await connection.fetch(
        """WITH due AS MATERIALIZED (
               SELECT key FROM msg.effect WHERE kind = $1 AND state = 'planned' AND next_at <= now()
               ORDER BY next_at, key LIMIT $4 FOR UPDATE SKIP LOCKED)
           UPDATE msg.effect e SET state = 'in_flight', owner = $2, lease_until = now() + $3,
               attempts = attempts + 1, updated_at = now()
           FROM due WHERE e.key = due.key RETURNING e.key, e.kind, e.payload, e.attempts, e.detail""",
        kind,
        owner,
        lease,
        limit,
    )


async def take_lost_effects(connection: Connection, kind: str, limit: int) -> list[Row]:
    """Return effects in flight whose process is dead: whether the call was made is unknown. Locks them."""
    return await connection.fetch(
        """SELECT key, kind, payload, attempts, detail FROM msg.effect
           WHERE kind = $1 AND state = 'in_flight' AND lease_until < now()
           ORDER BY key LIMIT $2 FOR UPDATE SKIP LOCKED""",
        kind,
        limit,
    )


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
           owner = NULL, lease_until = NULL, updated_at = {now},
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
    """Apply a person's decision to an effect that has ended: `planned` (its attempts reset), `done` or
    `discarded`."""
    status = await connection.execute(
        """UPDATE msg.effect SET state = $2, detail = $3, next_at = $4, updated_at = $4, attempts = 0
           WHERE key = $1 AND state IN ('failed', 'uncertain', 'done', 'discarded')""",
        key,
        state,
        note,
        now,
    )
    return status == "UPDATE 1"


class TimerRow(NamedTuple):
    kind: str
    key: str
    due_at: datetime
    payload: Json


_SET_TIMERS = Bulk(
    TimerRow,
    """INSERT INTO msg.timer ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload""",
)


async def set_timers(connection: Writer, timers: Sequence[TimerRow]) -> None:
    """Set timers; setting one again moves it."""
    await _SET_TIMERS.execute(connection, timers)


_CANCEL_TIMERS = Bulk(
    tuple[str, str],
    """DELETE FROM msg.timer t USING {rows} AS k (kind, key)
       WHERE t.kind = k.kind AND t.key = k.key""",
)


async def cancel_timers(connection: Writer, keys: Sequence[tuple[str, str]]) -> None:
    """Remove timers (kind, key)."""
    await _CANCEL_TIMERS.execute(connection, keys)


async def is_timer_due(connection: Connection) -> bool:
    """Return whether a timer is due. This check costs less than the transaction that finds none."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM msg.timer WHERE due_at <= now())"))


async def find_timer(connection: Connection) -> Row | None:
    """Return the timer due longest; None when there is none, or another process is firing one: they fire one
    at a time.

    It is not locked: its handler first locks the rows it works on, as a batch does that moves or cancels it.
    """
    return await connection.fetchrow(
        """SELECT kind, key, payload, due_at FROM msg.timer
           WHERE due_at <= now() AND pg_try_advisory_xact_lock(hashtext('msg.timer')) ORDER BY due_at LIMIT 1"""
    )


async def remove_timer(connection: Connection, timer: Row) -> bool:
    """Remove a timer that fired. Return False when it was moved or cancelled meanwhile: then its firing must
    be rolled back."""
    status = await connection.execute(
        "DELETE FROM msg.timer WHERE kind = $1 AND key = $2 AND due_at = $3",
        timer["kind"],
        timer["key"],
        timer["due_at"],
    )
    return status == "DELETE 1"


async def postpone_timer(connection: Connection, kind: str, key: str, pause: timedelta) -> None:
    """Postpone a timer whose handler failed, so that others go first."""
    await connection.execute(
        "UPDATE msg.timer SET due_at = now() + $3 WHERE kind = $1 AND key = $2 AND due_at <= now()",
        kind,
        key,
        pause,
    )
