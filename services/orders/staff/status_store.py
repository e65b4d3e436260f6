"""The SQL of status updates: one function a statement, the connection first. The orders are locked before."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


async def read_customers(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Whom to write to: order_id, customer_name, customer_email, customer_phone, locale. A checkout may name nobody."""
    return await connection.fetch(
        """select order_id, customer_name, customer_email, customer_phone, locale from orders
           where order_id = any($2::uuid[]) and shop = $1
             and customer_name is not null and customer_email is not null""",
        shop,
        list(order_ids),
    )
