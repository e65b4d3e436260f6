"""SQL of the payments pages: an order by its code, orders with an amount due, assigned payments.

All statements are read-only and lock nothing.
"""

from datetime import datetime
from uuid import UUID

import asyncpg

from services.chassis.storage.database import Connection


async def read_order(connection: Connection, shop: str, code: str) -> asyncpg.Record | None:
    """Return the order of a code with its amount due."""
    return await connection.fetchrow(
        """select order_id, code, currency, balance_minor, customer_name from orders
           where code = $1 and shop = $2""",
        code,
        shop,
    )


async def read_orders_owing(
    connection: Connection, shop: str, amount_minor: int, currency: str, around: datetime
) -> list[asyncpg.Record]:
    """Return up to five orders placed near a time for which exactly this amount is still due, the latest
    first.
    """
    return await connection.fetch(
        """select order_id, code, currency, balance_minor, customer_name, placed_at from orders
           where shop = $1 and balance_minor = $2 and currency = $3
             and payment_status in ('unpaid', 'partially_paid', 'pending', 'in_progress', 'abandoned')
             and placed_at between $4::timestamptz - interval '60 days' and $4::timestamptz + interval '7 days'
           order by placed_at desc, order_id desc limit 5""",
        shop,
        amount_minor,
        currency,
        around,
    )


async def read_holders(connection: Connection, shop: str, provider: str, reference: str) -> dict[UUID, str]:
    """Return the orders that have a payment or were assigned it: codes by id."""
    rows = await connection.fetch(
        """select o.order_id, o.code from orders o
           where o.shop = $1 and o.order_id in (
               select order_id from assigned_payment
               where (shop, provider, provider_reference) = ($1, $2, $3)
               union
               select order_id from ledger_entry
               where shop = $1 and provider = $2 and provider_reference = $3 and kind = 'payment_received')""",
        shop,
        provider,
        reference,
    )
    return {row["order_id"]: row["code"] for row in rows}


async def read_assigned(
    connection: Connection, shop: str, providers: list[str], references: list[str]
) -> set[tuple[str, str]]:
    """Return those of the payments (provider and reference) that a user has assigned to an order."""
    rows = await connection.fetch(
        """select provider, provider_reference from assigned_payment
           where shop = $1 and (provider, provider_reference) in (select * from unnest($2::text[], $3::text[]))""",
        shop,
        providers,
        references,
    )
    return {(row["provider"], row["provider_reference"]) for row in rows}


async def read_found(connection: Connection, shop: str) -> list[asyncpg.Record]:
    """Return the latest twenty payments that were unmatched and have an order now."""
    return await connection.fetch(
        """select u.provider, u.provider_reference, u.amount_minor, u.currency, u.received_at, o.code
           from unmatched_payment u
           join orders o on o.shop = u.shop and o.order_id = coalesce(
               (select a.order_id from assigned_payment a
                where (a.shop, a.provider, a.provider_reference) = (u.shop, u.provider, u.provider_reference)
                limit 1),
               (select e.order_id from ledger_entry e
                where e.shop = u.shop and e.provider_reference = u.provider_reference
                  and e.kind = 'payment_received' limit 1))
           where u.shop = $1 order by u.received_at desc, u.provider_reference limit 20""",
        shop,
    )
