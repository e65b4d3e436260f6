"""The SQL of the order page beside `../../api_store.py`: one function a statement, connection first, nothing locked."""

from uuid import UUID

from services.chassis.database import Connection


async def command_of(connection: Connection, shop: str, key: str) -> UUID | None:
    """The command that a form with this idempotency key became."""
    found: UUID | None = await connection.fetchval(
        "select command_id from command where shop = $1 and idempotency_key = $2", shop, key
    )
    return found
