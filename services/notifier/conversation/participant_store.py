"""SQL of who may write to a thread: holders of reply addresses, and further addresses of the customer."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer


class ParticipantRow(NamedTuple):
    token_hash: bytes
    shop: str
    order_id: UUID
    role: str
    address: str | None
    created_at: datetime


_INSERT_PARTICIPANTS = Bulk(
    ParticipantRow,
    """INSERT INTO participant ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_participants(connection: Writer, rows: Collection[ParticipantRow]) -> None:
    """Write who may answer by mail; an existing row stays unchanged."""
    await _INSERT_PARTICIPANTS.execute(connection, sorted(rows, key=lambda row: row.token_hash))


async def has_written(connection: Connection, shop: str, order_id: UUID, address: str) -> bool:
    """Return whether a message of this thread came from an address that is not the customer's."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM message
                          WHERE (shop, order_id) = ($1, $2) AND author_role = 'other' AND lower(address) = $3)""",
        shop,
        order_id,
        address,
    )
    return found


async def insert_address(
    connection: Connection, shop: str, order_id: UUID, address: str, added_by: str, added_at: datetime
) -> bool:
    """Write a further address of an order's customer. Return False if it was known."""
    status: str = await connection.execute(
        """INSERT INTO customer_address (shop, order_id, address, added_by, added_at)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
        shop,
        order_id,
        address,
        added_by,
        added_at,
    )
    return status != "INSERT 0 0"


async def delete_address(connection: Connection, shop: str, order_id: UUID, address: str) -> bool:
    """Delete a further address of an order's customer. Return False if there was none."""
    status: str = await connection.execute(
        "DELETE FROM customer_address WHERE (shop, order_id, address) = ($1, $2, $3)", shop, order_id, address
    )
    return status != "DELETE 0"


async def read_addresses(connection: Connection, shop: str, order_id: UUID) -> dict[str, asyncpg.Record]:
    """Return the further addresses of an order's customer, each with added_by and added_at."""
    rows = await connection.fetch(
        "SELECT address, added_by, added_at FROM customer_address WHERE (shop, order_id) = ($1, $2)",
        shop,
        order_id,
    )
    return {row["address"]: row for row in rows}
