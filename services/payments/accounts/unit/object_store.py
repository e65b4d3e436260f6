"""All SQL on providers' objects: the order of each, and the order that has its money. Locks only the rows it
writes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer


class ObjectRow(NamedTuple):
    shop: str
    provider: str
    object_id: str
    order_id: UUID


def _object_rows(orders: Mapping[tuple[str, str, str], UUID]) -> list[ObjectRow]:
    return [ObjectRow(*key, order_id=order_id) for key, order_id in sorted(orders.items())]


_LINK_OBJECTS = Bulk(
    ObjectRow,
    """INSERT INTO provider_object ({columns})
       SELECT * FROM {rows} ON CONFLICT DO NOTHING""",
)


async def link_objects(connection: Writer, links: Mapping[tuple[str, str, str], UUID]) -> None:
    """Link providers' objects to orders; an object that has an order keeps it."""
    await _LINK_OBJECTS.execute(connection, _object_rows(links))


_CLAIM_OBJECTS = Bulk(
    ObjectRow,
    """INSERT INTO provider_object AS o ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, provider, object_id) DO UPDATE SET order_id = excluded.order_id, moved_to = NULL
       WHERE NOT EXISTS (SELECT FROM ledger_entry e
                         WHERE (e.shop, e.provider, e.object_id) = (o.shop, o.provider, o.object_id))""",
)


async def claim_objects(connection: Writer, claims: Mapping[tuple[str, str, str], UUID]) -> None:
    """Link objects to an order by a staff decision: it overrides an earlier link, as long as nothing of
    the object is in the ledger.
    """
    await _CLAIM_OBJECTS.execute(connection, _object_rows(claims))


_MOVE_OBJECTS = Bulk(
    ObjectRow,
    """UPDATE provider_object o SET moved_to = n.order_id
       FROM {rows} AS n ({columns})
       WHERE (o.shop, o.provider, o.object_id) = (n.shop, n.provider, n.object_id)""",
)


async def move_objects(connection: Writer, moves: Mapping[tuple[str, str, str], UUID]) -> None:
    """Record which order has the money of a payment now."""
    await _MOVE_OBJECTS.execute(connection, _object_rows(moves))


_READ_OBJECTS = Bulk(
    tuple[str, str, str],
    """SELECT o.* FROM provider_object o JOIN {rows} AS k (shop, provider, object_id)
       USING (shop, provider, object_id)""",
)


async def holders_of_objects(
    connection: Connection, objects: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], UUID]:
    """Return the orders that have the money of those payments (shop, provider, object id) now."""
    rows = await _READ_OBJECTS.fetch(connection, objects)
    return {
        (row["shop"], row["provider"], row["object_id"]): row["moved_to"] or row["order_id"] for row in rows
    }


async def orders_of_objects(
    connection: Connection, objects: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], UUID]:
    """Return the orders linked to those objects (shop, provider, object id)."""
    rows = await _READ_OBJECTS.fetch(connection, objects)
    return {(row["shop"], row["provider"], row["object_id"]): row["order_id"] for row in rows}
