"""SQL of status updates: one function per statement, the connection first. The orders must be locked."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


async def read_customers(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the customers of orders: order_id, customer_name, customer_email, customer_phone, locale.

    A checkout may have none.
    """
    return await connection.fetch(
        """select order_id, customer_name, customer_email, customer_phone, locale from orders
           where order_id = any($2::uuid[]) and shop = $1
             and customer_name is not null and customer_email is not null""",
        shop,
        list(order_ids),
    )
