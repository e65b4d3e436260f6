"""SQL of home: a few figures of recent days and counts of pending work, each from an index."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.chassis.storage.database import Connection
from services.orders.listing.words import UNPLACED

Row = Mapping[str, Any]
NO_SALE = sorted({*(state.value for state in UNPLACED), "cancelled"})
"""States of orders that do not count as sales."""
MOST = 1000


async def read_days(
    connection: Connection, shop: str, since: datetime, until: datetime, zone: str
) -> Sequence[Row]:
    """Return sales of that period by day (in that time zone) and currency: orders, paid (of them),
    total_minor.
    """
    return await connection.fetch(
        """select (placed_at at time zone $3)::date as day, currency, count(*) as orders,
                  count(*) filter (where payment_status in ('paid', 'overpaid')) as paid,
                  sum(total_minor)::bigint as total_minor
           from orders where shop = $1 and placed_at >= $2 and placed_at < $5
                            and state <> all($4::text[])
           group by 1, 2""",
        *(shop, since, zone, NO_SALE, until),
    )


async def read_mail_problems(connection: Connection, shop: str) -> dict[str, int]:
    """Count the order mails that failed, came back, were held or are uncertain, each up to MOST."""
    rows = await connection.fetch(
        """select state, count(*) as mails from (
               select state from mail
               where shop = $1 and state <> 'sent' and state <> 'withdrawn' and order_id is not null limit $2) found
           group by state""",
        *(shop, MOST),
    )
    return {row["state"]: row["mails"] for row in rows}


async def read_latest_activity(connection: Connection, shop: str, orders: int, most: int) -> Sequence[Row]:
    """Return the latest activity of the most recently placed orders (code, kind, happened_at, actor, data),
    without sent mails.
    """
    return await connection.fetch(
        """select o.code, a.kind, a.happened_at, a.actor, a.data
           from (select shop, order_id, code from orders where shop = $1 and state <> all($4::text[])
                 order by placed_at desc, order_id desc limit $2) o
           cross join lateral (
               select kind, happened_at, actor, data from activity
               where shop = o.shop and order_id = o.order_id and kind <> 'mail_sent'
               order by happened_at desc limit $3) a
           order by a.happened_at desc limit $3""",
        *(shop, orders, most, sorted(state.value for state in UNPLACED)),
    )
