"""In-process cache with a TTL of a few seconds: a shop's settings and its labels.

Invariant: what a process tells is at most `KEPT_SECONDS` older than the database; who changes something forgets it
here at once, so that a person sees their own change on the next page. Nothing that is decided by money or stock may be
read through this.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar
from uuid import UUID

from services.chassis.storage.database import Connection

KEPT_SECONDS = 3.0
T = TypeVar("T")


class TtlCache(Generic[T]):
    """One value per process and shop; `read` gets it from the database."""

    def __init__(self, read: Callable[[Connection, str], Awaitable[T]]) -> None:
        self._read = read
        self._kept: dict[tuple[UUID, str], tuple[float, T]] = {}

    async def get(self, connection: Connection, owner: UUID, shop: str) -> T:
        """The shop's value. `owner` is the process's (`hub.owner`, `unit.owner`): tests run several in one."""
        kept = self._kept.get((owner, shop))
        if kept is not None and monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        value = await self._read(connection, shop)
        self._kept[owner, shop] = (monotonic(), value)
        return value

    def forget(self, owner: UUID, shop: str) -> None:
        """The shop's value changed. Called after the commit."""
        self._kept.pop((owner, shop), None)
