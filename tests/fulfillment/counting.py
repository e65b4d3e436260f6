"""The stock invariants, looked up in the tables themselves."""

from services.chassis.testing import Desk

_WRONG_LEVELS = """
    SELECT level.*, coalesce(claimed.open, 0) AS claimed, coalesce(moved.on_hand, 0) AS moved
    FROM stock_level AS level
    LEFT JOIN (SELECT shop, sku, location, sum(quantity) AS open FROM reservation GROUP BY 1, 2, 3) AS claimed
        USING (shop, sku, location)
    LEFT JOIN (
        SELECT shop, sku, location,
               sum(CASE kind WHEN 'adjust' THEN quantity WHEN 'restock' THEN quantity WHEN 'unship' THEN quantity
                             WHEN 'ship' THEN -quantity
                             WHEN 'write_off' THEN -quantity ELSE 0 END) AS on_hand
        FROM stock_movement GROUP BY 1, 2, 3
    ) AS moved USING (shop, sku, location)
    WHERE reserved <> coalesce(claimed.open, 0) OR level.on_hand <> coalesce(moved.on_hand, 0)
"""
_WRONG_PARCELS = """
    SELECT order_line.*, inside.* FROM order_line LEFT JOIN (
        SELECT shop, order_id, line, sum(quantity) AS in_parcels
        FROM parcel_line JOIN parcel USING (shop, order_id, parcel_id) WHERE unpacked_at IS NULL GROUP BY 1, 2, 3
    ) AS inside USING (shop, order_id, line)
    WHERE packed <> coalesce(in_parcels, 0)
"""
_WRONG_CLAIMS = """
    SELECT reservation.*, moved.*
    FROM reservation JOIN (
        SELECT shop, order_id, line, location,
               coalesce(sum(quantity) FILTER (WHERE kind IN ('hold', 'reserve')), 0) AS took,
               coalesce(sum(CASE kind WHEN 'ship' THEN quantity WHEN 'unship' THEN -quantity END), 0) AS left_house,
               coalesce(sum(quantity) FILTER (WHERE kind = 'release'), 0) AS given_back
        FROM stock_movement WHERE order_id IS NOT NULL GROUP BY 1, 2, 3, 4
    ) AS moved USING (shop, order_id, line, location)
    WHERE taken <> took OR shipped <> left_house OR released <> given_back
"""


async def assert_counts_agree(desk: Desk) -> None:
    """Reserved = Σ open reservations; on hand and reservations = Σ movements; each order all or nothing."""
    assert await desk.fetch(_WRONG_LEVELS) == []
    assert await desk.fetch(_WRONG_CLAIMS) == []
    assert await desk.fetch(_WRONG_PARCELS) == []
    partly = """
        SELECT shop, order_id FROM fulfilment_order JOIN order_line USING (shop, order_id)
        LEFT JOIN (SELECT shop, order_id, line, sum(taken - released) AS held FROM reservation GROUP BY 1, 2, 3)
            AS claimed USING (shop, order_id, line)
        WHERE kind = 'ship' AND sku IS NOT NULL
          AND coalesce(held, 0) <> CASE stock WHEN 'reserved' THEN ordered - cancelled + lost ELSE 0 END
          AND NOT (stock = 'missing' AND lost > 0)
    """
    assert await desk.fetch(partly) == []


async def level_of(desk: Desk, shop: str, sku: str, location: str = "main") -> tuple[int, int] | None:
    """(on hand, reserved) of a SKU, or None when it has no level."""
    query = "SELECT on_hand, reserved FROM stock_level WHERE shop = $1 AND sku = $2 AND location = $3"
    rows = await desk.fetch(query, shop, sku, location)
    return (rows[0]["on_hand"], rows[0]["reserved"]) if rows else None
