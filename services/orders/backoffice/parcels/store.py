"""SQL of the parcels pages: orders' copy of parcels and shipments, for the orders of one page.

The finder selects a page's orders; every query here looks up their ids, is read-only and locks nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


async def read_lines(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the lines of goods: order_id, line, description, sku, options (JSON or null), left (units in no
    parcel yet).
    """
    return await connection.fetch(
        """select l.order_id, l.line, l.description, l.sku, l.options,
                  greatest(0, coalesce((at.position ->> 'ordered')::int - (at.position ->> 'cancelled')::int
                                       - (at.position ->> 'packed')::int + (at.position ->> 'lost')::int,
                                       l.quantity)) as left
           from unnest($2::uuid[]) as w (order_id)
           cross join lateral (select * from orders o where o.order_id = w.order_id and o.shop || '' = $1) o
           join order_line l on l.shop = $1 and l.order_id = w.order_id and l.kind = 'ship'
           left join lateral (select position from jsonb_array_elements(o.line_positions) as p (position)
                              where (position ->> 'line')::int = l.line limit 1) at on true
           order by l.order_id, l.line""",
        shop,
        list(order_ids),
    )


async def read_waiting(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the parcels not shipped yet: their columns, `lines` as JSON."""
    return await connection.fetch(
        """select p.order_id, p.parcel_id, p.number, p.kind, p.weight_grams, p.lines, p.packed_at, p.packed_by
           from unnest($2::uuid[]) as w (order_id)
           join parcel p on p.shop = $1 and p.order_id = w.order_id
           where not exists (select from unpacking u
                             where (u.shop, u.order_id, u.parcel_id) = ($1, p.order_id, p.parcel_id))
             and not exists (select from shipment s where s.shop = $1 and s.order_id = p.order_id
                             and s.cancelled_at is null and p.parcel_id = any (s.parcel_ids))
           order by p.order_id, p.number""",
        shop,
        list(order_ids),
    )


async def read_shipments(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the shipments of orders with, once delivered, the time and evidence; `numbers` are their
    parcels'.
    """
    return await connection.fetch(
        """select s.order_id, s.shipment_id, s.carrier, s.tracking_number, s.tracking_url, s.shipped_on, s.expected_on,
                  s.dispatched_at, s.dispatched_by, d.delivered_at, d.proof, d.proof_reference,
                  array(select p.number from parcel p
                        where p.shop = $1 and p.order_id = s.order_id and p.parcel_id = any (s.parcel_ids)
                        order by p.number) as numbers
           from unnest($2::uuid[]) with ordinality as w (order_id, at)
           join shipment s on s.shop = $1 and s.order_id = w.order_id and s.cancelled_at is null
             and not s.parcel_ids <@ array(select l.parcel_id from lost_parcel l
                                           where l.shop = $1 and l.order_id = s.order_id)
           left join delivery d on (d.shop, d.order_id, d.shipment_id) = ($1, s.order_id, s.shipment_id)
           order by w.at, s.dispatched_at desc, s.shipment_id""",
        shop,
        list(order_ids),
    )


async def read_named_shipments(connection: Connection, shop: str, shipment_ids: Sequence[UUID]) -> list[Row]:
    """Return these shipments of the shop with their orders: order_id, code, customer_name, shipment_id,
    carrier and number; shipped_on, and whether it has_arrived.
    """
    return await connection.fetch(
        """select s.order_id, o.code, o.customer_name, s.shipment_id, s.carrier, s.tracking_number, s.shipped_on,
                  exists (select from delivery d where (d.shop, d.order_id, d.shipment_id)
                                                     = (s.shop, s.order_id, s.shipment_id)) as has_arrived
           from shipment s join orders o on (o.shop, o.order_id) = (s.shop, s.order_id)
           where s.shop = $1 and s.shipment_id = any ($2::uuid[])
           order by o.code, s.shipment_id""",
        shop,
        list(shipment_ids),
    )


async def read_recipients(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the recipients of these orders: order_id, code, source_reference, placed_at, customer_name,
    locale; the submission's addresses and those of an edit as JSON (`submitted`, `amended`).
    """
    return await connection.fetch(
        """select o.order_id, o.code, o.source_reference, o.placed_at, o.customer_name, o.locale,
                  json_build_object('shipping_address', s.body -> 'shipping_address',
                                    'billing_address', s.body -> 'billing_address') as submitted,
                  a.content as amended
           from unnest($2::uuid[]) with ordinality as w (order_id, at)
           cross join lateral (select * from orders o where o.order_id = w.order_id and o.shop || '' = $1) o
           left join submission s on s.shop = o.shop and s.module = o.module
                                 and s.idempotency_key = o.idempotency_key
           left join amendment a on a.shop = o.shop and a.order_id = o.order_id
           order by w.at""",
        shop,
        list(order_ids),
    )
