"""Retention of customers' IP addresses and browsers: kept for a limited time, then deleted.

They help against fraud for some weeks and must not be kept longer. Invariant: a sale older than the shop's
`keeps_ip_days` contains neither, whether it was placed or refused; the rest of it is unchanged. Work
continues from a mark per shop and table, so no row is processed twice and an interruption loses nothing.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.storage.database import Connection
from services.orders.order.shop import store as setting_store
from services.orders.order.shop.settings import settings_of
from services.orders.order.shop.store import SOURCES, Source

BATCH = 1000
IDLE_SECONDS = 3600.0
FORGOTTEN = ("ip_address", "browser")
_ONE_AT_A_TIME = 0x666F7267657473


def forgetter() -> Worker:
    """Return the worker that deletes them once an hour."""
    return Worker("forgetting", forget_due, IDLE_SECONDS)


async def forget_due(process: Process) -> bool:
    """Delete some of those that are due. Return whether there may be more."""
    async with process.acquire() as connection, connection.transaction():
        if not await setting_store.try_lock(connection, _ONE_AT_A_TIME):
            return False
        more = False
        for shop in await setting_store.read_shops(connection):
            settings = await settings_of.get(connection, process.owner, shop)
            if settings.keeps_ip_days is not None:
                limit = datetime.now(UTC) - timedelta(days=settings.keeps_ip_days)
                for source in SOURCES:
                    more |= await _forget(connection, shop, source, limit)
    return more


async def _forget(connection: Connection, shop: str, source: Source, limit: datetime) -> bool:
    mark = await setting_store.read_mark(connection, shop, source)
    if mark is None or mark >= limit:
        return False
    end = await setting_store.end_of_batch(connection, shop, source, (mark, limit), BATCH)
    rows = await setting_store.lock_bodies(connection, shop, source, (mark, end or limit))
    changed = list(_without(rows))
    if changed:
        await setting_store.write_bodies(connection, source, changed)
    await setting_store.write_mark(connection, shop, source, end or limit)
    return end is not None


def _without(rows: Sequence[setting_store.Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        body: Any = json.loads(row["body"])
        customer = body.get("customer") if isinstance(body, dict) else None
        if isinstance(customer, dict) and any(name in customer for name in FORGOTTEN):
            body["customer"] = {name: value for name, value in customer.items() if name not in FORGOTTEN}
            yield row["place"], json.dumps(body, separators=(",", ":"))
