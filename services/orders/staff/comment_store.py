"""The SQL of admin comments: one function a statement, connection first. Rows are written once, nothing is locked."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection


async def insert_comments(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep comments: shop, order, id, text, the one it counters, by whom, when."""
    await connection.execute(
        """insert into comment (shop, order_id, comment_id, text, counters, written_by, written_at)
           select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[],
                                $7::timestamptz[])""",
        *(list(column) for column in zip(*rows, strict=True)),
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
