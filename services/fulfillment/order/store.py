"""All SQL of fulfillment: each function takes the connection of a unit first, and its docstring names its
locks.

Row locks are FOR NO KEY UPDATE (foreign keys may still read the row) and always taken in key order; the
callers lock tables in one order: gate, orders, levels (see order/unit.py).
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from contracts.fulfillment import ProofKind, StockStanding
from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.fulfillment.order import rows
from services.fulfillment.order.order import Age, Key, Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line
from services.fulfillment.order.rows import (
    ClaimRow,
    LevelRow,
    LineQuantitiesRow,
    Movement,
    NewLineRow,
    OrderPositionRow,
    OrderRow,
    ParcelLineRow,
    ParcelRow,
    ReceiptRow,
    ShipmentParcelRow,
    ShipmentRow,
    StockChange,
)
from services.fulfillment.order.shipment import Receipt, Shipment
from services.fulfillment.order.stock import Claim, Kind, Level, StockPlace

BACKORDERS = "backorders"
"""The kind of the timers that retry orders that wait for a SKU."""
_OLDEST: Age = (datetime.min.replace(tzinfo=UTC), UUID(int=0))

CORRECTIONS = ("version", "updated_at", "updated_by", "cancelled_at", "cancelled_by", "cancel_reason")


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


async def pass_gate(connection: Connection, shops: Iterable[str], alone: set[str]) -> None:
    """Lock the stock gate of these shops until the end of the transaction: exclusively, or shared with other
    placements.
    """
    await _PASS_GATE.execute(connection, [(shop, shop in alone) for shop in sorted(shops)])


_READ_ORDERS_MISSING = Bulk(
    tuple[str, str],
    """
    SELECT waiting.*
    FROM (
        SELECT shop, array_agg(sku) AS skus FROM {rows} AS asked (shop, sku) GROUP BY shop
    ) AS raised
    CROSS JOIN LATERAL (
        SELECT shop, placed_at, order_id FROM fulfilment_order AS one
        WHERE one.shop = raised.shop AND stock = 'missing' AND (placed_at, order_id) > ({placed_at}, {order_id}::uuid)
          AND EXISTS (
              SELECT FROM order_line AS line
              WHERE line.shop = one.shop AND line.order_id = one.order_id AND kind = 'ship'
                AND sku = ANY (raised.skus) OFFSET 0)
        ORDER BY placed_at, order_id LIMIT {most}
    ) AS waiting
    """,
)


async def read_orders_missing(
    connection: Connection, skus: Iterable[tuple[str, str]], after: Age | None, most: int
) -> dict[str, list[Age]]:
    """Return the oldest orders, so many of each shop, that wait for one of these (shop, SKU), oldest first;
    orders up to and including `after` are left out. Locks nothing: the gate prevents new ones.
    """
    placed_at, order_id = after or _OLDEST
    waiting = await _READ_ORDERS_MISSING.fetch(
        connection, list(skus), placed_at=placed_at, order_id=order_id, most=most
    )
    found: dict[str, list[Age]] = {}
    for row in waiting:
        found.setdefault(row["shop"], []).append((row["placed_at"], row["order_id"]))
    return found


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


async def read_levels(connection: Connection, shop: str, skus: Iterable[str]) -> dict[StockPlace, Level]:
    """Return the levels of some SKUs of a shop, at every location. Locks nothing; for display."""
    found = await connection.fetch(
        """
        SELECT shop, sku, location, on_hand, reserved FROM stock_level
        WHERE shop = $1 AND sku = ANY($2::text[]) ORDER BY sku, location
        """,
        shop,
        list(skus),
    )
    return {
        StockPlace(shop, sku, location): Level(on_hand, reserved)
        for shop, sku, location, on_hand, reserved in found
    }


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


_READ_CLAIMS = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, order_id, line, sku, location, taken, released, shipped, written_off, restocked
    FROM reservation JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    """,
)


async def read_claims(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the claims of locked orders on stock."""
    found = await _READ_CLAIMS.fetch(connection, orders)
    for shop, order_id, line, sku, location, *values in found:
        orders[shop, order_id].claims[line, StockPlace(shop, sku, location)] = Claim(*values)


_READ_PARCELS = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, order_id, parcel_id, number, lines, quantities, kind, weight_grams, length_mm, width_mm,
           height_mm, declared_value_minor, packed_at, packed_by, unpacked_at, unpacked_by, lost_at, lost_by,
           lost_reason
    FROM parcel JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    CROSS JOIN LATERAL (
        SELECT array_agg(line ORDER BY line) AS lines, array_agg(quantity ORDER BY line) AS quantities
        FROM parcel_line AS inside
        WHERE (inside.shop, inside.order_id, inside.parcel_id) = (parcel.shop, parcel.order_id,
        parcel.parcel_id)
    ) AS contents
    """,
)


async def read_parcels(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the parcels of locked orders."""
    found = await _READ_PARCELS.fetch(connection, orders)
    for shop, order_id, parcel_id, number, lines, quantities, *values in found:
        units = dict(zip(lines, quantities, strict=True))
        orders[shop, order_id].parcels[parcel_id] = Parcel(parcel_id, number, units, *values)


_READ_SHIPMENTS = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, order_id, shipment_id, parcel_ids, version, updated_at, updated_by, cancelled_at,
           cancelled_by, cancel_reason, carrier, tracking_number, tracking_url, shipped_on,
           expected_on, cost_minor, cost_currency, notify_customer, dispatched_at, dispatched_by,
           delivered_at, proof, proof_reference, recorded_at, recorded_by
    FROM shipment JOIN {rows} AS asked (shop, order_id) USING (shop, order_id)
    CROSS JOIN LATERAL (
        SELECT array_agg(parcel_id ORDER BY parcel_id) AS parcel_ids FROM shipment_parcel AS inside
        WHERE (inside.shop, inside.order_id, inside.shipment_id)
            = (shipment.shop, shipment.order_id, shipment.shipment_id)
    ) AS contents
    """,
)


async def read_shipments(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the shipments of locked orders, with their receipts."""
    found = await _READ_SHIPMENTS.fetch(connection, orders)
    for shop, order_id, shipment_id, parcel_ids, *values in found:
        corrections, told = values[: len(CORRECTIONS)], values[len(CORRECTIONS) :]
        shipment = Shipment(shipment_id, tuple(parcel_ids), *told[:-5])
        corrected = dict(zip(CORRECTIONS, corrections, strict=True))
        shipment = replace(shipment, receipt=_receipt_of(*told[-5:]), **corrected)
        orders[shop, order_id].shipments[shipment_id] = shipment


_READ_SHIPPED = Bulk(
    tuple[str, UUID, UUID],
    """
    SELECT shop, sku, location, order_id, line, cause, quantity
    FROM stock_movement
    JOIN {rows} AS asked (shop, order_id, cause) USING (shop, order_id, cause)
    WHERE kind = 'ship' ORDER BY line, sku, location
    """,
)


async def read_shipped(
    connection: Connection, shipments: Collection[tuple[str, UUID, UUID]]
) -> list[Movement]:
    """Return the movements by which these shipments (shop, order, shipment) left. Locks nothing: a movement
    never changes.
    """
    found = await _READ_SHIPPED.fetch(connection, shipments)
    return [
        Movement(shop, sku, location, order_id, line, cause, Kind.SHIP, quantity)
        for shop, sku, location, order_id, line, cause, quantity in found
    ]


_LOCK_LEVELS = Bulk(
    tuple[str, str],
    """
    SELECT shop, sku, location, on_hand, reserved, (
        SELECT timer.payload ->> 'after' FROM msg.timer AS timer
        WHERE timer.kind = {kind} AND timer.key = shop || ' ' || sku AND timer.due_at < now() + interval '5 seconds')
    FROM stock_level JOIN {rows} AS asked (shop, sku) USING (shop, sku)
    ORDER BY shop, sku, location FOR NO KEY UPDATE OF stock_level
    """,
)


async def lock_levels(
    connection: Connection, skus: Iterable[tuple[str, str]]
) -> tuple[dict[StockPlace, Level], dict[tuple[str, str], Age]]:
    """Return the levels of these (shop, SKU) at every location, and up to which age waiting orders were
    tried, where a timer goes on with younger ones (not a failed timer that is paused). Locks the levels by
    (shop, SKU, location).
    """
    found = await _LOCK_LEVELS.fetch(connection, list(skus), kind=BACKORDERS)
    levels, tried_to = {}, {}
    for shop, sku, location, on_hand, reserved, after in found:
        levels[StockPlace(shop, sku, location)] = Level(on_hand, reserved)
        if after is not None:
            tried_to[shop, sku] = age_in(json.loads(after))
    return levels, tried_to


def timer_key(shop: str, sku: str) -> str:
    """Return the key of the timer that retries orders that wait for a SKU, as `lock_levels` looks it up."""
    return f"{shop} {sku}"


def age_in(after: Sequence[str]) -> Age:
    """Return the age in a timer's payload."""
    return datetime.fromisoformat(after[0]), UUID(after[1])


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
    await _INSERT_ORDERS.execute(connection, [rows.order_row(order) for order in orders])
    lines = [rows.new_line_row(order.key, line) for order in orders for line in order.lines.values()]
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
    await _UPDATE_ORDERS.execute(connection, [rows.order_position_row(order) for order in orders])


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
    await _UPDATE_LINES.execute(connection, [rows.line_quantities_row(key, line) for key, line in lines])


_WRITE_LEVELS = Bulk(
    LevelRow,
    """
    INSERT INTO stock_level ({columns})
    SELECT * FROM {rows}
    ON CONFLICT (shop, sku, location) DO UPDATE SET on_hand = excluded.on_hand,
           reserved = excluded.reserved
    """,
)


async def write_levels(connection: Writer, levels: Mapping[StockPlace, Level]) -> None:
    """Write locked levels, and new ones (which only a holder of the exclusive gate may create)."""
    await _WRITE_LEVELS.execute(
        connection,
        [LevelRow(*place, on_hand=level.on_hand, reserved=level.reserved) for place, level in levels.items()],
    )


_WRITE_CLAIMS = Bulk(
    ClaimRow,
    """
    INSERT INTO reservation ({columns})
    SELECT * FROM {rows}
    ON CONFLICT (shop, order_id, line, location) DO UPDATE SET taken = excluded.taken,
           released = excluded.released, shipped = excluded.shipped, written_off = excluded.written_off,
           restocked = excluded.restocked
    """,
)


async def write_claims(connection: Writer, claims: Iterable[tuple[Key, int, StockPlace, Claim]]) -> None:
    """Write the units order lines took from levels and their outcome."""
    await _WRITE_CLAIMS.execute(connection, [rows.claim_row(*one) for one in claims])


_INSERT_MOVEMENTS = Bulk(
    Movement,
    """
    INSERT INTO stock_movement ({columns}, moved_at)
    SELECT *, {moved_at}::timestamptz FROM {rows}
    """,
)


async def insert_movements(connection: Writer, movements: Sequence[Movement], moved_at: datetime) -> None:
    """Write the movements of levels. The database rejects a duplicate movement, and the unit fails with it."""
    await _INSERT_MOVEMENTS.execute(connection, movements, moved_at=moved_at)


_READ_STOCK_CHANGES = Bulk(
    tuple[str, UUID],
    """
    SELECT shop, cause FROM stock_change JOIN {rows} AS asked (shop, cause)
         USING (shop, cause)
    """,
)


async def read_stock_changes(
    connection: Connection, keys: Sequence[tuple[str, UUID]]
) -> set[tuple[str, UUID]]:
    """Return those of these (shop, cause) that already changed stock. Locks nothing: the caller holds the
    exclusive gate.
    """
    found = await _READ_STOCK_CHANGES.fetch(connection, keys)
    return {(row["shop"], row["cause"]) for row in found}


_INSERT_STOCK_CHANGES = Bulk(
    StockChange,
    """
    INSERT INTO stock_change ({columns})
    SELECT * FROM {rows}
    """,
)


async def insert_stock_changes(connection: Writer, changes: Sequence[StockChange]) -> None:
    """Write who changed stock, and why."""
    await _INSERT_STOCK_CHANGES.execute(connection, changes)


_INSERT_PARCELS = Bulk(
    ParcelRow,
    """
    INSERT INTO parcel ({columns})
    SELECT * FROM {rows}
    """,
)


_INSERT_CONTENTS = Bulk(
    ParcelLineRow,
    """
    INSERT INTO parcel_line ({columns})
    SELECT * FROM {rows}
    """,
)


async def insert_parcels(connection: Writer, parcels: Sequence[tuple[Key, Parcel]]) -> None:
    """Write new parcels with their contents."""
    await _INSERT_PARCELS.execute(connection, [rows.parcel_row(key, parcel) for key, parcel in parcels])
    contents = [
        ParcelLineRow(*key, parcel_id=parcel.id, line=line, quantity=quantity)
        for key, parcel in parcels
        for line, quantity in parcel.units.items()
    ]
    await _INSERT_CONTENTS.execute(connection, contents)


_INSERT_SHIPMENTS = Bulk(
    ShipmentRow,
    """
    INSERT INTO shipment ({columns})
    SELECT * FROM {rows}
    """,
)


_INSERT_SHIPMENT_PARCELS = Bulk(
    ShipmentParcelRow,
    """
    INSERT INTO shipment_parcel ({columns})
    SELECT * FROM {rows}
    """,
)


async def insert_shipments(connection: Writer, shipments: Sequence[tuple[Key, Shipment]]) -> None:
    """Write new shipments with their parcels, and with their receipts if already known."""
    await _INSERT_SHIPMENTS.execute(connection, [rows.shipment_row(key, one) for key, one in shipments])
    contents = [
        ShipmentParcelRow(*key, shipment_id=one.id, parcel_id=parcel_id, is_cancelled=not one.stands)
        for key, one in shipments
        for parcel_id in one.parcel_ids
    ]
    await _INSERT_SHIPMENT_PARCELS.execute(connection, contents)


_UPDATE_RECEIPTS = Bulk(
    ReceiptRow,
    """
    UPDATE shipment SET delivered_at = new.delivered_at, proof = new.proof,
           proof_reference = new.proof_reference, recorded_at = new.recorded_at,
           recorded_by = new.recorded_by
    FROM {rows} AS new ({columns})
    WHERE (shipment.shop, shipment.order_id, shipment.shipment_id)
        = (new.shop, new.order_id, new.shipment_id)
    """,
)


async def update_receipts(connection: Writer, shipments: Iterable[tuple[Key, Shipment]]) -> None:
    """Write the receipts of shipments of locked orders."""
    await _UPDATE_RECEIPTS.execute(connection, [rows.receipt_row(key, one) for key, one in shipments])


def _receipt_of(delivered_at: datetime | None, proof: str, *values: Any) -> Receipt | None:
    return None if delivered_at is None else Receipt(delivered_at, ProofKind(proof), *values)


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
