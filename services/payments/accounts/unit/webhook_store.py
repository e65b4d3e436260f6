"""SQL by which webhooks and orders find each other: providers' objects with the order of each, and the one that has its
money; the keys that webhooks wait for, and their results. Of objects it locks only the rows that it writes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer


class ObjectRow(NamedTuple):
    shop: str
    provider: str
    object_id: str
    order_id: UUID


def _object_rows(orders: Mapping[tuple[str, str, str], UUID]) -> list[ObjectRow]:
    return [ObjectRow(*key, order_id=order_id) for key, order_id in sorted(orders.items())]


_LINK_OBJECTS = Bulk(
    ObjectRow,
    """INSERT INTO provider_object ({columns})
       SELECT * FROM {rows} ON CONFLICT DO NOTHING""",
)


async def link_objects(connection: Writer, links: Mapping[tuple[str, str, str], UUID]) -> None:
    """Link providers' objects to orders; an object that has an order keeps it."""
    await _LINK_OBJECTS.execute(connection, _object_rows(links))


_CLAIM_OBJECTS = Bulk(
    ObjectRow,
    """INSERT INTO provider_object AS o ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, provider, object_id) DO UPDATE SET order_id = excluded.order_id, moved_to = NULL
       WHERE NOT EXISTS (SELECT FROM ledger_entry e
                         WHERE (e.shop, e.provider, e.object_id) = (o.shop, o.provider, o.object_id))""",
)


async def claim_objects(connection: Writer, claims: Mapping[tuple[str, str, str], UUID]) -> None:
    """Link objects to an order by a staff decision: it overrides an earlier link, as long as nothing of
    the object is in the ledger.
    """
    await _CLAIM_OBJECTS.execute(connection, _object_rows(claims))


_MOVE_OBJECTS = Bulk(
    ObjectRow,
    """UPDATE provider_object o SET moved_to = n.order_id
       FROM {rows} AS n ({columns})
       WHERE (o.shop, o.provider, o.object_id) = (n.shop, n.provider, n.object_id)""",
)


async def move_objects(connection: Writer, moves: Mapping[tuple[str, str, str], UUID]) -> None:
    """Record which order has the money of a payment now."""
    await _MOVE_OBJECTS.execute(connection, _object_rows(moves))


_READ_OBJECTS = Bulk(
    tuple[str, str, str],
    """SELECT o.* FROM provider_object o JOIN {rows} AS k (shop, provider, object_id)
       USING (shop, provider, object_id)""",
)


async def holders_of_objects(
    connection: Connection, objects: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], UUID]:
    """Return the orders that have the money of those payments (shop, provider, object id) now."""
    rows = await _READ_OBJECTS.fetch(connection, objects)
    return {
        (row["shop"], row["provider"], row["object_id"]): row["moved_to"] or row["order_id"] for row in rows
    }


async def orders_of_objects(
    connection: Connection, objects: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], UUID]:
    """Return the orders linked to those objects (shop, provider, object id)."""
    rows = await _READ_OBJECTS.fetch(connection, objects)
    return {(row["shop"], row["provider"], row["object_id"]): row["order_id"] for row in rows}


class Ending(NamedTuple):
    """The result of a webhook so far, as its row's columns: state, reason, and the order it was applied to."""

    webhook_id: UUID
    state: str
    reason: str | None = None
    detail: str | None = None
    order_id: UUID | None = None
    object_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None


_END = Bulk(
    Ending,
    """UPDATE webhook w SET state = n.state, reason = n.reason, detail = n.detail, order_id = n.order_id,
           object_id = n.object_id, amount_minor = n.amount_minor, currency = n.currency, handled_at = {now}
       FROM {rows} AS n ({columns}) WHERE w.id = n.webhook_id""",
)


async def end(connection: Writer, endings: Sequence[Ending], now: datetime) -> None:
    """Write the results of locked webhooks."""
    await _END.execute(connection, endings, now=now)


_LOCK_KEYS = Bulk(
    tuple[str, str],
    """SELECT pg_advisory_xact_lock(h) FROM (
           SELECT DISTINCT hashtextextended('payments ' || shop || ' ' || key, 0) AS h
           FROM {rows} AS k (shop, key) ORDER BY h) AS sorted""",
)


async def lock_keys(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Lock (shop, key) pairs until the end of the transaction, in one fixed order.

    Two different keys may share a lock (64-bit hash): the only consequence is an unnecessary wait.
    """
    await _LOCK_KEYS.execute(connection, keys)


class WaitRow(NamedTuple):
    shop: str
    key: str
    webhook_id: UUID


_WAIT_FOR = Bulk(
    WaitRow,
    """INSERT INTO webhook_wait ({columns})
       SELECT * FROM {rows} ON CONFLICT DO NOTHING""",
)


async def wait_for(connection: Writer, waits: Sequence[WaitRow]) -> None:
    """Record what webhooks wait for: (shop, key, webhook id). The keys must be locked."""
    await _WAIT_FOR.execute(connection, waits)


_WAKE = Bulk(
    tuple[str, str],
    """WITH found AS (
           SELECT DISTINCT v.webhook_id AS id FROM webhook_wait v
           JOIN {rows} AS k (shop, key) USING (shop, key)),
       locked AS (
           SELECT w.id FROM webhook w JOIN found USING (id)
           WHERE length(w.body) > 2 OR w.amount_minor IS NOT NULL
           ORDER BY w.provider, w.endpoint, w.event_id FOR UPDATE OF w),
       forgotten AS (
           DELETE FROM webhook_wait v USING found WHERE v.webhook_id = found.id)
       UPDATE webhook w SET state = 'received', reason = NULL, detail = NULL
       FROM locked WHERE w.id = locked.id RETURNING w.id""",
)


async def wake(connection: Connection, keys: Sequence[tuple[str, str]]) -> list[UUID]:
    """Mark webhooks that wait for these keys to be applied again. The keys must be locked; locks the
    webhooks.

    Webhooks whose content was deleted (see `webhooks/retention.py`) keep their result.
    """
    rows = await _WAKE.fetch(connection, keys)
    return [row["id"] for row in rows]


_WAKE_PARKED = Bulk(
    tuple[str, str, str],
    """UPDATE webhook w SET state = 'received', reason = NULL, detail = NULL, judged_by = 'reassigned'
       FROM {rows} AS n (shop, provider, object_id)
       WHERE w.shop = n.shop AND w.provider = n.provider AND w.object_id = n.object_id
         AND w.state IN ('waiting', 'parked') RETURNING w.id""",
)


async def wake_parked(connection: Connection, objects: Sequence[tuple[str, str, str]]) -> list[UUID]:
    """Mark webhooks parked with a payment (shop, provider, object id) whose order was named since to be
    applied again.
    """
    rows = await _WAKE_PARKED.fetch(connection, objects)
    return [row["id"] for row in rows]


_READ_UNMATCHED_CURRENCIES = Bulk(
    tuple[str, str, str],
    """SELECT DISTINCT w.shop, w.provider, w.object_id, w.currency
       FROM webhook w JOIN {rows} AS k (shop, provider, object_id)
           USING (shop, provider, object_id)
       WHERE w.state IN ('received', 'waiting', 'parked')""",
)


async def read_unmatched_currencies(
    connection: Connection, objects: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], str]:
    """Return those of the payments (shop, provider, object id) of which a webhook waits or is parked, with
    its currency.
    """
    rows = await _READ_UNMATCHED_CURRENCIES.fetch(connection, objects)
    return {(row["shop"], row["provider"], row["object_id"]): row["currency"] or "" for row in rows}
