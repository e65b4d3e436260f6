"""All SQL on the schema `msg`: what was seen, what is to be said, what is parked. One function a statement.

Everything is set-based: a batch of a hundred messages costs the same few statements as one.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope
from services.chassis.messaging.outgoing import Outgoing
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

Row = Mapping[str, Any]
Key = tuple[UUID, str]
NOBODY = UUID(int=0)
SAID_AGAIN = "noted by a replay, which has no effects: whether it happened before is not known here"
"""What is noted of an effect that only a replay told of."""
OF_SHOP = """(${0}::text IS NULL OR shop = ${0} OR (shop IS NULL AND (
    user_id IS NULL OR NOT starts_with(user_id, 'storefront.')
    OR starts_with(user_id, 'storefront.' || ${0} || '.'))))"""
"""Condition on `msg.parked` (format with the number of the parameter): rows of a shop and those that name none, unless
another shop's storefront sent them; all when the parameter is null."""


async def remember(
    connection: Connection, consumer: str, messages: Sequence[tuple[Key, bytes | None]], now: datetime
) -> set[Key]:
    """Write inbox rows of messages (id and source, digest); the keys that were not known yet come back.

    A competing process's uncommitted row makes this wait, which is what we want.
    """
    rows = await connection.fetch(
        """INSERT INTO msg.inbox (event_id, source, consumer, seen_at, digest)
           SELECT event_id, source, $4, $5, digest
           FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS k (event_id, source, digest) ORDER BY 1, 2
           ON CONFLICT DO NOTHING RETURNING event_id, source""",
        [key[0] for key, _ in messages],
        [key[1] for key, _ in messages],
        [digest for _, digest in messages],
        consumer,
        now,
    )
    return {(row[0], row[1]) for row in rows}


async def read_digests(connection: Connection, consumer: str, keys: Sequence[Key]) -> dict[Key, bytes | None]:
    """The digests of the bodies under which these keys were seen; None where none was stored."""
    rows = await connection.fetch(
        """SELECT i.event_id, i.source, i.digest FROM unnest($1::uuid[], $2::text[]) AS k (event_id, source)
           JOIN msg.inbox AS i USING (event_id, source) WHERE i.consumer = $3""",
        [key[0] for key in keys],
        [key[1] for key in keys],
        consumer,
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def log_events(connection: Writer, events: Sequence[tuple[Envelope, bytes]]) -> None:
    """Append to the event log."""
    envelopes = [envelope for envelope, _ in events]
    await connection.execute(
        """INSERT INTO msg.event_log
               (id, type, time, shop, subject, sequence, correlation_id, causation_id, traceparent, body)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::bigint[],
                                $7::text[], $8::uuid[], $9::text[], $10::bytea[])""",
        [e.id for e in envelopes],
        [e.type for e in envelopes],
        [e.time for e in envelopes],
        [e.shop for e in envelopes],
        [e.subject for e in envelopes],
        [e.sequence for e in envelopes],
        [e.correlation_id for e in envelopes],
        [e.causation_id for e in envelopes],
        [e.traceparent for e in envelopes],
        [body for _, body in events],
    )


async def queue_dispatches(
    connection: Writer, outgoing: Sequence[Outgoing], owner: UUID, lease: timedelta
) -> None:
    """Write outbox rows, already leased to this process so that no sweeper races it."""
    await connection.execute(
        """INSERT INTO msg.dispatch (id, event_id, exchange, routing_key, mandatory, owner, lease_until)
           SELECT d.*, $6, now() + $7
           FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[]) AS d""",
        [o.dispatch_id for o in outgoing],
        [o.envelope.id for o in outgoing],
        [o.exchange for o in outgoing],
        [o.routing_key for o in outgoing],
        [o.mandatory for o in outgoing],
        owner,
        lease,
    )


async def take_dispatches(connection: Connection, owner: UUID, lease: timedelta, limit: int) -> list[Row]:
    """Lease up to `limit` outbox rows whose lease has run out, oldest first, with their events, or with envelope and
    body of their own when they are in no log. Locks them. One without either (`id` and `own_headers` are null) has lost
    its event.
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
    """End all leases of this process now, since it has forgotten what it had in memory."""
    await connection.execute("UPDATE msg.dispatch SET lease_until = now() WHERE owner = $1", owner)


async def hold_dispatches(
    connection: Connection, refused: Sequence[tuple[UUID, str]], pause: timedelta
) -> None:
    """Let rows (id, why) wait that can't leave now; they are nobody's, so that a reconnect does not end the wait."""
    await connection.execute(
        """UPDATE msg.dispatch AS d
           SET owner = $4, lease_until = now() + $3, refused = r.why, refused_at = coalesce(d.refused_at, now())
           FROM unnest($1::uuid[], $2::text[]) AS r (id, why) WHERE d.id = r.id""",
        [dispatch_id for dispatch_id, _ in refused],
        [why for _, why in refused],
        pause,
        NOBODY,
    )


async def dispatch_backlog(connection: Connection) -> tuple[int, UUID | None]:
    """How many messages still have to leave (counted up to 100,000), and the oldest dispatch id."""
    row = await connection.fetchrow(
        """SELECT (SELECT count(*) FROM (SELECT 1 FROM msg.dispatch LIMIT 100000) AS first_rows) AS rows,
                  (SELECT id FROM msg.dispatch ORDER BY id LIMIT 1) AS oldest"""
    )
    assert row is not None
    return row["rows"], row["oldest"]


async def overdue_dispatches(connection: Connection, owner: UUID) -> int:
    """Messages this process should have sent by now: its own, and those whose lease has run out (up to 1,000)."""
    return await connection.fetchval(
        """SELECT count(*) FROM (
               SELECT 1 FROM msg.dispatch WHERE owner = $1 OR lease_until < now() LIMIT 1000) AS first_rows""",
        owner,
    )


async def park(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Park messages; the dedupe keys of those written come back. Keys are distinct.

    One already parked under its key stays as it is (a redelivery after a crash), unless the inbox has only now heard of
    it: then the old row is of a time at which it could not be remembered, and what is known today counts.
    """
    written = await connection.fetch(
        """INSERT INTO msg.parked
               (dedupe_key, queue, state, reason, detail, fingerprint, wait_key, event_id, source, type, shop,
                subject, user_id, headers, body, attempts, remembered, next_at, give_up_at, first_at, last_at,
                body_bytes, actor, note)
           SELECT * FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[],
               $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[], $15::bytea[],
               $16::integer[], $17::boolean[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[],
               $21::timestamptz[], $22::bigint[], $23::text[], $24::text[]) ORDER BY 1
           ON CONFLICT (dedupe_key) DO UPDATE SET
               queue = excluded.queue, state = excluded.state, reason = excluded.reason, detail = excluded.detail,
               fingerprint = excluded.fingerprint, wait_key = excluded.wait_key, user_id = excluded.user_id,
               headers = excluded.headers, body = excluded.body,
               body_bytes = excluded.body_bytes, remembered = true, next_at = excluded.next_at,
               give_up_at = excluded.give_up_at, last_at = excluded.last_at, actor = excluded.actor,
               note = excluded.note
           WHERE excluded.remembered RETURNING dedupe_key""",
        *(list(column) for column in zip(*(row.values() for row in rows), strict=True)),
    )
    return {row["dedupe_key"] for row in written}


async def find_parked(connection: Connection, dedupe_key: str) -> int:
    """The id of the message parked under this key."""
    parked_id: int = await connection.fetchval("SELECT id FROM msg.parked WHERE dedupe_key = $1", dedupe_key)
    return parked_id


async def take_due(connection: Connection, limit: int) -> list[Row]:
    """The parked messages that are due for another try. Locks them; another process's are skipped."""
    return await connection.fetch(
        """SELECT * FROM msg.parked WHERE state = 'waiting' AND next_at <= now()
           ORDER BY event_id NULLS FIRST, id LIMIT $1 FOR UPDATE SKIP LOCKED""",
        limit,
    )


async def list_due(connection: Connection, limit: int) -> list[int]:
    """The ids of the parked messages that are due for another try, unlocked."""
    rows = await connection.fetch(
        """SELECT id FROM msg.parked WHERE state = 'waiting' AND next_at <= now()
           ORDER BY event_id NULLS FIRST, id LIMIT $1""",
        limit,
    )
    return [row["id"] for row in rows]


async def take_parked(connection: Connection, parked_id: int) -> Row | None:
    """One waiting parked message, locked; None when another process has it or it is no longer waiting."""
    return await connection.fetchrow(
        "SELECT * FROM msg.parked WHERE id = $1 AND state = 'waiting' FOR UPDATE SKIP LOCKED", parked_id
    )


async def postpone(connection: Connection, parked_id: int, pause: timedelta) -> None:
    """Leave a waiting message alone for so long."""
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
    """A retried message failed or waits again. `remembered`: by now its inbox row is written."""
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
    """Make the messages that wait for these keys due now. The statement's status tells how many."""
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
    """Give dead messages back to their consumer: one by id, or all of a fingerprint; a shop's alone if one is given."""
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
    """Set parked messages aside for good, one by id or (so many of) the dead ones of a fingerprint; they stay
    readable. A shop's alone if one is given."""
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
    """Parked messages without their bodies, newest first: those of a fingerprint, older than one, and of a shop, if
    given."""
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
    """Parked messages that still need something, by state."""
    rows = await connection.fetch(
        "SELECT state, count(*) AS n FROM msg.parked WHERE state IN ('waiting', 'dead') GROUP BY state"
    )
    return {row["state"]: row["n"] for row in rows}


async def plan_effects(
    connection: Writer, effects: Sequence[tuple[str, str, dict[str, Any], datetime]], now: datetime
) -> None:
    """Plan external effects (key, kind, payload, due); a key already there is left alone, but for one that only a
    replay noted."""
    await connection.execute(
        """INSERT INTO msg.effect AS known (key, kind, state, payload, next_at, created_at, updated_at)
           SELECT key, kind, 'planned', payload, due, $5, $5
           FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[]) AS e (key, kind, payload, due)
           ON CONFLICT (key) DO UPDATE SET state = 'planned', next_at = excluded.next_at, detail = NULL, updated_at = $5
           WHERE known.state = 'uncertain' AND known.attempts = 0 AND known.detail = $6""",
        [e[0] for e in effects],
        [e[1] for e in effects],
        [json.dumps(e[2]) for e in effects],
        [e[3] for e in effects],
        now,
        SAID_AGAIN,
    )


async def note_effects(
    connection: Writer,
    effects: Sequence[tuple[str, str, dict[str, Any], datetime]],
    state: str,
    detail: str,
    now: datetime,
) -> None:
    """Note effects (key, kind, payload, due) in a state in which nobody performs them; a key already there is left
    alone."""
    await connection.execute(
        """INSERT INTO msg.effect (key, kind, state, payload, next_at, detail, created_at, updated_at)
           SELECT key, kind, $5, payload, due, $6, $7, $7
           FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[]) AS e (key, kind, payload, due)
           ON CONFLICT (key) DO NOTHING""",
        [e[0] for e in effects],
        [e[1] for e in effects],
        [json.dumps(e[2]) for e in effects],
        [e[3] for e in effects],
        state,
        detail,
        now,
    )


async def take_effects(
    connection: Connection, kind: str, owner: UUID, lease: timedelta, limit: int
) -> list[Row]:
    """Mark planned effects that are due as in flight and lease them. Committed by itself, before the call goes out."""
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
    """Effects in flight whose process is gone: nobody knows whether the call went out. Locks them."""
    return await connection.fetch(
        """SELECT key, kind, payload, attempts, detail FROM msg.effect
           WHERE kind = $1 AND state = 'in_flight' AND lease_until < now()
           ORDER BY key LIMIT $2 FOR UPDATE SKIP LOCKED""",
        kind,
        limit,
    )


async def settle_effects(
    connection: Connection,
    outcomes: Sequence[tuple[str, str, str | None, datetime | None, bool]],
    owner: UUID | None,
    now: datetime,
) -> set[str]:
    """Record what became of effects (key, state, detail, next try, whether it counts as a try). Returns the keys that
    were still ours."""
    rows = await connection.fetch(
        """UPDATE msg.effect e SET state = o.state, detail = o.detail, next_at = coalesce(o.next_at, e.next_at),
               owner = NULL, lease_until = NULL, updated_at = $6,
               attempts = CASE WHEN o.is_try THEN e.attempts ELSE e.attempts - 1 END
           FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $7::bool[])
                AS o (key, state, detail, next_at, is_try)
           WHERE e.key = o.key AND e.state = 'in_flight' AND ($5::uuid IS NULL OR e.owner = $5) RETURNING e.key""",
        [o[0] for o in outcomes],
        [o[1] for o in outcomes],
        [o[2] for o in outcomes],
        [o[3] for o in outcomes],
        owner,
        now,
        [o[4] for o in outcomes],
    )
    return {row["key"] for row in rows}


async def adopt_effects(connection: Connection, owner: UUID, keys: Sequence[str]) -> None:
    """Take over effects in flight whose lease has run out."""
    await connection.execute(
        """UPDATE msg.effect SET owner = $1, lease_until = now() + interval '1 minute'
           WHERE key = ANY($2) AND state = 'in_flight' AND lease_until < now()""",
        owner,
        keys,
    )


async def release_effects(connection: Connection, owner: UUID, keys: Sequence[str]) -> None:
    """Effects that were taken but not begun are planned again, as if nobody had touched them."""
    await connection.execute(
        """UPDATE msg.effect SET state = 'planned', owner = NULL, lease_until = NULL, attempts = attempts - 1,
               updated_at = now()
           WHERE owner = $1 AND key = ANY($2) AND state = 'in_flight'""",
        owner,
        keys,
    )


async def extend_leases(connection: Connection, owner: UUID, keys: Sequence[str], lease: timedelta) -> None:
    """A slow call still runs: keep its effects from being taken for lost."""
    await connection.execute(
        "UPDATE msg.effect SET lease_until = now() + $3 WHERE owner = $1 AND key = ANY($2) AND state = 'in_flight'",
        owner,
        keys,
        lease,
    )


async def lock_effects(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """States by key, locked; unknown keys are left out."""
    rows = await connection.fetch(
        "SELECT key, state FROM msg.effect WHERE key = ANY($1) ORDER BY key FOR UPDATE", keys
    )
    return {row["key"]: row["state"] for row in rows}


async def decide_effect(connection: Connection, key: str, state: str, note: str, now: datetime) -> bool:
    """A person's decision on an effect that has ended: `planned` (its tries counted anew), `done` or `discarded`."""
    status = await connection.execute(
        """UPDATE msg.effect SET state = $2, detail = $3, next_at = $4, updated_at = $4, attempts = 0
           WHERE key = $1 AND state IN ('failed', 'uncertain', 'done', 'discarded')""",
        key,
        state,
        note,
        now,
    )
    return status == "UPDATE 1"


async def set_timers(connection: Writer, timers: Sequence[tuple[str, str, datetime, dict[str, Any]]]) -> None:
    """Set timers (kind, key, due, payload); setting one again moves it."""
    await connection.execute(
        """INSERT INTO msg.timer (kind, key, due_at, payload)
           SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::jsonb[])
           ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload""",
        [t[0] for t in timers],
        [t[1] for t in timers],
        [t[2] for t in timers],
        [json.dumps(t[3]) for t in timers],
    )


async def cancel_timers(connection: Writer, keys: Sequence[tuple[str, str]]) -> None:
    """Remove timers (kind, key)."""
    await connection.execute(
        """DELETE FROM msg.timer t USING unnest($1::text[], $2::text[]) AS k (kind, key)
           WHERE t.kind = k.kind AND t.key = k.key""",
        [k[0] for k in keys],
        [k[1] for k in keys],
    )


async def is_timer_due(connection: Connection) -> bool:
    """Whether a timer is due. A look that costs less than the transaction that finds none."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM msg.timer WHERE due_at <= now())"))


async def find_timer(connection: Connection) -> Row | None:
    """The timer due longest; None when there is none, or another process is at it: they fire one at a time.

    It is not locked: its handler locks what it is about first, as a batch does that moves or cancels it.
    """
    return await connection.fetchrow(
        """SELECT kind, key, payload, due_at FROM msg.timer
           WHERE due_at <= now() AND pg_try_advisory_xact_lock(hashtext('msg.timer')) ORDER BY due_at LIMIT 1"""
    )


async def remove_timer(connection: Connection, timer: Row) -> bool:
    """Remove a timer that fired. False when it was moved or cancelled in the meantime: then it must not have fired."""
    status = await connection.execute(
        "DELETE FROM msg.timer WHERE kind = $1 AND key = $2 AND due_at = $3",
        timer["kind"],
        timer["key"],
        timer["due_at"],
    )
    return status == "DELETE 1"


async def postpone_timer(connection: Connection, kind: str, key: str, pause: timedelta) -> None:
    """A timer whose handler failed lets the others go first."""
    await connection.execute(
        "UPDATE msg.timer SET due_at = now() + $3 WHERE kind = $1 AND key = $2 AND due_at <= now()",
        kind,
        key,
        pause,
    )
