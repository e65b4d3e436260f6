"""SQL that deletes an order, or checkouts that were never placed, from every table."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.order.store import OrderKey

KEPT = frozenset({"submission", "deleted_order", "command", "refusal", "unmatched_payment"})
"""Tables whose rows about a deleted order are kept: its claim (without content), its tombstone, its last
command, and money that no longer belongs to an order.
"""


class Tombstone(NamedTuple):
    """Record that is kept of a deleted order."""

    code: str
    actor: str
    reason: str
    deleted_at: datetime


async def erase(connection: Connection, key: OrderKey, command_id: UUID, tombstone: Tombstone) -> None:
    """Delete every row about a locked order in all tables that have a shop and an order id, except `KEPT`.

    The claim on its idempotency key is kept without its content, so that a repeated submission does not place
    a new order; of its commands only the deletion is kept. The tombstone is code, actor, reason and time.
    """
    await connection.execute(
        """UPDATE submission AS s SET body = '{}' FROM orders AS o
           WHERE o.shop = $1 AND o.order_id = $2
             AND (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)""",
        *key,
    )
    heard = await connection.fetchval(
        """SELECT coalesce(array_agg(cause_id), '{}') FROM activity
           WHERE shop = $1 AND order_id = $2 AND kind IN ('checkout_opened', 'checkout_dropped')""",
        *key,
    )
    for table in await _tables_about_orders(connection):
        await connection.execute(f'DELETE FROM "{table}" WHERE shop = $1 AND order_id = $2', *key)  # noqa: S608
    await connection.execute(
        "DELETE FROM command WHERE shop = $1 AND order_id = $2 AND command_id <> $3", *key, command_id
    )
    await connection.execute(
        """INSERT INTO deleted_order (shop, order_id, code, actor, reason, deleted_at, heard)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        *key,
        *tombstone,
        heard,
    )


async def erase_unplaced(connection: Connection, keys: Sequence[OrderKey]) -> None:
    """Delete every row about checkouts that were never placed; their orders' rows are locked."""
    of_orders = [shop for shop, _ in keys], [order_id for _, order_id in keys]
    gone = "unnest($1::text[], $2::uuid[]) AS gone (shop, id)"
    for table in await _tables_about_orders(connection) if keys else ():
        await connection.execute(
            f'DELETE FROM "{table}" AS t USING {gone} WHERE t.shop = gone.shop AND t.order_id = gone.id',  # noqa: S608
            *of_orders,
        )
    await connection.execute(
        f"DELETE FROM checkout AS c USING {gone} WHERE c.shop = gone.shop AND c.checkout_id = gone.id",  # noqa: S608
        *of_orders,
    )


async def _tables_about_orders(connection: Connection) -> list[str]:
    rows = await connection.fetch(
        """SELECT c.relname FROM pg_class c
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
             AND 2 = (SELECT count(*) FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attname IN ('shop', 'order_id') AND NOT a.attisdropped)
           ORDER BY c.relname"""
    )
    return [row["relname"] for row in rows if row["relname"] not in KEPT]
