"""Requests that wait for a command's outcome, without a thread, a connection or a busy loop each.

The handler of an outcome announces it after its commit, which wakes the request immediately when both run in one
process. Another replica may have handled it, so one query of the database every 100 ms covers all waiting
requests; it stops when none waits. A lost announcement therefore costs at most 100 ms, never the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog

POLL_SECONDS = 0.1

FindSettled = Callable[[Collection[UUID]], Awaitable[Iterable[UUID]]]
"""Query that returns those of these commands that have an outcome."""


class Settled(NamedTuple):
    """Outcome of a command as in its row: state, outcome as JSON, time."""

    state: str
    outcome: str
    settled_at: datetime


class Waiting:
    """Commands of one process whose outcome is waited for."""

    def __init__(self) -> None:
        self._waiters: dict[UUID, set[asyncio.Future[Settled | None]]] = {}
        self._polling: asyncio.Task[None] | None = None

    def announce(self, settled: Mapping[UUID, Settled | None]) -> None:
        """Wake the requests that wait for these commands. Called after the commit; never fails, and may be
        omitted.

        None means that the outcome is in the database and not known here.
        """
        for command_id, outcome in settled.items():
            for waiter in self._waiters.get(command_id, ()):
                if not waiter.done():
                    waiter.set_result(outcome)

    async def wait(self, command_id: UUID, seconds: float, find_settled: FindSettled) -> bool:
        """Wait up to this many seconds for the outcome. Return whether it arrived."""
        try:
            await self._announced(command_id, seconds, find_settled)
        except TimeoutError:
            return False
        return True

    async def wait_for_outcome(
        self, command_id: UUID, seconds: float, find_settled: FindSettled
    ) -> Settled | None:
        """Return the outcome, if this process handled it within this many seconds; None: read the state from
        the database.
        """
        try:
            return await self._announced(command_id, seconds, find_settled)
        except TimeoutError:
            return None

    async def _announced(self, command_id: UUID, seconds: float, find_settled: FindSettled) -> Settled | None:
        waiter: asyncio.Future[Settled | None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(command_id, set()).add(waiter)
        self._start_polling(find_settled)
        try:
            async with asyncio.timeout(seconds):
                return await waiter
        finally:
            self._forget(command_id, waiter)

    def _forget(self, command_id: UUID, waiter: asyncio.Future[Settled | None]) -> None:
        self._waiters[command_id].discard(waiter)
        if not self._waiters[command_id]:
            del self._waiters[command_id]

    def _start_polling(self, find_settled: FindSettled) -> None:
        if self._polling is None or self._polling.done():
            self._polling = asyncio.get_running_loop().create_task(self._poll(find_settled))

    async def _poll(self, find_settled: FindSettled) -> None:
        while self._waiters:
            await asyncio.sleep(POLL_SECONDS)
            if self._waiters:
                try:
                    self.announce(dict.fromkeys(await find_settled(list(self._waiters))))
                except Exception as error:  # noqa: BLE001 - the next query may succeed, waiting goes on
                    structlog.get_logger().warning("outcomes_not_looked_up", error=type(error).__name__)


waiting = Waiting()
"""Registry of this process: outcome handlers announce here, the REST API waits here."""
