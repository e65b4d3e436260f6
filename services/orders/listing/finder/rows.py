"""The rows of a page of orders: one statement for all rows of the page, one for the preview of an order.

Rows come in the order of the requested ids; an order that was deleted meanwhile is missing. Locks nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]

LISTED = """o.order_id, o.code, o.module, o.source_reference, o.placed_at, o.customer_name, o.customer_email,
    o.payment_method, o.currency, o.total_minor, o.balance_minor, o.state, o.label, o.payment_status,
    o.fulfilment_status, o.flags, o.units_to_pack, o.units_to_ship, o.archived_at, o.changed_at"""


async def read_listed(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the columns of the REST list, `OrderListed` in listing/documents.py."""
    return await connection.fetch(
        f"""select {LISTED} from unnest($2::uuid[]) with ordinality as w (order_id, at)
            cross join lateral (select * from orders o where o.order_id = w.order_id and o.shop || '' = $1 offset 0) o
            order by w.at""",
        shop,
        list(order_ids),
    )


async def read_rows(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the rows of the back office's list: the columns of `read_listed`, revision, sums of units,
    carriers, `tags` (JSON: tag_id, name, colour, by name), `mails_in_trouble`, a count, and whether there are
    refunds, a tracking number, or a cancellation that can be reinstated (`has_refunds`, `is_tracked`,
    `is_reinstatable`). `offset 0` keeps PostgreSQL from reading all refunds of the shop for each page.
    """
    return await connection.fetch(
        f"""select {LISTED}, o.revision, o.carriers, o.received_minor, o.refunded_minor, o.marked_minor,
                o.ship_needed, o.ship_packed, o.ship_shipped, o.ship_delivered, o.other_needed, o.other_finished,
                (select coalesce(jsonb_agg(jsonb_build_object('tag_id', t.tag_id, 'name', t.name, 'colour', t.colour)
                                           order by t.folded), '[]')
                 from order_tag x join tag t on t.shop = x.shop and t.tag_id = x.tag_id
                 where x.shop = $1 and x.order_id = o.order_id) as tags,
                (select count(*) from mail m
                 where m.shop = $1 and m.order_id = o.order_id
                       and m.state <> 'sent' and m.state <> 'withdrawn') as mails_in_trouble,
                exists (select from refund r
                        where r.shop = $1 and r.order_id = o.order_id offset 0) as has_refunds,
                exists (select from shipment s where s.shop = $1 and s.order_id = o.order_id
                        and s.tracking_number <> '') as is_tracked,
                o.state = 'cancelled' and coalesce((
                    select a.kind = 'order_cancelled' from activity a
                    where a.shop = $1 and a.order_id = o.order_id and a.kind in ('order_cancelled', 'order_reinstated')
                    order by a.happened_at desc limit 1), false) as is_reinstatable
            from unnest($2::uuid[]) with ordinality as w (order_id, at)
            cross join lateral (select * from orders o where o.order_id = w.order_id and o.shop || '' = $1 offset 0) o
            order by w.at""",
        shop,
        list(order_ids),
    )


async def read_preview(
    connection: Connection, shop: str, order_id: UUID, *, with_personal: bool
) -> Row | None:
    """Return the «Infos» of an order (B08, B09): customer, addresses, items and totals. JSON columns:
    `customer`, `billing_address`, `shipping_address`, `shipping`, `extra_lines`, `totals`, `lines`.

    IP address and browser are in `customer` only if the caller may see them; an edit's words never hold them.
    """
    return await connection.fetchrow(
        """select o.order_id, o.code, o.stage, o.placed_at, o.currency, o.total_minor, o.balance_minor,
                  o.payment_method, o.customer_name, o.customer_email, o.customer_phone, o.source_reference, o.module,
                  o.revision,
                  case when $3 then b.body -> 'customer'
                       else ((b.body -> 'customer')::jsonb - 'ip_address' - 'browser')::json end as customer,
                  b.body -> 'billing_address' as billing_address, b.body -> 'shipping_address' as shipping_address,
                  b.body -> 'shipping' as shipping, b.body -> 'extra_lines' as extra_lines,
                  b.body -> 'totals' as totals, b.body ->> 'note' as note,
                  coalesce((b.body ->> 'prices_include_tax')::boolean, true) as prices_include_tax,
                  (select coalesce(jsonb_agg(to_jsonb(l) - 'shop' - 'order_id' order by l.line), '[]')
                   from order_line l where l.shop = $1 and l.order_id = o.order_id) as lines
           from orders o
           left join lateral (
               select (s.body::jsonb || coalesce(a.content::jsonb || jsonb_build_object(
                           'customer', a.content::jsonb -> 'customer' || jsonb_build_object(
                               'ip_address', s.body -> 'customer' -> 'ip_address',
                               'browser', s.body -> 'customer' -> 'browser')), '{}'))::json as body
               from submission s left join amendment a on a.shop = s.shop and a.order_id = o.order_id
               where o.stage = 'placed' and s.shop = o.shop and s.module = o.module
                 and s.idempotency_key = o.idempotency_key
               union all
               select c.body from checkout c
               where o.stage <> 'placed' and c.shop = o.shop and c.checkout_id = o.order_id) b on true
           where o.order_id = $2 and o.shop || '' = $1""",
        shop,
        order_id,
        with_personal,
    )
