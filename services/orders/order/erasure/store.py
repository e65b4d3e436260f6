"""SQL of erasures in orders: the orders of a customer, their rows outside tables about orders, the proof."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.chassis.messaging.erasure.redacting import ERASED
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

Row = Mapping[str, Any]
_RUNNING = """(o.state in ('in_checkout', 'awaiting_payment', 'ready', 'processing') or o.balance_minor < 0
               or 'disputed' = any(o.flags))"""


class CustomerOrder(NamedTuple):
    """An order of the customer to be erased. `is_running`: goods, money or a dispute are still open."""

    order_id: UUID
    code: str
    is_running: bool


async def order_of_code(connection: Connection, shop: str, code: str) -> UUID | None:
    """Return the id of the order with this code."""
    found: UUID | None = await connection.fetchval(
        "select order_id from orders where code = $2 and shop = $1", shop, code
    )
    return found


async def orders_of_customer(connection: Connection, shop: str, order_id: UUID) -> list[CustomerOrder]:
    """Return all orders with the mail address of this one that are not erased yet, oldest first; without an address
    only the order itself.
    """
    rows = await connection.fetch(
        f"""select o.order_id, o.code, {_RUNNING} as is_running
            from (select order_id from orders where shop = $1 and order_id = $2
                  union
                  select other.order_id from orders as this
                  join orders as other on other.shop = this.shop
                      and lower(other.customer_email) = lower(this.customer_email)
                  where this.shop = $1 and this.order_id = $2) as found
            join orders as o using (order_id)
            where not exists (select from msg.erased as e where (e.shop, e.order_id) = (o.shop, o.order_id))
            order by o.placed_at, o.order_id""",  # noqa: S608 - a constant
        shop,
        order_id,
    )
    return [CustomerOrder(*row) for row in rows]


async def lock_orders(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> None:
    """Lock these orders, in the order of their ids."""
    await connection.execute(
        "select from orders where shop = $1 and order_id = any($2) order by order_id for update",
        shop,
        order_ids,
    )


_SUBMISSIONS = """select 'submission' as source, s.ctid::text as place, s.body::text as body
    from orders as o join submission as s
        on (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)
    where o.shop = $1 and o.order_id = any($2)"""
_CHECKOUTS = """select 'checkout' as source, c.ctid::text as place, c.body::text as body
    from checkout as c where c.shop = $1 and c.checkout_id = any($2) and c.body is not null"""


class Said(NamedTuple):
    """What a storefront sent of a sale: the table and the place of its row, and the message."""

    source: str
    place: str
    body: Any


async def read_sales(
    connection: Connection, shop: str, order_ids: Sequence[UUID], mails: Sequence[str]
) -> list[Said]:
    """Return the submissions and checkouts of these orders, and the refused sales with these mail addresses."""
    rows = await connection.fetch(
        f"""{_SUBMISSIONS} union all {_CHECKOUTS} union all
            select 'refusal', r.ctid::text, r.body::text from refusal as r
            where r.shop = $1 and lower(r.body -> 'customer' ->> 'email') = any($3)""",  # noqa: S608
        shop,
        order_ids,
        mails,
    )
    return [Said(row["source"], row["place"], json.loads(row["body"])) for row in rows]


async def write_sale(connection: Connection, sale: Said) -> None:
    """Replace what a storefront sent; its claim and the hash of its content stay."""
    await connection.execute(
        f'update "{sale.source}" set body = $2 where ctid = $1::text::tid',  # noqa: S608
        sale.place,
        json.dumps(sale.body, ensure_ascii=False, separators=(",", ":")),
    )


async def read_outcomes(connection: Connection, shop: str) -> list[tuple[UUID, Any]]:
    """Return the outcomes of the shop's commands about no order, by command: some name a mail address. Locks them."""
    rows = await connection.fetch(
        """select command_id, outcome::text as outcome from command
           where shop = $1 and order_id is null and outcome::text like '%@%' order by command_id for update""",
        shop,
    )
    return [(row["command_id"], json.loads(row["outcome"])) for row in rows]


async def write_outcome(connection: Connection, command_id: UUID, outcome: Any) -> None:
    """Replace what is stored of a command's outcome."""
    await connection.execute(
        "update command set outcome = $2 where command_id = $1",
        command_id,
        json.dumps(outcome, ensure_ascii=False),
    )


async def clear_search(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> int:
    """Empty the search documents of these orders, and have them written again. Return how many had a name."""
    status: str = await connection.execute(
        """with due as (insert into order_search_due select $1, one from unnest($2::uuid[]) as one)
           update order_search set mail = '', document = ''
           where shop = $1 and order_id = any($2) and mail <> ''""",
        shop,
        order_ids,
    )
    return int(status.rpartition(" ")[2])


async def delete_threads(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> int:
    """Delete the copies of threads and received mails of these orders, and what staff have typed for them.

    Return the number of threads.
    """
    for table in ("message_draft", "received_mail"):
        await connection.execute(
            f"delete from {table} where shop = $1 and order_id = any($2)",  # noqa: S608
            shop,
            order_ids,
        )
    status: str = await connection.execute(
        "delete from thread where shop = $1 and order_id = any($2)", shop, order_ids
    )
    return int(status.rpartition(" ")[2])


async def clear_authors(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> int:
    """Remove the customer's name as the actor of what they wrote. Return the number of rows."""
    status: str = await connection.execute(
        """update activity set actor = $3
           where shop = $1 and order_id = any($2) and kind in ('message_posted', 'automatic_mail_received')
             and data ->> 'author_role' <> 'staff' and actor <> $3""",
        shop,
        order_ids,
        ERASED,
    )
    return int(status.rpartition(" ")[2])


async def insert_erasure(connection: Connection, erasure: Sequence[Any]) -> None:
    """Insert the proof of an erasure: id, shop, actor, reason, orders, whether any was running, time."""
    await connection.execute(
        """insert into erasure (erasure_id, shop, actor, reason, orders, had_running, requested_at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        *erasure,
    )


async def write_report(
    connection: Writer, erasure_id: UUID, service: str, counts: Mapping[str, int], at: datetime
) -> None:
    """Add what a service reports to the proof; an erasure unknown here is left out."""
    await connection.execute(
        """insert into erasure_report as r (erasure_id, service, counts, passes, first_at, last_at)
           select e.erasure_id, $2, $3::jsonb, 1, $4, $4 from erasure as e where e.erasure_id = $1
           on conflict (erasure_id, service) do update set passes = r.passes + 1,
               first_at = least(r.first_at, excluded.first_at), last_at = greatest(r.last_at, excluded.last_at),
               counts = (select jsonb_object_agg(name, number) from (
                   select name, sum(number) as number from (
                       select key as name, value::bigint as number from jsonb_each_text(r.counts)
                       union all select key, value::bigint from jsonb_each_text(excluded.counts)) as either
                   group by name) as sums)""",
        erasure_id,
        service,
        json.dumps(counts),
        at,
    )


async def list_erasures(connection: Connection, shop: str, limit: int) -> list[Row]:
    """Return the shop's erasures, the latest first, with how many services have reported."""
    return await connection.fetch(
        """select e.*, (select count(*) from erasure_report as r where r.erasure_id = e.erasure_id) as reported
           from erasure as e where e.shop = $1 order by e.requested_at desc limit $2""",
        shop,
        limit,
    )


async def read_erasure(connection: Connection, shop: str, erasure_id: UUID) -> Row | None:
    """Return the proof of an erasure."""
    return await connection.fetchrow(
        "select * from erasure where shop = $1 and erasure_id = $2", shop, erasure_id
    )


async def read_reports(connection: Connection, erasure_id: UUID) -> list[Row]:
    """Return what the services have reported of an erasure, by service."""
    return await connection.fetch(
        "select * from erasure_report where erasure_id = $1 order by service", erasure_id
    )


async def erasure_of_order(connection: Connection, shop: str, order_id: UUID) -> Row | None:
    """Return which erasure erased this order, and when."""
    return await connection.fetchrow(
        "select erasure_id, erased_at from msg.erased where shop = $1 and order_id = $2", shop, order_id
    )
