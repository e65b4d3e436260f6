"""The SQL of admin comments: one function a statement, connection first. Rows are written once, nothing is locked."""

from typing import Any
from uuid import UUID

from services.chassis.database import Connection


async def insert_comment(connection: Connection, row: tuple[Any, ...]) -> None:
    """Keep a comment: shop, order, id, text, the one it counters, by whom, when."""
    await connection.execute(
        """insert into comment (shop, order_id, comment_id, text, counters, written_by, written_at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        *row,
    )


async def has_comment(connection: Connection, shop: str, order_id: UUID, comment_id: UUID) -> bool:
    """Whether an order has this comment."""
    found: bool = await connection.fetchval(
        "select exists (select 1 from comment where shop = $1 and order_id = $2 and comment_id = $3)",
        shop,
        order_id,
        comment_id,
    )
    return found
