"""In-process cache with a TTL of a few seconds: a shop's settings and its labels.

Invariant: a process returns values at most `KEPT_SECONDS` older than the database; a change invalidates the
local entry immediately, so that users see their own change on the next page. Decisions about money or stock must
not read through this cache.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar
from uuid import UUID

from services.chassis.storage.database import Connection

KEPT_SECONDS = 3.0
T = TypeVar("T")


class TtlCache(Generic[T]):
    """Cache of one value per process and shop; `read` loads it from the database."""

    def __init__(self, read: Callable[[Connection, str], Awaitable[T]]) -> None:
        self._read = read
        self._kept: dict[tuple[UUID, str], tuple[float, T]] = {}

    async def get(self, connection: Connection, owner: UUID, shop: str) -> T:
        """Return the shop's value.

        `owner` is the process's (`hub.owner`, `unit.owner`): tests run several in one process.
        """
        kept = self._kept.get((owner, shop))
        if kept is not None and monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        value = await self._read(connection, shop)
        self.keep(owner, shop, value)
        return value

    def keep(self, owner: UUID, shop: str, value: T) -> None:
        """Keep a value that was just read otherwise, so that later pages do not show an older one."""
        self._kept[owner, shop] = (monotonic(), value)

    def forget(self, owner: UUID, shop: str) -> None:
        """Invalidate the shop's value. Called after the commit."""
        self._kept.pop((owner, shop), None)
