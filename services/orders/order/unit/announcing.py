"""Tells every back office of this database which orders changed, so that open pages look again.

After a commit the book only notes ids in memory; a worker says them with one `pg_notify` at most every 250 ms, in a
transaction of its own. It is a hint, never a fact: a process that dies says nothing, and pages look again by themselves
when their stream begins anew. Payload: {"shop": ["order id", …]}, or {"shop": n} when there are too many to name.
"""

import json
from collections.abc import Iterable
from uuid import UUID

from services.chassis.messaging.process import Process
from services.chassis.work.working import Worker

CHANNEL = "orders_changed"
EVERY_SECONDS = 0.25
MOST_IDS = 150
"""36 characters and a comma each; a payload may have 7999 bytes."""


class Announcements:
    """What this process has to tell: ids by shop, or only how many once they are too many."""

    def __init__(self) -> None:
        self._changed: dict[str, set[UUID]] = {}
        self._many: dict[str, int] = {}

    def note(self, keys: Iterable[tuple[str, UUID]]) -> None:
        """These orders changed (shop, id); called after the commit."""
        for shop, order_id in keys:
            ids = self._changed.setdefault(shop, set())
            if len(ids) < MOST_IDS:
                ids.add(order_id)
            else:
                self._many[shop] = self._many.get(shop, 0) + 1

    def take(self) -> list[str]:
        """The payloads to send, one a shop, and nothing is left."""
        changed, many = self._changed, self._many
        self._changed, self._many = {}, {}
        return [
            json.dumps({shop: len(ids) + many[shop] if shop in many else [str(one) for one in sorted(ids)]})
            for shop, ids in changed.items()
        ]


announcements = Announcements()
"""This process's."""


async def _announce(process: Process) -> bool:
    payloads = announcements.take()
    if payloads:
        async with process.acquire() as connection:
            await connection.execute(
                "select pg_notify($1, p) from unnest($2::text[]) as p", CHANNEL, payloads
            )
    return False


def announcer() -> Worker:
    """The worker that says it."""
    return Worker("announcing", _announce, EVERY_SECONDS)
