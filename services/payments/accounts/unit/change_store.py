"""The SQL of received edits of orders. Accounts are locked before (see store.py)."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

_READ_EDITS = Bulk(
    tuple[str, UUID],
    """SELECT shop, order_id, edit_id FROM order_edit JOIN {rows} AS k (shop, order_id)
           USING (shop, order_id)""",
)


async def read_edits(
    connection: Connection, keys: Sequence[tuple[str, UUID]]
) -> list[tuple[tuple[str, UUID], UUID]]:
    """Return which edits of these orders were received: order and edit id."""
    rows = await _READ_EDITS.fetch(connection, keys)
    return [((row["shop"], row["order_id"]), row["edit_id"]) for row in rows]


class EditRow(NamedTuple):
    shop: str
    order_id: UUID
    edit_id: UUID
    cause: str
    due_change_minor: int
    posted_minor: int


_APPEND_EDITS = Bulk(
    EditRow,
    """INSERT INTO order_edit ({columns})
       SELECT * FROM {rows}""",
)


async def append_edits(connection: Writer, rows: Sequence[EditRow]) -> None:
    """Store the edits received in this transaction."""
    await _APPEND_EDITS.execute(connection, rows)
