"""SQL of orders and their lines: each function takes the connection of a unit first, and its docstring names its
locks.

Row locks are FOR NO KEY UPDATE (foreign keys may still read the row) and always taken in key order; the callers
lock tables in one order: gate, orders, levels (see unit.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.fulfillment.position import StockStanding
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.fulfillment.order.order import Key, Order
from services.fulfillment.order.position import Line
from services.fulfillment.order.unit import order_rows
from services.fulfillment.order.unit.order_rows import (
    LineQuantitiesRow,
    NewLineRow,
    OrderPositionRow,
    OrderRow,
)
from services.fulfillment.order.unit.shipment_store import read_parcels, read_shipments
from services.fulfillment.order.unit.stock_store import read_claims

_PASS_GATE = Bulk(
    tuple[str, bool],
    """
    SELECT CASE WHEN alone THEN pg_advisory_xact_lock(gate) ELSE pg_advisory_xact_lock_shared(gate) END
    FROM (
        SELECT hashtextextended('fulfillment.stock.' || shop, 0) AS gate, bool_or(alone) AS alone
        FROM {rows} AS asked (shop, alone)
        GROUP BY gate ORDER BY gate OFFSET 0
    ) AS gates
    """,
)


async def pass_gate(connection: Connection, shops: Iterable[str], exclusive: set[str]) -> None:
    """Lock the stock gate of these shops until the end of the transaction: exclusively, or shared with other
    placements.
    """
    await _PASS_GATE.execute(connection, [(shop, shop in exclusive) for shop in sorted(shops)])


_LOCK_ORDERS = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, order_id, code, placed_at, stock, version, sequence, next_parcel_number, deleted_at
    FROM fulfilment_order JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    ORDER BY shop, order_id FOR NO KEY UPDATE OF fulfilment_order
    """,
)


async def lock_orders(connection: Connection, keys: Iterable[Key]) -> dict[Key, Order]:
    """Return the orders that exist among these, without lines and parcels. Locks their rows by (shop, order id)."""
    found = await _LOCK_ORDERS.fetch(connection, list(keys))
    orders = [_order_of(row) for row in found]
    return {order.key: order for order in orders}


async def read_orders(connection: Connection, shop: str, order_ids: Iterable[UUID]) -> list[Order]:
    """Return the orders that exist among these with all their rows, the oldest first.

    Locks nothing; for display, in a transaction of one snapshot.
    """
    found = await connection.fetch(
        """
        SELECT shop, order_id, code, placed_at, stock, version, sequence, next_parcel_number, deleted_at
        FROM fulfilment_order WHERE shop = $1 AND order_id = ANY($2::uuid[]) ORDER BY placed_at, order_id
        """,
        shop,
        list(order_ids),
    )
    orders = {order.key: order for order in map(_order_of, found)}
    if orders:
        for read in (read_lines, read_parcels, read_shipments, read_claims):
            await read(connection, orders)
    return list(orders.values())


_READ_LINES = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, order_id, line, kind, sku, ordered, cancelled, packed, lost, shipped, delivered, returned
    FROM order_line JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    """,
)


async def read_lines(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the lines of locked orders."""
    found = await _READ_LINES.fetch(connection, orders)
    for shop, order_id, *values in found:
        line = Line(*values)
        orders[shop, order_id].lines[line.line] = line


_INSERT_ORDERS = Bulk(
    OrderRow,
    """
    INSERT INTO fulfilment_order ({columns})
    SELECT * FROM {rows}
    """,
)


_INSERT_LINES = Bulk(
    NewLineRow,
    """
    INSERT INTO order_line ({columns})
    SELECT * FROM {rows}
    """,
)


async def insert_orders(connection: Writer, orders: Sequence[Order]) -> None:
    """Write new orders with their lines."""
    await _INSERT_ORDERS.execute(connection, [order_rows.order_row(order) for order in orders])
    lines = [order_rows.new_line_row(order.key, line) for order in orders for line in order.lines.values()]
    await _INSERT_LINES.execute(connection, lines)


_UPDATE_ORDERS = Bulk(
    OrderPositionRow,
    """
    UPDATE fulfilment_order SET stock = new.stock, version = new.version, sequence = new.sequence,
           next_parcel_number = new.next_parcel_number
    FROM {rows} AS new ({columns})
    WHERE (fulfilment_order.shop, fulfilment_order.order_id) = (new.shop, new.order_id)
    """,
)


async def update_orders(connection: Writer, orders: Iterable[Order]) -> None:
    """Write back locked orders: stock status, version, sequence, next parcel number."""
    await _UPDATE_ORDERS.execute(connection, [order_rows.order_position_row(order) for order in orders])


_UPDATE_LINES = Bulk(
    LineQuantitiesRow,
    """
    UPDATE order_line SET ordered = new.ordered, cancelled = new.cancelled, packed = new.packed,
           lost = new.lost, shipped = new.shipped, delivered = new.delivered, returned = new.returned
    FROM {rows} AS new ({columns})
    WHERE (order_line.shop, order_line.order_id, order_line.line) = (new.shop, new.order_id, new.line)
    """,
)


async def update_lines(connection: Writer, lines: Iterable[tuple[Key, Line]]) -> None:
    """Write back the quantities of lines of locked orders."""
    await _UPDATE_LINES.execute(
        connection, [order_rows.line_quantities_row(key, line) for key, line in lines]
    )


def _order_of(row: Mapping[str, Any]) -> Order:
    return Order(
        shop=row["shop"],
        id=row["order_id"],
        code=row["code"],
        placed_at=row["placed_at"],
        stock=StockStanding(row["stock"]),
        version=row["version"],
        sequence=row["sequence"],
        next_parcel_number=row["next_parcel_number"],
        deleted_at=row["deleted_at"],
    )
