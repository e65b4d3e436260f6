"""All SQL of fulfillment. Each function takes the connection of a unit first and says what it locks.

Row locks are FOR NO KEY UPDATE (foreign keys may still look at the row) and always taken in key sequence; the
callers take them in one sequence of tables: gate, orders, levels (see order/unit.py).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from contracts.fulfillment import CancelShipment, ProofKind, StockStanding
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.fulfillment.order.order import Age, Key, Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line
from services.fulfillment.order.shipment import Receipt, Shipment
from services.fulfillment.order.stock import Claim, Kind, Level, StockPlace

Movement = tuple[StockPlace, UUID | None, int | None, UUID, Kind, int]
"""Place, order id, line, cause, kind, quantity."""

StockChange = tuple[str, UUID, str, str | None]
"""Shop, cause, actor, reason."""

BACKORDERS = "backorders"
"""The kind of the timers that go on trying orders that wait for a SKU."""
_OLDEST: Age = (datetime.min.replace(tzinfo=UTC), UUID(int=0))

_PARCEL = attrgetter(
    "id",
    "number",
    "kind",
    "weight_grams",
    "length_mm",
    "width_mm",
    "height_mm",
    "declared_value_minor",
    "packed_at",
    "packed_by",
)
_SHIPMENT = attrgetter(
    "id",
    "carrier",
    "tracking_number",
    "tracking_url",
    "shipped_on",
    "expected_on",
    "cost_minor",
    "cost_currency",
    "notify_customer",
    "dispatched_at",
    "dispatched_by",
)
CORRECTIONS = ("version", "updated_at", "updated_by", "cancelled_at", "cancelled_by", "cancel_reason")
CORRECTION = attrgetter(*CORRECTIONS)
_QUANTITIES = attrgetter("line", "ordered", "cancelled", "packed", "lost", "shipped", "delivered", "returned")


async def pass_gate(connection: Connection, shops: Iterable[str], alone: set[str]) -> None:
    """Lock the stock gate of these shops until the end of the transaction: alone, or shared with other
    placers.
    """
    names = sorted(shops)
    await connection.execute(
        """
        SELECT CASE WHEN alone THEN pg_advisory_xact_lock(gate) ELSE pg_advisory_xact_lock_shared(gate) END
        FROM (
            SELECT hashtextextended('fulfillment.stock.' || shop, 0) AS gate, bool_or(alone) AS alone
            FROM unnest($1::text[], $2::boolean[]) AS asked (shop, alone)
            GROUP BY gate ORDER BY gate OFFSET 0
        ) AS gates
        """,
        names,
        [shop in alone for shop in names],
    )


async def read_orders_missing(
    connection: Connection, skus: Iterable[tuple[str, str]], after: Age | None, most: int
) -> dict[str, list[Age]]:
    """The oldest orders, so many of each shop, that wait for one of these (shop, SKU), oldest first; those older than
    `after` and itself are left out. Locks nothing: the gate keeps new ones away.
    """
    shops, names = zip(*skus, strict=True)
    rows = await connection.fetch(
        """
        SELECT waiting.*
        FROM (
            SELECT shop, array_agg(sku) AS skus FROM unnest($1::text[], $2::text[]) AS asked (shop, sku) GROUP BY shop
        ) AS raised
        CROSS JOIN LATERAL (
            SELECT shop, placed_at, order_id FROM fulfilment_order AS one
            WHERE one.shop = raised.shop AND stock = 'missing' AND (placed_at, order_id) > ($3, $4::uuid)
              AND EXISTS (
                  SELECT FROM order_line AS line
                  WHERE line.shop = one.shop AND line.order_id = one.order_id AND kind = 'ship'
                    AND sku = ANY (raised.skus) OFFSET 0)
            ORDER BY placed_at, order_id LIMIT $5
        ) AS waiting
        """,
        shops,
        names,
        *(after or _OLDEST),
        most,
    )
    found: dict[str, list[Age]] = {}
    for row in rows:
        found.setdefault(row["shop"], []).append((row["placed_at"], row["order_id"]))
    return found


async def lock_orders(connection: Connection, keys: Iterable[Key]) -> dict[Key, Order]:
    """The orders that exist among these, without lines and parcels. Locks their rows by (shop, order id)."""
    rows = await connection.fetch(
        """
        SELECT shop, order_id, code, placed_at, stock, version, sequence, next_parcel_number, deleted_at
        FROM fulfilment_order JOIN unnest($1::text[], $2::uuid[]) AS asked (shop, order_id) USING (shop,
                                          order_id)
        ORDER BY shop, order_id FOR NO KEY UPDATE OF fulfilment_order
        """,
        *_key_arrays(keys),
    )
    orders = [_order_of(row) for row in rows]
    return {order.key: order for order in orders}


async def read_orders(connection: Connection, shop: str, order_ids: Iterable[UUID]) -> list[Order]:
    """The orders that exist among these with everything of them, the oldest first.

    Locks nothing; for showing, in a transaction of one snapshot.
    """
    rows = await connection.fetch(
        """
        SELECT shop, order_id, code, placed_at, stock, version, sequence, next_parcel_number, deleted_at
        FROM fulfilment_order WHERE shop = $1 AND order_id = ANY($2::uuid[]) ORDER BY placed_at, order_id
        """,
        shop,
        list(order_ids),
    )
    orders = {order.key: order for order in map(_order_of, rows)}
    if orders:
        for read in (read_lines, read_parcels, read_shipments, read_claims):
            await read(connection, orders)
    return list(orders.values())


async def read_levels(connection: Connection, shop: str, skus: Iterable[str]) -> dict[StockPlace, Level]:
    """The levels of some SKUs of a shop, at every location. Locks nothing; for showing."""
    rows = await connection.fetch(
        """
        SELECT shop, sku, location, on_hand, reserved FROM stock_level
        WHERE shop = $1 AND sku = ANY($2::text[]) ORDER BY sku, location
        """,
        shop,
        list(skus),
    )
    return {
        StockPlace(shop, sku, location): Level(on_hand, reserved)
        for shop, sku, location, on_hand, reserved in rows
    }


async def read_lines(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the lines of locked orders."""
    rows = await connection.fetch(
        """
        SELECT shop, order_id, line, kind, sku, ordered, cancelled, packed, lost, shipped, delivered, returned
        FROM order_line JOIN unnest($1::text[], $2::uuid[]) AS asked (shop, order_id) USING (shop, order_id)
        """,
        *_key_arrays(orders),
    )
    for shop, order_id, *values in rows:
        line = Line(*values)
        orders[shop, order_id].lines[line.line] = line


async def read_claims(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in what locked orders hold of the stock."""
    rows = await connection.fetch(
        """
        SELECT shop, order_id, line, sku, location, taken, released, shipped, written_off, restocked
        FROM reservation JOIN unnest($1::text[], $2::uuid[]) AS asked (shop, order_id) USING (shop, order_id)
        """,
        *_key_arrays(orders),
    )
    for shop, order_id, line, sku, location, *values in rows:
        orders[shop, order_id].claims[line, StockPlace(shop, sku, location)] = Claim(*values)


async def read_parcels(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the parcels of locked orders."""
    rows = await connection.fetch(
        """
        SELECT shop, order_id, parcel_id, number, lines, quantities, kind, weight_grams, length_mm, width_mm,
               height_mm, declared_value_minor, packed_at, packed_by, unpacked_at, unpacked_by, lost_at, lost_by,
               lost_reason
        FROM parcel JOIN unnest($1::text[], $2::uuid[]) AS asked (shop, order_id) USING (shop, order_id)
        CROSS JOIN LATERAL (
            SELECT array_agg(line ORDER BY line) AS lines, array_agg(quantity ORDER BY line) AS quantities
            FROM parcel_line AS inside
            WHERE (inside.shop, inside.order_id, inside.parcel_id) = (parcel.shop, parcel.order_id,
            parcel.parcel_id)
        ) AS contents
        """,
        *_key_arrays(orders),
    )
    for shop, order_id, parcel_id, number, lines, quantities, *values in rows:
        units = dict(zip(lines, quantities, strict=True))
        orders[shop, order_id].parcels[parcel_id] = Parcel(parcel_id, number, units, *values)


async def read_shipments(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in the shipments of locked orders, with their receipts."""
    rows = await connection.fetch(
        """
        SELECT shop, order_id, shipment_id, parcel_ids, version, updated_at, updated_by, cancelled_at,
               cancelled_by, cancel_reason, carrier, tracking_number, tracking_url, shipped_on,
               expected_on, cost_minor, cost_currency, notify_customer, dispatched_at, dispatched_by,
               delivered_at, proof, proof_reference, recorded_at, recorded_by
        FROM shipment JOIN unnest($1::text[], $2::uuid[]) AS asked (shop, order_id) USING (shop, order_id)
        CROSS JOIN LATERAL (
            SELECT array_agg(parcel_id ORDER BY parcel_id) AS parcel_ids FROM shipment_parcel AS inside
            WHERE (inside.shop, inside.order_id, inside.shipment_id)
                = (shipment.shop, shipment.order_id, shipment.shipment_id)
        ) AS contents
        """,
        *_key_arrays(orders),
    )
    for shop, order_id, shipment_id, parcel_ids, *values in rows:
        corrections, told = values[: len(CORRECTIONS)], values[len(CORRECTIONS) :]
        shipment = Shipment(shipment_id, tuple(parcel_ids), *told[:-5])
        corrected = dict(zip(CORRECTIONS, corrections, strict=True))
        shipment = replace(shipment, receipt=_receipt_of(*told[-5:]), **corrected)
        orders[shop, order_id].shipments[shipment_id] = shipment


async def read_shipped(connection: Connection, commands: Sequence[CancelShipment]) -> list[Movement]:
    """The movements by which these shipments left. Locks nothing: a movement never changes."""
    rows = await connection.fetch(
        """
        SELECT shop, sku, location, order_id, line, cause, quantity
        FROM stock_movement
        JOIN unnest($1::text[], $2::uuid[], $3::uuid[]) AS asked (shop, order_id, cause) USING (shop, order_id, cause)
        WHERE kind = 'ship' ORDER BY line, sku, location
        """,
        *zip(*{(one.shop, one.order_id, one.shipment_id) for one in commands}, strict=True),
    )
    return [
        (StockPlace(shop, sku, location), order_id, line, cause, Kind.SHIP, quantity)
        for shop, sku, location, order_id, line, cause, quantity in rows
    ]


async def lock_levels(
    connection: Connection, skus: Iterable[tuple[str, str]]
) -> tuple[dict[StockPlace, Level], dict[tuple[str, str], Age]]:
    """The levels of these (shop, SKU) at every location, and up to which age orders that wait were tried, where a timer
    goes on with younger ones (not one that failed and rests). Locks the levels by (shop, SKU, location).
    """
    shops, names = zip(*skus, strict=True)
    rows = await connection.fetch(
        """
        SELECT shop, sku, location, on_hand, reserved, (
            SELECT timer.payload ->> 'after' FROM msg.timer AS timer
            WHERE timer.kind = $3 AND timer.key = shop || ' ' || sku AND timer.due_at < now() + interval '5 seconds')
        FROM stock_level JOIN unnest($1::text[], $2::text[]) AS asked (shop, sku) USING (shop, sku)
        ORDER BY shop, sku, location FOR NO KEY UPDATE OF stock_level
        """,
        shops,
        names,
        BACKORDERS,
    )
    levels, tried_to = {}, {}
    for shop, sku, location, on_hand, reserved, after in rows:
        levels[StockPlace(shop, sku, location)] = Level(on_hand, reserved)
        if after is not None:
            tried_to[shop, sku] = age_in(json.loads(after))
    return levels, tried_to


def timer_key(shop: str, sku: str) -> str:
    """The key of the timer that goes on trying orders that wait for a SKU, as `lock_levels` looks for it."""
    return f"{shop} {sku}"


def age_in(after: Sequence[str]) -> Age:
    """An age as a timer's payload has it."""
    return datetime.fromisoformat(after[0]), UUID(after[1])


async def insert_orders(connection: Writer, orders: Sequence[Order]) -> None:
    """Write new orders with their lines."""
    heads = [
        (o.shop, o.id, o.code, o.placed_at, o.stock.value, o.version, o.sequence, o.next_parcel_number)
        for o in orders
    ]
    await connection.execute(
        """
        INSERT INTO fulfilment_order (shop, order_id, code, placed_at, stock, version, sequence,
                                      next_parcel_number)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::int[],
                             $7::int[], $8::int[])
        """,
        *zip(*heads, strict=True),
    )
    lines = [
        (o.shop, o.id, line.kind, line.sku, *_QUANTITIES(line)) for o in orders for line in o.lines.values()
    ]
    await connection.execute(
        """
        INSERT INTO order_line (shop, order_id, kind, sku, line, ordered, cancelled, packed, lost, shipped,
                                delivered, returned)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[],
                             $8::int[], $9::int[], $10::int[], $11::int[], $12::int[])
        """,
        *zip(*lines, strict=True),
    )


async def update_orders(connection: Writer, orders: Iterable[Order]) -> None:
    """Write back locked orders: standing, version, sequence, next parcel number."""
    rows = [(o.shop, o.id, o.stock.value, o.version, o.sequence, o.next_parcel_number) for o in orders]
    await connection.execute(
        """
        UPDATE fulfilment_order SET stock = new.stock, version = new.version, sequence = new.sequence,
               next_parcel_number = new.next_parcel_number
        FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::int[])
          AS new (shop, order_id, stock, version, sequence, next_parcel_number)
        WHERE (fulfilment_order.shop, fulfilment_order.order_id) = (new.shop, new.order_id)
        """,
        *zip(*rows, strict=True),
    )


async def update_lines(connection: Writer, lines: Iterable[tuple[Key, Line]]) -> None:
    """Write back the quantities of lines of locked orders."""
    rows = [(*key, *_QUANTITIES(line)) for key, line in lines]
    await connection.execute(
        """
        UPDATE order_line SET ordered = new.ordered, cancelled = new.cancelled, packed = new.packed,
               lost = new.lost, shipped = new.shipped, delivered = new.delivered, returned = new.returned
        FROM unnest($1::text[], $2::uuid[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
                    $9::int[], $10::int[])
          AS new (shop, order_id, line, ordered, cancelled, packed, lost, shipped, delivered, returned)
        WHERE (order_line.shop, order_line.order_id, order_line.line) = (new.shop, new.order_id, new.line)
        """,
        *zip(*rows, strict=True),
    )


async def write_levels(connection: Writer, levels: Mapping[StockPlace, Level]) -> None:
    """Write locked levels, and new ones (which only whoever passed the gate alone may make)."""
    rows = [(*place, level.on_hand, level.reserved) for place, level in levels.items()]
    await connection.execute(
        """
        INSERT INTO stock_level (shop, sku, location, on_hand, reserved)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[])
        ON CONFLICT (shop, sku, location) DO UPDATE SET on_hand = excluded.on_hand,
               reserved = excluded.reserved
        """,
        *zip(*rows, strict=True),
    )


async def write_claims(connection: Writer, claims: Iterable[tuple[Key, int, StockPlace, Claim]]) -> None:
    """Write what order lines took from levels and what came of it."""
    rows = [
        (*key, line, place.sku, place.location, c.taken, c.released, c.shipped, c.written_off, c.restocked)
        for key, line, place, c in claims
    ]
    await connection.execute(
        """
        INSERT INTO reservation (shop, order_id, line, sku, location, taken, released, shipped, written_off,
                                 restocked)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::int[], $7::int[],
                             $8::int[], $9::int[], $10::int[])
        ON CONFLICT (shop, order_id, line, location) DO UPDATE SET taken = excluded.taken,
               released = excluded.released, shipped = excluded.shipped, written_off = excluded.written_off,
               restocked = excluded.restocked
        """,
        *zip(*rows, strict=True),
    )


async def insert_movements(connection: Writer, movements: Iterable[Movement], moved_at: datetime) -> None:
    """Write why levels moved. The same movement twice is refused by the database, and the unit with it."""
    rows = [
        (*place, order_id, line, cause, kind.value, n) for place, order_id, line, cause, kind, n in movements
    ]
    await connection.execute(
        """
        INSERT INTO stock_movement (shop, sku, location, order_id, line, cause, kind, quantity, moved_at)
        SELECT *, $9::timestamptz
        FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::uuid[], $7::text[],
                    $8::int[])
        """,
        *zip(*rows, strict=True),
        moved_at,
    )


async def read_stock_changes(
    connection: Connection, keys: Sequence[tuple[str, UUID]]
) -> set[tuple[str, UUID]]:
    """Those of these (shop, cause) that changed stock already. Locks nothing: whoever asks passed the gate alone."""
    rows = await connection.fetch(
        """
        SELECT shop, cause FROM stock_change JOIN unnest($1::text[], $2::uuid[]) AS asked (shop, cause)
             USING (shop, cause)
        """,
        *zip(*keys, strict=True),
    )
    return {(row["shop"], row["cause"]) for row in rows}


async def insert_stock_changes(connection: Writer, changes: Sequence[StockChange]) -> None:
    """Write who changed stock, and why."""
    await connection.execute(
        """
        INSERT INTO stock_change (shop, cause, actor, reason)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
        """,
        *zip(*changes, strict=True),
    )


async def insert_parcels(connection: Writer, parcels: Sequence[tuple[Key, Parcel]]) -> None:
    """Write new parcels with their contents."""
    heads = [(*key, *_PARCEL(parcel)) for key, parcel in parcels]
    await connection.execute(
        """
        INSERT INTO parcel (shop, order_id, parcel_id, number, kind, weight_grams, length_mm, width_mm,
                            height_mm, declared_value_minor, packed_at, packed_by)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::int[], $7::int[],
                             $8::int[], $9::int[], $10::bigint[], $11::timestamptz[], $12::text[])
        """,
        *zip(*heads, strict=True),
    )
    contents = [(*key, p.id, line, quantity) for key, p in parcels for line, quantity in p.units.items()]
    await connection.execute(
        """
        INSERT INTO parcel_line (shop, order_id, parcel_id, line, quantity)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::int[], $5::int[])
        """,
        *zip(*contents, strict=True),
    )


async def insert_shipments(connection: Writer, shipments: Sequence[tuple[Key, Shipment]]) -> None:
    """Write new shipments with their parcels, and their receipts when they are here already."""
    heads = [(*key, *_SHIPMENT(s), *_receipt(s), *CORRECTION(s)) for key, s in shipments]
    await connection.execute(
        """
        INSERT INTO shipment (shop, order_id, shipment_id, carrier, tracking_number, tracking_url, shipped_on,
                              expected_on, cost_minor, cost_currency, notify_customer, dispatched_at,
                              dispatched_by, delivered_at, proof, proof_reference, recorded_at, recorded_by,
                              version, updated_at, updated_by, cancelled_at, cancelled_by, cancel_reason)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                             $7::date[], $8::date[], $9::bigint[], $10::text[], $11::boolean[],
                             $12::timestamptz[], $13::text[], $14::timestamptz[], $15::text[], $16::text[],
                             $17::timestamptz[], $18::text[], $19::int[], $20::timestamptz[], $21::text[],
                             $22::timestamptz[], $23::text[], $24::text[])
        """,
        *zip(*heads, strict=True),
    )
    contents = [(*key, s.id, parcel_id, not s.stands) for key, s in shipments for parcel_id in s.parcel_ids]
    await connection.execute(
        """
        INSERT INTO shipment_parcel (shop, order_id, shipment_id, parcel_id, is_cancelled)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::boolean[])
        """,
        *zip(*contents, strict=True),
    )


async def update_receipts(connection: Writer, shipments: Iterable[tuple[Key, Shipment]]) -> None:
    """Write the receipts of shipments of locked orders."""
    rows = [(*key, s.id, *_receipt(s)) for key, s in shipments]
    await connection.execute(
        """
        UPDATE shipment SET delivered_at = new.delivered_at, proof = new.proof,
               proof_reference = new.proof_reference, recorded_at = new.recorded_at,
               recorded_by = new.recorded_by
        FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[],
                    $7::timestamptz[], $8::text[])
          AS new (shop, order_id, shipment_id, delivered_at, proof, proof_reference, recorded_at, recorded_by)
        WHERE (shipment.shop, shipment.order_id, shipment.shipment_id)
            = (new.shop, new.order_id, new.shipment_id)
        """,
        *zip(*rows, strict=True),
    )


def _key_arrays(keys: Iterable[Key]) -> tuple[list[str], list[UUID]]:
    pairs = list(keys)
    return [shop for shop, _ in pairs], [order_id for _, order_id in pairs]


def _receipt(shipment: Shipment) -> tuple[object, ...]:
    receipt = shipment.receipt
    if receipt is None:
        return (None,) * 5
    return (
        receipt.delivered_at,
        receipt.proof.value,
        receipt.proof_reference,
        receipt.recorded_at,
        receipt.recorded_by,
    )


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
