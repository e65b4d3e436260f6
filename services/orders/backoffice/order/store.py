"""SQL of the order page, beside `api/actions/store.py`: one function per statement. Nothing is locked."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection


async def command_of(connection: Connection, shop: str, key: str) -> UUID | None:
    """Return the command that a form with this idempotency key became."""
    found: UUID | None = await connection.fetchval(
        "select command_id from command where shop = $1 and idempotency_key = $2", shop, key
    )
    return found


async def read_facts(
    connection: Connection, shop: str, order_id: UUID | None, code: str | None
) -> Mapping[str, Any] | None:
    """Return the data that forms need of an order found by its id or code: order_id, code, currency, revision,
    payment_method, balance_minor, and the numbers of its lines.
    """
    return await connection.fetchrow(
        """select order_id, code, currency, revision, payment_method, balance_minor,
                  array(select line from order_line as l
                        where l.shop = o.shop and l.order_id = o.order_id) as lines
           from orders as o where o.shop = $1 and (o.order_id = $2 or o.code = $3)""",
        *(shop, order_id, code),
    )


async def read_invoices(connection: Connection, shop: str, order_id: UUID) -> Sequence[Mapping[str, Any]]:
    """Return the headings of an order's invoices and credit notes, the first issued first, with the mail that each was
    sent with; `mail_id` is NULL without a mail of its own.
    """
    rows: Sequence[Mapping[str, Any]] = await connection.fetch(
        """SELECT i.*, m.mail_id FROM invoice AS i LEFT JOIN LATERAL (
               SELECT mail_id FROM activity AS a JOIN mail USING (shop, order_id, cause_id)
               WHERE (a.shop, a.order_id, a.item) = (i.shop, i.order_id, i.invoice_id)
                 AND a.kind IN ('invoice_issued', 'credit_note_issued') AND template IN ('invoice', 'credit_note')
               ORDER BY at DESC LIMIT 1) AS m ON true
           WHERE i.shop = $1 AND i.order_id = $2 ORDER BY i.issued_at, i.kind DESC, i.number""",
        shop,
        order_id,
    )
    return rows


async def read_shipping(connection: Connection, shop: str, order_id: UUID) -> Mapping[str, Any] | None:
    """Return the data that shipments of an order need: its parcels' ids, and the destination's postal code."""
    return await connection.fetchrow(
        """select array(select p.parcel_id from parcel as p
                        where p.shop = o.shop and p.order_id = o.order_id) as parcel_ids,
                  coalesce(
                      (select a.content -> 'shipping_address' from amendment as a
                       where a.shop = o.shop and a.order_id = o.order_id),
                      case when o.stage = 'placed'
                           then (select s.body -> 'shipping_address' from submission as s
                                 where s.shop = o.shop and s.module = o.module
                                   and s.idempotency_key = o.idempotency_key)
                           else (select c.body -> 'shipping_address' from checkout as c
                                 where c.shop = o.shop and c.checkout_id = o.order_id) end
                  ) ->> 'postal_code' as postal_code
           from orders as o where o.shop = $1 and o.order_id = $2""",
        *(shop, order_id),
    )


async def read_tracking(
    connection: Connection, shop: str, order_id: UUID, shipment_id: UUID
) -> Mapping[str, Any] | None:
    """Return carrier, tracking_number and tracking_url of a shipment of the order."""
    return await connection.fetchrow(
        """select carrier, tracking_number, tracking_url from shipment
           where shop = $1 and order_id = $2 and shipment_id = $3""",
        *(shop, order_id, shipment_id),
    )


async def read_on_the_way(connection: Connection, shop: str, order_id: UUID) -> list[UUID]:
    """Return the order's shipments of which something may still be delivered, the first dispatched first: neither
    cancelled nor delivered, and not all of whose parcels are lost.
    """
    rows = await connection.fetch(
        """SELECT s.shipment_id FROM shipment AS s
           WHERE s.shop = $1 AND s.order_id = $2 AND s.cancelled_at IS NULL
             AND NOT EXISTS (SELECT FROM delivery AS d
                             WHERE (d.shop, d.order_id, d.shipment_id) = (s.shop, s.order_id, s.shipment_id))
             AND NOT s.parcel_ids <@ ARRAY(SELECT p.parcel_id FROM lost_parcel AS p
                                           WHERE (p.shop, p.order_id) = (s.shop, s.order_id))
           ORDER BY s.dispatched_at, s.shipment_id""",
        *(shop, order_id),
    )
    return [row["shipment_id"] for row in rows]


async def codes_of(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[str]:
    """Return the codes of these orders of the shop."""
    rows = await connection.fetch(
        """select o.code from unnest($2::uuid[]) with ordinality as w (order_id, at)
           cross join lateral (select * from orders o where o.order_id = w.order_id and o.shop || '' = $1 offset 0) o
           order by w.at""",
        *(shop, list(order_ids)),
    )
    return [row["code"] for row in rows]


async def read_deleted(
    connection: Connection, shop: str, order_id: UUID | None, code: str | None
) -> Mapping[str, Any] | None:
    """Return the tombstone of an order found by its id or code: code, deleted_at."""
    return await connection.fetchrow(
        """select code, deleted_at from deleted_order where shop = $1 and (order_id = $2 or code = $3)
           order by deleted_at desc limit 1""",
        *(shop, order_id, code),
    )
