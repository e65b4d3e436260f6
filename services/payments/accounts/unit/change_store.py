"""The SQL of edits of orders that were heard. Accounts are locked before (see store.py)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer


async def read_edits(
    connection: Connection, keys: Sequence[tuple[str, UUID]]
) -> list[tuple[tuple[str, UUID], UUID]]:
    """Which edits of these orders were heard: order and edit id."""
    rows = await connection.fetch(
        """SELECT shop, order_id, edit_id FROM order_edit JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id)""",
        *zip(*keys, strict=True),
    )
    return [((row["shop"], row["order_id"]), row["edit_id"]) for row in rows]


async def append_edits(connection: Writer, rows: Sequence[Sequence[Any]]) -> None:
    """Edits heard now: shop, order id, edit id, cause, change asked for, change posted."""
    await connection.execute(
        """INSERT INTO order_edit (shop, order_id, edit_id, cause, due_change_minor, posted_minor)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[])""",
        *zip(*rows, strict=True),
    )
