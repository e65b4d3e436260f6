"""Notifications to every back office of this database about changed orders, so that open pages refresh.

After a commit the unit of work only records ids in memory; a worker sends them with one `pg_notify` at most
every 250 ms, in a transaction of its own. It is a hint, never a fact: a process that dies sends nothing, and
pages refresh automatically when their stream reconnects. Payload: {"shop": ["order id", …]}, or {"shop": n}
when there are too many to list.
"""

import json
from collections.abc import Iterable
from uuid import UUID

from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process

CHANNEL = "orders_changed"
EVERY_SECONDS = 0.25
MOST_IDS = 150
"""36 characters and a comma each; a payload is limited to 7999 bytes."""


class Announcements:
    """Pending notifications of this process: ids by shop, or only their number once there are too many."""

    def __init__(self) -> None:
        self._changed: dict[str, set[UUID]] = {}
        self._many: dict[str, int] = {}

    def note(self, keys: Iterable[tuple[str, UUID]]) -> None:
        """Record that these orders changed (shop, id); called after the commit."""
        for shop, order_id in keys:
            ids = self._changed.setdefault(shop, set())
            if len(ids) < MOST_IDS:
                ids.add(order_id)
            else:
                self._many[shop] = self._many.get(shop, 0) + 1

    def take(self) -> list[str]:
        """Return the payloads to send, one per shop, and clear them."""
        changed, many = self._changed, self._many
        self._changed, self._many = {}, {}
        return [
            json.dumps({shop: len(ids) + many[shop] if shop in many else [str(one) for one in sorted(ids)]})
            for shop, ids in changed.items()
        ]


announcements = Announcements()
"""Pending notifications of this process."""


async def _announce(process: Process) -> bool:
    payloads = announcements.take()
    if payloads:
        async with process.acquire() as connection:
            await connection.execute(
                "select pg_notify($1, p) from unnest($2::text[]) as p", CHANNEL, payloads
            )
    return False


def announcer() -> Worker:
    """Return the worker that sends the notifications."""
    return Worker("announcing", _announce, EVERY_SECONDS)
