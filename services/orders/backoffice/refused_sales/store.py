"""SQL of refused sales: read-only, nothing is locked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]
DAYS = 30
"""Number of days counted on the home page."""
MOST = 1000


async def read_refused(
    connection: Connection, shop: str, before: tuple[datetime, UUID] | None, most: int
) -> Sequence[Row]:
    """Return a shop's refused sales before a cursor, the latest first, with the code of the order of the same
    key.
    """
    timestamp, submission_id = before or (None, None)
    return await connection.fetch(
        """select r.submission_id, r.module, r.idempotency_key, r.source_reference, r.reasons, r.refused_at,
                  r.body -> 'customer' ->> 'name' as customer_name, r.body ->> 'currency' as currency,
                  r.body -> 'totals' ->> 'total_minor' as total_minor, o.code
           from refusal r
           left join orders o on (o.shop, o.module, o.idempotency_key) = (r.shop, r.module, r.idempotency_key)
               and o.stage = 'placed'
           where r.shop = $1 and ($2::timestamptz is null or (r.refused_at, r.submission_id) < ($2, $3::uuid))
           order by r.refused_at desc, r.submission_id desc limit $4""",
        *(shop, timestamp, submission_id, most),
    )


async def count_refused(connection: Connection, shop: str, since: datetime) -> int:
    """Count the sales refused since then that have not become an order, up to MOST."""
    count: int = await connection.fetchval(
        """select count(*) from (
               select from refusal r
               where r.shop = $1 and r.refused_at >= $2
                 and not exists (select from orders o
                                 where (o.shop, o.module, o.idempotency_key) = (r.shop, r.module, r.idempotency_key)
                                   and o.stage = 'placed')
               limit $3) found""",
        *(shop, since, MOST),
    )
    return count
