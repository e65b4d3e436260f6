"""Data of printed sheets for many orders: one statement for all of them, in the order of their codes.

Quantities are those still wanted: cancelled units are on no sheet, shipped ones on no packing slip. Units
removed by an edit are no longer in a line's quantity, but are in fulfillment's cancelled count: they are
subtracted once.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.chassis.storage.database import Connection

PARTS = ("billing_address", "shipping_address", "shipping", "extra_lines", "lines")


async def read_sheets(connection: Connection, shop: str, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the orders of these codes with addresses, lines (with `wanted` and `to_send`, units) and totals."""
    rows = await connection.fetch(_SHEETS, shop, list(codes))
    return [_sheet(row) for row in rows]


def _sheet(row: Mapping[str, Any]) -> dict[str, Any]:
    sheet = {**row, **{name: json.loads(row[name]) if row[name] else None for name in PARTS}}
    positions = {one["line"]: one for one in json.loads(row["line_positions"])}
    for line in sheet["lines"]:
        at = positions.get(line["line"], {})
        line["wanted"] = line["quantity"] - max(0, at.get("cancelled", 0) - line["reduced"])
        line["to_send"] = max(0, line["wanted"] - at.get("shipped", 0)) if line["kind"] == "ship" else 0
    return sheet


_SHEETS = """
select o.order_id, o.code, o.placed_at, o.module, o.currency, o.total_minor, o.balance_minor, o.customer_name,
    o.customer_phone, o.line_positions,
    b.body -> 'billing_address' as billing_address, b.body -> 'shipping_address' as shipping_address,
    b.body -> 'shipping' as shipping, b.body -> 'extra_lines' as extra_lines, b.body ->> 'note' as note,
    (select coalesce(jsonb_agg(to_jsonb(l) - 'shop' - 'order_id' order by l.line), '[]')
     from order_line l where l.shop = $1 and l.order_id = o.order_id) as lines
from unnest($2::text[]) with ordinality as w (code, at)
cross join lateral (select * from orders o where o.code = w.code and o.shop || '' = $1 offset 0) o
left join lateral (
    select (s.body::jsonb || coalesce(a.content::jsonb, '{}'))::json as body
    from submission s left join amendment a on a.shop = s.shop and a.order_id = o.order_id
    where o.stage = 'placed' and s.shop = o.shop and s.module = o.module and s.idempotency_key = o.idempotency_key
    union all
    select c.body from checkout c where o.stage <> 'placed' and c.shop = o.shop and c.checkout_id = o.order_id
) b on true
order by w.at"""
