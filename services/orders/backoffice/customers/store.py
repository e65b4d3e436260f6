"""SQL of customers: read-only, nothing is locked.

A customer is a mail address of a shop, without regard to case. The index `orders_by_customer` has the orders of
each, so no statement reads more rows than it shows, however many orders there are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]
CustomerCursor = tuple[datetime, UUID]
MOST_COUNTED = 1000
"""Orders of a customer that are counted and summed."""
_COUNTED = f"""cross join lateral (
        select count(*) as orders, min(c.placed_at) as first_at from (
            select c.placed_at from orders as c
            where c.shop = o.shop and lower(c.customer_email) = lower(o.customer_email)
            order by c.placed_at desc limit {MOST_COUNTED}) as c) as counted"""  # noqa: S608 - a constant
_LATEST = """cross join lateral (
        select n.order_id as latest_id from orders as n
        where n.shop = o.shop and lower(n.customer_email) = lower(o.customer_email)
        order by n.placed_at desc, n.order_id desc limit 1) as latest"""
LIST = f"""select o.order_id, o.code, o.customer_name, o.customer_email, o.placed_at, counted.orders, counted.first_at
    from (select o.* from orders as o {_LATEST}
          where o.shop = $1 and o.customer_email is not null and latest.latest_id = o.order_id
            and ($2::timestamptz is null or (o.placed_at, o.order_id) < ($2, $3::uuid))
          order by o.placed_at desc, o.order_id desc limit $4) as o
    {_COUNTED}
    order by o.placed_at desc, o.order_id desc"""  # noqa: S608 - constants


async def list_customers(
    connection: Connection, shop: str, before: CustomerCursor | None, most: int
) -> list[Row]:
    """Return customers by their latest order, the latest first, after the cursor `before`."""
    return await connection.fetch(LIST, shop, *(before or (None, None)), most)


async def customers_of(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the customers of these orders as the list shows them; one without a mail address per order."""
    return await connection.fetch(
        f"""select o.order_id, o.code, o.customer_name, o.customer_email, o.placed_at,
                   case when o.customer_email is null then 1 else counted.orders end as orders,
                   coalesce(counted.first_at, o.placed_at) as first_at
            from (select distinct on (coalesce(lower(o.customer_email), o.order_id::text)) o.* from orders as o
                  where o.shop = $1 and o.order_id = any($2::uuid[]) and o.customer_name is not null
                  order by coalesce(lower(o.customer_email), o.order_id::text), o.placed_at desc) as o
            {_COUNTED}
            order by o.placed_at desc, o.order_id desc""",  # noqa: S608 - constants
        shop,
        order_ids,
    )


ORDERS = f"""select o.order_id, o.code, o.customer_name, o.customer_email, o.customer_phone, o.placed_at, o.state,
        o.label, o.payment_status, o.fulfilment_status, o.currency, o.total_minor, o.balance_minor,
        o.received_minor, o.refunded_minor + o.marked_minor as returned_minor, o.stage, o.archived_at
    from orders as this
    join orders as o on o.shop = this.shop and lower(o.customer_email) = lower(this.customer_email)
    where this.shop = $1 and this.code = $2
    order by o.placed_at desc, o.order_id desc limit {MOST_COUNTED}"""  # noqa: S608 - a constant
_ONLY = ORDERS.replace("lower(o.customer_email) = lower(this.customer_email)", "o.order_id = this.order_id")


async def orders_of_customer(connection: Connection, shop: str, code: str) -> list[Row]:
    """Return the orders of the customer of an order, the latest first; without a mail address only that order."""
    return await connection.fetch(ORDERS, shop, code) or await connection.fetch(_ONLY, shop, code)


async def read_mails(connection: Connection, shop: str, order_ids: Sequence[UUID], most: int) -> list[Row]:
    """Return the mails about these orders with their states, the latest first."""
    return await connection.fetch(
        """select m.mail_id, m.template, m.recipient, m.state, m.at, o.code
           from mail as m join orders as o on o.order_id = m.order_id and o.shop = m.shop
           where m.shop = $1 and m.order_id = any($2::uuid[]) order by m.at desc, m.mail_id limit $3""",
        shop,
        order_ids,
        most,
    )


async def read_threads(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the conversations about these orders, the latest first."""
    return await connection.fetch(
        """select t.state, t.unread, t.last_at, t.excerpt, o.code
           from thread as t join orders as o on o.order_id = t.order_id and o.shop = t.shop
           where t.shop = $1 and t.order_id = any($2::uuid[]) order by t.last_at desc, t.order_id""",
        shop,
        order_ids,
    )
