"""Parcels and shipments agree with the lines, and never exceed what was ordered."""

from collections.abc import AsyncIterator

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, table

LINE = ("shop", "order_id", "line")


@check
async def quantities_are_in_order(inputs: Inputs) -> AsyncIterator[Finding]:
    """On every line packed ≤ needed, shipped ≤ packed, delivered ≤ shipped, returned ≤ shipped."""
    for row in await inputs.fulfillment.fetch(
        """SELECT * FROM order_line WHERE packed - lost > ordered - cancelled OR shipped > packed
               OR delivered > shipped OR returned > shipped OR lost > packed OR cancelled > ordered
               OR least(ordered, cancelled, packed, lost, shipped, delivered, returned) < 0"""
    ):
        where = f"line {shown((row['shop'], row['order_id'], row['line']))}"
        names = ("ordered", "cancelled", "packed", "lost", "shipped", "delivered", "returned")
        found = ", ".join(f"{name} {row[name]}" for name in names)
        yield Finding(where, "delivered ≤ shipped ≤ packed ≤ ordered", found)


@check
async def parcels_add_up_to_their_lines(inputs: Inputs) -> AsyncIterator[Finding]:
    """Packed, shipped, delivered and lost units of a line are those in its parcels and uncancelled shipments."""
    source = await table(
        inputs.fulfillment,
        """SELECT p.shop, p.order_id, p.line, sum(p.quantity)::int AS packed,
               coalesce(sum(p.quantity) FILTER (WHERE s.shipment_id IS NOT NULL), 0)::int AS shipped,
               coalesce(sum(p.quantity) FILTER (WHERE s.delivered_at IS NOT NULL AND lost_at IS NULL), 0)::int
                   AS delivered,
               coalesce(sum(p.quantity) FILTER (WHERE lost_at IS NOT NULL), 0)::int AS lost
           FROM parcel_line p JOIN parcel USING (shop, order_id, parcel_id)
           LEFT JOIN (SELECT * FROM shipment_parcel WHERE NOT is_cancelled) sp USING (shop, order_id, parcel_id)
           LEFT JOIN shipment s USING (shop, order_id, shipment_id)
           WHERE unpacked_at IS NULL
           GROUP BY 1, 2, 3""",
        key=LINE,
    )
    copy = await table(
        inputs.fulfillment,
        """SELECT shop, order_id, line, packed, shipped, delivered, lost FROM order_line
           WHERE packed <> 0 OR shipped <> 0 OR delivered <> 0 OR lost <> 0""",
        key=LINE,
    )
    for finding in compare("line", source, copy):
        yield finding


@check
async def parcels_are_numbered_without_gaps(inputs: Inputs) -> AsyncIterator[Finding]:
    """An order's parcels are numbered from 1 without gaps, and none is empty."""
    for row in await inputs.fulfillment.fetch(
        """SELECT p.shop, p.order_id, count(DISTINCT p.parcel_id) AS parcels, max(p.number) AS last,
               count(*) FILTER (WHERE l.line IS NULL) AS empty
           FROM parcel p LEFT JOIN parcel_line l USING (shop, order_id, parcel_id)
           GROUP BY 1, 2
           HAVING count(DISTINCT p.parcel_id) <> max(p.number) OR count(*) FILTER (WHERE l.line IS NULL) > 0"""
    ):
        where = f"parcels of {shown((row['shop'], row['order_id']))}"
        yield Finding(
            where, f"1 to {row['parcels']}, none empty", f"last {row['last']}, {row['empty']} empty"
        )
