"""SQL on messages that a queue lost: those sent to a consumer, those missing in its inbox, sending them again."""

from collections.abc import Sequence
from uuid import UUID

from services.chassis.messaging.recovery.operations_store import LOGGED_OF_SHOP
from services.chassis.storage.database import Connection, Row


async def read_sent(
    connection: Connection,
    queue: str,
    types: Sequence[str],
    after: UUID,
    before: UUID,
    limit: int,
    shop: str | None,
) -> list[Row]:
    """Return messages of these types that have been sent to a queue, oldest first: id, type. Ids are from the first
    (inclusive) to the second (exclusive). With a shop only its own, and those that belong to no shop.

    One that waits to be sent to all its queues, or again to this one, has not been. What waits for another queue, as a
    message that two consumers lost does, or in a replay, says nothing about this one.
    """
    return await connection.fetch(
        f"""SELECT e.id, e.type FROM msg.event_log e
           WHERE e.id > $2 AND e.id < $3 AND e.type = ANY($1)
             AND NOT EXISTS (SELECT FROM msg.dispatch d WHERE d.event_id = e.id AND d.replay_id IS NULL
                                 AND d.routing_key IN (e.type, $6))
             AND {LOGGED_OF_SHOP.format(5)}
           ORDER BY e.id LIMIT $4""",  # noqa: S608 - a constant of ours
        types,
        after,
        before,
        limit,
        shop,
        queue,
    )


async def read_unheard(connection: Connection, consumer: str, source: str, ids: Sequence[UUID]) -> list[UUID]:
    """Return which of a sender's messages this service neither handled nor parked. Messages received only in
    a replay are among them, since a replay has no effects."""
    rows = await connection.fetch(
        """SELECT k.id FROM unnest($3::uuid[]) AS k (id)
           WHERE NOT EXISTS (SELECT FROM msg.inbox i
                             WHERE i.event_id = k.id AND i.source = $2 AND i.consumer = $1)
             AND NOT EXISTS (SELECT FROM msg.parked p WHERE p.event_id = k.id AND p.source = $2)
           ORDER BY 1""",
        consumer,
        source,
        ids,
    )
    return [row["id"] for row in rows]


async def send_again(
    connection: Connection,
    exchange: str,
    queue: str,
    types: Sequence[str],
    ids: Sequence[UUID],
    owner: UUID,
    shop: str | None,
) -> int:
    """Insert logged messages of these types into the outbox again, for one queue, not as a replay; return how
    many. With a shop only its own, and those that belong to no shop."""
    status = await connection.execute(
        f"""INSERT INTO msg.dispatch (id, event_id, exchange, routing_key, mandatory, owner, lease_until)
           SELECT gen_random_uuid(), id, $3, $1, true, $5, now()
           FROM msg.event_log WHERE type = ANY($2) AND id = ANY($4) AND {LOGGED_OF_SHOP.format(6)}""",  # noqa: S608 - a constant of ours
        queue,
        types,
        exchange,
        ids,
        owner,
        shop,
    )
    return int(status.rpartition(" ")[2])
