"""SQL of stock: levels, claims, movements, and the orders that wait for a SKU.

Each function takes the connection of a unit first, and its docstring names its locks; see order_store.py
on their order.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.fulfillment.order.order import Age, Key, Order
from services.fulfillment.order.stock import Claim, Kind, Level, StockPlace
from services.fulfillment.order.unit import stock_rows
from services.fulfillment.order.unit.stock_rows import ClaimRow, LevelRow, Movement, StockChange

BACKORDERS = "backorders"
"""The kind of the timers that retry orders that wait for a SKU."""
_OLDEST: Age = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


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
    """Return the oldest orders, this many of each shop, that wait for one of these (shop, SKU), oldest first;
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


async def read_thresholds(connection: Connection, shop: str, skus: Iterable[str]) -> dict[str, int]:
    """Return the thresholds of those of a shop's SKUs that have one. Locks nothing; for display."""
    rows = await connection.fetch(
        "SELECT sku, threshold FROM stock_threshold WHERE shop = $1 AND sku = ANY($2::text[])",
        shop,
        list(skus),
    )
    return {row["sku"]: row["threshold"] for row in rows}


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
        WHERE timer.kind = {kind} AND timer.key = shop || ' ' || sku AND timer.due_at < now() + interval '5 seconds'), (
        SELECT threshold FROM stock_threshold AS t WHERE (t.shop, t.sku) = (asked.shop, asked.sku))
    FROM stock_level JOIN {rows} AS asked (shop, sku) USING (shop, sku)
    ORDER BY shop, sku, location FOR NO KEY UPDATE OF stock_level
    """,
)


async def lock_levels(
    connection: Connection, skus: Iterable[tuple[str, str]]
) -> tuple[dict[StockPlace, Level], dict[tuple[str, str], Age], dict[tuple[str, str], int]]:
    """Return the levels of these (shop, SKU) at every location, up to which age waiting orders were tried, where
    a timer goes on with younger ones (not a failed timer that is paused), and the thresholds of those that have
    one. Locks the levels by (shop, SKU, location).
    """
    found = await _LOCK_LEVELS.fetch(connection, list(skus), kind=BACKORDERS)
    levels, tried_to, thresholds = {}, {}, {}
    for shop, sku, location, on_hand, reserved, after, threshold in found:
        levels[StockPlace(shop, sku, location)] = Level(on_hand, reserved)
        if after is not None:
            tried_to[shop, sku] = age_in(json.loads(after))
        if threshold is not None:
            thresholds[shop, sku] = threshold
    return levels, tried_to, thresholds


def timer_key(shop: str, sku: str) -> str:
    """Return the key of the timer that retries orders that wait for a SKU, as `lock_levels` looks it up."""
    return f"{shop} {sku}"


def age_in(after: Sequence[str]) -> Age:
    """Return the age in a timer's payload."""
    return datetime.fromisoformat(after[0]), UUID(after[1])


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
    await _WRITE_CLAIMS.execute(connection, [stock_rows.claim_row(*one) for one in claims])


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
