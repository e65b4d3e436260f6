"""Rows that lists, counts and search read beside an order agree with the order."""

from collections.abc import AsyncIterator
from typing import Any

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, table

_KIND = """module, coalesce(payment_method, '') AS payment_method, currency, state, label, payment_status,
    fulfilment_status, carriers, flags, {archived} AS is_archived, {to_pack} AS is_to_pack, {to_ship} AS is_to_ship,
    {unfinished} AS is_unfinished, {owed_back} AS is_owed_back"""
OF_ORDER = _KIND.format(
    archived="archived_at IS NOT NULL",
    to_pack="units_to_pack > 0",
    to_ship="units_to_ship > 0",
    unfinished="(ship_delivered < ship_needed OR other_finished < other_needed)",
    owed_back="balance_minor < 0",
)
OF_KIND = _KIND.format(
    archived="is_archived",
    to_pack="is_to_pack",
    to_ship="is_to_ship",
    unfinished="is_unfinished",
    owed_back="is_owed_back",
)


@check
async def facets_equal_their_orders(inputs: Inputs) -> AsyncIterator[Finding]:
    """The facets by which lists, queues and counts find an order agree with the order."""
    kinds = await table(
        inputs.orders,
        f"SELECT shop, kind_id, {OF_KIND} FROM order_kind",  # noqa: S608
        key=("shop", "kind_id"),
    )
    rows = await inputs.orders.fetch(f"SELECT shop, order_id, kind_id, {OF_ORDER} FROM orders")  # noqa: S608
    for row in rows:
        values: dict[str, Any] = dict(row)
        key = (values.pop("shop"), values.pop("order_id"))
        of_kind = kinds.get((key[0], values.pop("kind_id")))
        copy = {key: of_kind} if of_kind is not None else {}
        for finding in compare("kind of order", {key: values}, copy):
            yield finding


@check
async def tags_equal_their_orders(inputs: Inputs) -> AsyncIterator[Finding]:
    """The list rows of an order's tags have the order's own facets, timestamp and total."""
    rows = await inputs.orders.fetch(
        """SELECT coalesce(t.shop, f.shop) AS shop, coalesce(t.order_id, f.order_id) AS order_id,
               coalesce(t.facet, f.facet) AS facet,
               CASE WHEN t.facet IS NULL THEN 'no tag'
                    ELSE concat_ws(' ', t.kind_id, t.placed_at, t.total_minor) END AS expected,
               CASE WHEN f.facet IS NULL THEN 'no row'
                    ELSE concat_ws(' ', f.kind_id, f.placed_at, f.total_minor) END AS found
           FROM (SELECT g.shop, g.order_id, 'tag:' || g.tag_id AS facet, o.kind_id, o.placed_at, o.total_minor
                 FROM order_tag g JOIN orders o USING (shop, order_id)) AS t
           FULL JOIN order_facet f USING (shop, order_id, facet)
           WHERE (t.kind_id, t.placed_at, t.total_minor) IS DISTINCT FROM (f.kind_id, f.placed_at, f.total_minor)"""
    )
    for row in rows:
        yield Finding(
            f"{row['facet']} of order {row['shop']} {row['order_id']}", row["expected"], row["found"]
        )


@check
async def orders_can_be_searched(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each order has its search document, with its code and timestamp, or waits for the worker that writes it."""
    for row in await inputs.orders.fetch(
        """SELECT o.shop, o.order_id, o.code, s.order_id IS NOT NULL AS is_there, s.placed_at = o.placed_at AS is_dated,
               position(lower(replace(o.code, '-', '')) IN s.document) > 0 AS is_named
           FROM orders o LEFT JOIN order_search s ON s.order_id = o.order_id AND s.shop = o.shop
           WHERE (s.order_id IS NULL OR s.placed_at <> o.placed_at
                  OR position(lower(replace(o.code, '-', '')) IN s.document) = 0)
             AND NOT EXISTS (SELECT FROM order_search_due d WHERE (d.shop, d.order_id) = (o.shop, o.order_id))"""
    ):
        found = (
            "no row" if not row["is_there"] else "another moment" if not row["is_dated"] else "another code"
        )
        yield Finding(f"search of order {shown((row['shop'], row['order_id']))}", row["code"], found)
