"""The SQL of a resync: which accounts, and when each entry was recorded. Locks nothing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis.messaging.snapshots import Wanted
from services.chassis.storage.database import Connection


async def count(connection: Connection, wanted: Wanted) -> int:
    """Return how many of the requested accounts are open."""
    found: int = await connection.fetchval(
        """SELECT count(*) FROM account
           WHERE shop = $1 AND ($2::uuid[] IS NULL OR order_id = ANY($2)) AND closed_at IS NULL""",
        wanted.shop,
        wanted.orders,
    )
    return found


async def find(connection: Connection, wanted: Wanted, after: UUID | None, limit: int) -> list[UUID]:
    """Return the orders of the next open accounts. Locks nothing."""
    rows = await connection.fetch(
        """SELECT order_id FROM account
           WHERE shop = $1 AND ($2::uuid[] IS NULL OR order_id = ANY($2))
             AND ($3::uuid IS NULL OR order_id > $3) AND closed_at IS NULL
           ORDER BY order_id LIMIT $4""",
        wanted.shop,
        wanted.orders,
        after,
        limit,
    )
    return [row["order_id"] for row in rows]


async def recorded_at(
    connection: Connection, shop: str, orders: Sequence[UUID]
) -> dict[UUID, list[datetime]]:
    """Return when each entry of these accounts was recorded, by number."""
    rows = await connection.fetch(
        """SELECT order_id, array_agg(recorded_at ORDER BY number) AS moments FROM ledger_entry
           WHERE shop = $1 AND order_id = ANY($2::uuid[]) GROUP BY order_id""",
        shop,
        list(orders),
    )
    return {row["order_id"]: row["moments"] for row in rows}
