"""Stock: reserved units belong to open reservations, nothing is negative, movements explain every level."""

from collections.abc import AsyncIterator

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, table

PLACE = ("shop", "sku", "location")


@check
async def reserved_stock_is_open_reservations(inputs: Inputs) -> AsyncIterator[Finding]:
    """The reserved stock of a level is the sum of its open reservations."""
    source = await table(
        inputs.fulfillment,
        """SELECT shop, sku, location, sum(taken - released - shipped - written_off)::int AS reserved
           FROM reservation GROUP BY 1, 2, 3
           HAVING sum(taken - released - shipped - written_off) <> 0""",
        key=PLACE,
    )
    copy = await table(
        inputs.fulfillment,
        "SELECT shop, sku, location, reserved FROM stock_level WHERE reserved <> 0",
        key=PLACE,
    )
    for finding in compare("reserved of", source, copy):
        yield finding


@check
async def no_stock_is_negative(inputs: Inputs) -> AsyncIterator[Finding]:
    """On hand and reserved are never negative, and reserved never exceeds on hand."""
    for row in await inputs.fulfillment.fetch(
        "SELECT * FROM stock_level WHERE on_hand < 0 OR reserved < 0 OR reserved > on_hand"
    ):
        where = f"level {shown((row['shop'], row['sku'], row['location']))}"
        yield Finding(
            where, "0 ≤ reserved ≤ on hand", f"reserved {row['reserved']}, on hand {row['on_hand']}"
        )


@check
async def movements_explain_every_level(inputs: Inputs) -> AsyncIterator[Finding]:
    """A level's on hand and reserved are the sums of its movements."""
    source = await table(
        inputs.fulfillment,
        """SELECT shop, sku, location,
               coalesce(sum(CASE WHEN kind IN ('adjust', 'restock', 'unship') THEN quantity
                                 WHEN kind IN ('ship', 'write_off') THEN -quantity END), 0)::int AS on_hand,
               coalesce(sum(CASE WHEN kind IN ('hold', 'reserve', 'unship') THEN quantity
                                 WHEN kind IN ('release', 'ship', 'write_off') THEN -quantity END), 0)::int
                   AS reserved
           FROM stock_movement GROUP BY 1, 2, 3""",
        key=PLACE,
    )
    copy = await table(
        inputs.fulfillment,
        """SELECT l.shop, l.sku, l.location, l.on_hand, l.reserved FROM stock_level l
           WHERE l.on_hand <> 0 OR l.reserved <> 0 OR EXISTS (
               SELECT FROM stock_movement m WHERE (m.shop, m.sku, m.location) = (l.shop, l.sku, l.location))""",
        key=PLACE,
    )
    for finding in compare("level", source, copy):
        yield finding


@check
async def reservations_serve_their_lines(inputs: Inputs) -> AsyncIterator[Finding]:
    """An order with stock has reserved what its lines and replaced losses need; one without has reserved nothing.

    Units that replace lost ones may still be missing; shipped units were reserved.
    """
    rows = await inputs.fulfillment.fetch(
        """SELECT l.shop, l.order_id, l.line, o.stock,
               CASE WHEN o.stock = 'reserved' THEN l.ordered - l.cancelled + l.lost ELSE 0 END AS needed, l.shipped,
               coalesce(sum(r.taken - r.released - r.written_off), 0)::int AS held,
               coalesce(sum(r.shipped), 0)::int AS left_reserved
           FROM order_line l JOIN fulfilment_order o USING (shop, order_id)
           LEFT JOIN reservation r USING (shop, order_id, line)
           WHERE l.kind = 'ship' AND l.sku IS NOT NULL AND NOT (o.stock = 'missing' AND EXISTS (
               SELECT FROM order_line lost WHERE (lost.shop, lost.order_id) = (l.shop, l.order_id) AND lost.lost > 0))
           GROUP BY 1, 2, 3, 4, 5, 6"""
    )
    for row in rows:
        expected, found = (row["needed"], row["shipped"]), (row["held"], row["left_reserved"])
        if expected != found:
            where = f"line {shown((row['shop'], row['order_id'], row['line']))} ({row['stock']})"
            yield Finding(
                where,
                f"{expected[0]} held, {expected[1]} shipped",
                f"{found[0]} held, {found[1]} shipped",
            )
