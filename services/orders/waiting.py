"""Requests that wait for a command's outcome, without a thread, a connection or a busy loop each.

The handler of an outcome announces it after its commit, which wakes the request at once when both run in one
process. Another replica may have handled it, so one look at the database every 100 ms asks for all that wait
together; it stops when nobody waits. A lost announcement therefore costs at most 100 ms, never the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from uuid import UUID

import structlog

LOOK_SECONDS = 0.1

Look = Callable[[Collection[UUID]], Awaitable[Iterable[UUID]]]
"""Which of these commands have an outcome."""


class Waiting:
    """The commands of one process whose outcome somebody waits for."""

    def __init__(self) -> None:
        self._waiters: dict[UUID, set[asyncio.Event]] = {}
        self._looking: asyncio.Task[None] | None = None

    def announce(self, command_ids: Iterable[UUID]) -> None:
        """Wake who waits for these commands. Called after the commit; never fails, may never be called."""
        for command_id in command_ids:
            for event in self._waiters.get(command_id, ()):
                event.set()

    async def wait(self, command_id: UUID, seconds: float, look: Look) -> bool:
        """Whether the outcome came within so many seconds."""
        event = asyncio.Event()
        self._waiters.setdefault(command_id, set()).add(event)
        self._look_from_time_to_time(look)
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            self._forget(command_id, event)
        return True

    def _forget(self, command_id: UUID, event: asyncio.Event) -> None:
        self._waiters[command_id].discard(event)
        if not self._waiters[command_id]:
            del self._waiters[command_id]

    def _look_from_time_to_time(self, look: Look) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_while_somebody_waits(look))

    async def _look_while_somebody_waits(self, look: Look) -> None:
        while self._waiters:
            await asyncio.sleep(LOOK_SECONDS)
            if self._waiters:
                try:
                    self.announce(await look(list(self._waiters)))
                except Exception as error:  # noqa: BLE001 - the next look may succeed, waiting goes on
                    structlog.get_logger().warning("outcomes_not_looked_up", error=type(error).__name__)


waiting = Waiting()
"""This process's: outcome handlers announce here, the REST API waits here."""
