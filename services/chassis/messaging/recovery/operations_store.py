"""SQL on the schema `msg` that only operators need: counting, grouping, explaining, replaying.

Nothing here locks anything but `ask_replay`'s own rows, and nothing reads the whole of a table that grows
with the sales.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis.messaging.parked_store import OF_SHOP
from services.chassis.storage.database import Connection, Row

MOST_COUNTED = 100_000
LOGGED_OF_SHOP = "(${0}::text IS NULL OR shop IS NULL OR shop = ${0})"
"""Condition on `msg.event_log` (format with the number of the parameter): events of a shop and those of none; all
rows when the parameter is null."""


async def count_effects(connection: Connection) -> list[Row]:
    """Return effects that are pending or went wrong: kind, state, effects, oldest_at. Those done are not counted, nor
    failed ones that a person has acknowledged."""
    return await connection.fetch(
        """SELECT kind, state, count(*) AS effects, min(created_at) AS oldest_at FROM (
               SELECT kind, state, created_at FROM msg.effect WHERE state = 'planned'
               UNION ALL SELECT kind, state, created_at FROM msg.effect WHERE state = 'in_flight'
               UNION ALL SELECT kind, state, created_at FROM msg.effect WHERE state = 'uncertain'
               UNION ALL SELECT kind, state, created_at FROM msg.effect
               WHERE state = 'failed' AND acknowledged_at IS NULL) AS e
           GROUP BY kind, state ORDER BY kind, state"""
    )


async def count_timers(connection: Connection, now: datetime) -> list[Row]:
    """Return timers by kind: how many are set (up to 100,000), how many are due, and when the next one is."""
    return await connection.fetch(
        """SELECT kind, count(*) AS timers, count(*) FILTER (WHERE due_at <= $1) AS due, min(due_at) AS next_at
           FROM (SELECT kind, due_at FROM msg.timer ORDER BY due_at LIMIT $2) AS t GROUP BY kind ORDER BY kind""",
        now,
        MOST_COUNTED,
    )


async def count_refused(connection: Connection) -> list[Row]:
    """Return messages that the broker refused and that wait in the outbox: reason, routing_key, messages, since."""
    return await connection.fetch(
        """SELECT refused AS why, routing_key, count(*) AS messages, min(refused_at) AS since
           FROM (SELECT refused, routing_key, refused_at FROM msg.dispatch WHERE refused IS NOT NULL
                 ORDER BY id LIMIT 1000) AS d
           GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 50"""
    )


async def group_parked(connection: Connection, states: Sequence[str], shop: str | None = None) -> list[Row]:
    """Return parked messages by fingerprint, the latest first, with a sample of each; only a shop's if one is
    given."""
    return await connection.fetch(
        f"""SELECT g.*, s.queue, s.type, s.reason, s.detail
           FROM (SELECT p.fingerprint, count(*) AS messages, count(*) FILTER (WHERE p.state = 'waiting') AS waiting,
                        count(*) FILTER (WHERE p.state = 'dead') AS dead, min(p.first_at) AS first_at,
                        max(p.last_at) AS last_at, max(p.id) AS sample_id
                 FROM (SELECT id, state, fingerprint, first_at, last_at FROM msg.parked
                       WHERE state = ANY($1) AND {OF_SHOP.format(3)} ORDER BY id DESC LIMIT $2) AS p
                 GROUP BY p.fingerprint ORDER BY max(p.last_at) DESC LIMIT 500) AS g
           JOIN msg.parked AS s ON s.id = g.sample_id ORDER BY g.last_at DESC, g.sample_id DESC""",  # noqa: S608 - a constant of ours
        states,
        MOST_COUNTED,
        shop,
    )


async def read_parked(connection: Connection, parked_id: int, shop: str | None = None) -> Row | None:
    """Return one parked message with its headers and body."""
    return await connection.fetchrow(
        f"""SELECT id, queue, state, reason, detail, fingerprint, wait_key, event_id, source, type, shop, subject,
                  user_id, attempts, next_at, give_up_at, first_at, last_at, actor, note, headers,
                  substring(body FOR 1048577) AS body, coalesce(body_bytes, length(body)) AS body_bytes
           FROM msg.parked WHERE id = $1 AND {OF_SHOP.format(2)}""",  # noqa: S608 - a constant of ours
        parked_id,
        shop,
    )


async def count_replay(
    connection: Connection, types: Sequence[str], ids: tuple[UUID, UUID], shop: str | None
) -> int:
    """Return how many events `ask_replay` would send again."""
    found = await connection.fetchval(
        f"""SELECT count(*) FROM msg.event_log
            WHERE type = ANY($1) AND id >= $2 AND id < $3 AND {LOGGED_OF_SHOP.format(4)}""",  # noqa: S608 - a constant of ours
        types,
        *ids,
        shop,
    )
    return int(found)


async def ask_replay(
    connection: Connection,
    replay_id: UUID,
    exchange: str,
    queue: str,
    types: Sequence[str],
    ids: tuple[UUID, UUID],
    owner: UUID,
    shop: str | None,
) -> int:
    """Send the events of a range (ids from, before) again to one queue, bound by its own name; return how many.

    With a shop only its own, and those that belong to no shop.
    """
    status = await connection.execute(
        f"""INSERT INTO msg.dispatch (id, event_id, exchange, routing_key, mandatory, owner, lease_until, replay_id)
           SELECT gen_random_uuid(), id, $6, $1, true, $5, now(), $7
           FROM msg.event_log WHERE type = ANY($2) AND id >= $3 AND id < $4 AND {LOGGED_OF_SHOP.format(8)}""",  # noqa: S608 - a constant of ours
        queue,
        types,
        *ids,
        owner,
        exchange,
        replay_id,
        shop,
    )
    return int(status.rpartition(" ")[2])


async def note_replay(
    connection: Connection,
    replay_id: UUID,
    queue: str,
    types: Sequence[str],
    since: datetime,
    until: datetime,
    messages: int,
    actor: str,
    now: datetime,
    *,
    shop: str | None,
    is_whole: bool = False,
) -> None:
    """Record who requested a replay of what, of which shop or of all, and whether as the original message, with its
    effects."""
    await connection.execute(
        """INSERT INTO msg.replay (id, queue, types, since, until, messages, actor, asked_at, is_whole, shop)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        replay_id,
        queue,
        types,
        since,
        until,
        messages,
        actor,
        now,
        is_whole,
        shop,
    )


async def read_replays(connection: Connection, limit: int) -> list[Row]:
    """Return the latest replays of each shop and those of all shops, each with the number of messages still to be
    sent."""
    return await connection.fetch(
        """SELECT r.*, (SELECT count(*) FROM msg.dispatch d WHERE d.replay_id = r.id) AS to_leave
           FROM msg.replay r
           JOIN (SELECT id, row_number() OVER (PARTITION BY shop ORDER BY asked_at DESC) AS place FROM msg.replay) AS n
               USING (id)
           WHERE place <= $1
           ORDER BY r.asked_at DESC""",
        limit,
    )
