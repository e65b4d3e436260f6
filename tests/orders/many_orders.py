"""Very many orders at once, for tests and measurements of the list: one INSERT … SELECT, no message.

The shares are a running shop's: most orders are done and paid, a few percent are open, other ends are rare. Everything
follows from the order's number, so the same call gives the same rows.
"""

from typing import Any

INSERT = """
insert into orders (shop, order_id, code, sequence, module, idempotency_key, locale, placed_at, customer_name,
    customer_email, payment_method, currency, total_minor, state, label, automatic_state, payment_status,
    fulfilment_status, flags, payment_version, due_minor, balance_minor, fulfilment_version, ship_ordered,
    ship_needed, other_ordered, other_needed, units_to_pack, units_to_ship, received_at, changed_at)
select $1, md5($1 || n)::uuid, 'T' || lpad(to_hex(n), 7, '0'), 1,
    (array['shop', 'shop', 'shop', 'shop', 'events', 'restaurant', 'slots', 'price_table'])[1 + h % 8],
    'key-' || n, 'fr', timestamptz '2025-12-01 12:00Z' - n * interval '1 minute 30 seconds', 'Client ' || n,
    'client' || n || '@example.org',
    case when h % 100 < 70 then 'card' when h % 100 < 85 then 'transfer' when h % 100 < 99 then 'cheque'
         else 'other' end,
    'EUR', 1000 + h % 50000, s.state, s.label, s.state, s.payment_status, s.fulfilment_status, '{}', 1,
    1000 + h % 50000, 0, 1, 1, 1, 0, 0, 0, 0, now(), now()
from generate_series(1, $2::integer) n
cross join lateral (select abs(hashint4(n)) h) hash
cross join lateral (select abs(hashint4(n + 7)) % 1000 p) part
cross join lateral (select
    case when p < 880 then 'completed' when p < 940 then 'cancelled' when p < 960 then 'awaiting_payment'
         when p < 985 then 'ready' else 'processing' end as state,
    case when p between 960 and 984 then 'in_progress_order' when p < 880 then 'completed'
         when p < 940 then 'cancelled' when p < 960 then 'awaiting_payment' else 'processing' end as label,
    case when p < 875 then 'paid' when p < 878 then 'overpaid' when p < 880 then 'partially_refunded'
         when p < 930 then 'void' when p < 940 then 'refunded' when p < 959 then 'unpaid'
         when p = 959 then 'pending' else 'paid' end as payment_status,
    case when p < 880 then 'delivered' when p < 985 then 'unfulfilled' else 'shipped' end as fulfilment_status
) s
"""


async def insert_orders(connection: Any, shop: str, count: int) -> None:
    """Add so many orders to a shop that has none of them yet, and let the planner know."""
    await connection.execute(INSERT, shop, count, timeout=300)
    await connection.execute("analyze orders")
