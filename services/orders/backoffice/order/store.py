"""SQL of the order page, beside `api/actions/store.py`: one function per statement. Nothing is locked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection


async def command_of(connection: Connection, shop: str, key: str) -> UUID | None:
    """Return the command that a form with this idempotency key became."""
    found: UUID | None = await connection.fetchval(
        "select command_id from command where shop = $1 and idempotency_key = $2", shop, key
    )
    return found


async def read_deleted(
    connection: Connection, shop: str, order_id: UUID | None, code: str | None
) -> Mapping[str, Any] | None:
    """Return the tombstone of an order named by its id or code: code, deleted_at."""
    return await connection.fetchrow(
        """select code, deleted_at from deleted_order where shop = $1 and (order_id = $2 or code = $3)
           order by deleted_at desc limit 1""",
        *(shop, order_id, code),
    )
