"""SQL of the lists that the back office shows; nothing here locks anything.

Levels are sorted by availability without an index: an index on a number that every sale changes would make
every sale slower, and a shop has thousands of SKUs, not millions. Whether a SKU is low depends on all its levels.
"""

from collections.abc import Mapping
from collections.abc import Sequence as Items
from enum import StrEnum
from typing import Any

from services.chassis.storage.database import Connection
from services.fulfillment.order.low_stock.thresholds import DEFAULT_THRESHOLD

Row = Mapping[str, Any]
Key = Items[str | int]


class Sequence(StrEnum):
    """Sort order of levels."""

    AVAILABLE = "available"
    SKU = "sku"


_LEVELS = """
    SELECT sku, location, on_hand, reserved, available, threshold, is_low FROM (
        SELECT l.sku, l.location, l.on_hand, l.reserved, l.on_hand - l.reserved AS available, t.threshold,
               sum(l.on_hand - l.reserved) OVER (PARTITION BY l.sku) <= coalesce(t.threshold, $10) AS is_low
        FROM stock_level AS l LEFT JOIN stock_threshold AS t USING (shop, sku)
        WHERE l.shop = $1 AND l.sku ILIKE $2
    ) AS level
    WHERE ($3::text IS NULL OR location = $3) AND ($4::int IS NULL OR available <= $4) AND (is_low OR NOT $9)
    """
"""`is_low` is the rule of low_stock/thresholds.py; a test compares both."""
_PAGES = {
    Sequence.AVAILABLE: f"""{_LEVELS}
        AND ($5::int IS NULL OR (available, sku, location) > ($5, $6::text, $7::text))
        ORDER BY available, sku, location LIMIT $8
        """,
    Sequence.SKU: f"""{_LEVELS}
        AND ($5::int IS NULL OR (sku, location) > ($6::text, $7::text))
        ORDER BY sku, location LIMIT $8
        """,
}


async def read_level_page(
    connection: Connection,
    shop: str,
    text: str,
    location: str | None,
    at_most: int | None,
    sequence: Sequence,
    after: Key | None,
    limit: int,
    *,
    only_low: bool = False,
) -> list[Row]:
    """Return levels whose SKU contains `text`, with at most this many available, or of low SKUs only; `after`:
    (available, SKU, location).
    """
    pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return await connection.fetch(
        _PAGES[sequence],
        shop,
        pattern,
        location,
        at_most,
        *(after or (None, None, None)),
        limit,
        only_low,
        DEFAULT_THRESHOLD,
    )


async def read_locations(connection: Connection, shop: str) -> list[str]:
    """Return the locations of a shop's levels, by name."""
    rows = await connection.fetch(
        "SELECT DISTINCT location FROM stock_level WHERE shop = $1 ORDER BY location", shop
    )
    return [row["location"] for row in rows]


async def read_movement_page(
    connection: Connection,
    shop: str,
    sku: str,
    location: str | None,
    after: Key | None,
    limit: int,
) -> list[Row]:
    """Return the movements of a SKU's levels, newest first; `after`: (microseconds since 1970, cause, kind,
    line, location).

    `actor` is the person who adjusted the stock or handed the shipment over; null for reservations.
    """
    return await connection.fetch(
        """
        WITH page AS (
            SELECT *, (extract(epoch FROM moved_at) * 1000000)::bigint AS at FROM stock_movement
            WHERE shop = $1 AND sku = $2 AND ($3::text IS NULL OR location = $3)
              AND ($4::bigint IS NULL OR moved_at <= timestamptz 'epoch' + $4 * interval '1 microsecond'
                   AND ((extract(epoch FROM moved_at) * 1000000)::bigint, cause::text, kind, coalesce(line, 0),
                        location) < ($4, $5, $6, $7, $8))
            ORDER BY moved_at DESC, cause::text DESC, kind DESC, coalesce(line, 0) DESC, location DESC LIMIT $9
        )
        SELECT page.*, placed.code, coalesce(changed.actor, shipment.dispatched_by) AS actor, changed.reason
        FROM page
        LEFT JOIN fulfilment_order AS placed USING (shop, order_id)
        LEFT JOIN stock_change AS changed ON changed.shop = page.shop AND changed.cause = page.cause
        LEFT JOIN shipment ON shipment.shop = page.shop AND shipment.order_id = page.order_id
            AND shipment.shipment_id = page.cause
        ORDER BY page.moved_at DESC, page.cause::text DESC, page.kind DESC, coalesce(page.line, 0) DESC,
                 page.location DESC
        """,
        shop,
        sku,
        location,
        *(after or (None, None, None, None, None)),
        limit,
    )
