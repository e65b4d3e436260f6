"""SQL of admin comments: one function per statement, the connection first. Rows are written once, nothing is locked."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection


class CommentRow(NamedTuple):
    """A comment; `counters` is the one it corrects."""

    shop: str
    order_id: UUID
    comment_id: UUID
    text: str
    counters: UUID | None
    written_by: str
    written_at: datetime


_INSERT_COMMENTS = Bulk(
    CommentRow,
    """insert into comment ({columns})
       select * from {rows}""",
)


async def insert_comments(connection: Connection, rows: Sequence[CommentRow]) -> None:
    """Insert comments."""
    await _INSERT_COMMENTS.execute(connection, rows)


async def has_comment(connection: Connection, shop: str, order_id: UUID, comment_id: UUID) -> bool:
    """Return whether an order has this comment."""
    found: bool = await connection.fetchval(
        "select exists (select 1 from comment where shop = $1 and order_id = $2 and comment_id = $3)",
        shop,
        order_id,
        comment_id,
    )
    return found
