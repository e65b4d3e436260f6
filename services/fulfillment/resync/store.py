"""SQL of the resync: the orders for which events were ever emitted; locks nothing."""

from uuid import UUID

from services.chassis.messaging.snapshots import Wanted
from services.chassis.storage.database import Connection

_RESYNCED = """shop = $1 AND ($2::uuid[] IS NULL OR order_id = ANY($2)) AND deleted_at IS NULL
             AND (sequence > 0 OR version > 1)"""


async def count(connection: Connection, wanted: Wanted) -> int:
    """Return how many of the wanted orders there are, without those that never needed goods."""
    found: int = await connection.fetchval(
        f"SELECT count(*) FROM fulfilment_order WHERE {_RESYNCED}",  # noqa: S608 - a constant of ours
        wanted.shop,
        wanted.orders,
    )
    return found


async def find(connection: Connection, wanted: Wanted, after: UUID | None, limit: int) -> list[UUID]:
    """Return the next of the orders that `count` counts."""
    rows = await connection.fetch(
        f"""SELECT order_id FROM fulfilment_order WHERE {_RESYNCED} AND ($3::uuid IS NULL OR order_id > $3)
            ORDER BY order_id LIMIT $4""",  # noqa: S608 - a constant of ours
        wanted.shop,
        wanted.orders,
        after,
        limit,
    )
    return [row["order_id"] for row in rows]
