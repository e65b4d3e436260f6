"""SQL of the orders list beside the engine's: one function per statement, connection first; no locks."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


async def read_vocabulary(connection: Connection, shop: str) -> Row:
    """Return the carriers and currencies of a shop's orders, each sorted."""
    row: Row = await connection.fetchrow(
        """select array(select distinct unnest(carriers) from order_kind where shop = $1 order by 1) as carriers,
                  array(select distinct currency from order_kind where shop = $1 order by 1) as currencies""",
        shop,
    )
    return row


async def read_tag_names(connection: Connection, shop: str) -> list[Row]:
    """Return the shop's tags by name: tag_id, name, colour."""
    return await connection.fetch(
        "select tag_id, name, colour from tag where shop = $1 order by folded", shop
    )


async def find_order(connection: Connection, shop: str, code: str) -> UUID | None:
    """Return the order of a code."""
    found: UUID | None = await connection.fetchval(
        "select order_id from orders where code = $2 and shop || '' = $1", shop, code
    )
    return found


async def has_orders(connection: Connection, shop: str) -> bool:
    """Return whether the shop ever had an order."""
    found: bool = await connection.fetchval("select exists (select from orders where shop = $1)", shop)
    return found
