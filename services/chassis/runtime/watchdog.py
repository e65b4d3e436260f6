"""Watchdog: a process whose dependencies answer while it makes no progress exits, to be restarted.

An unavailable dependency is no reason to exit. Health endpoints that report only "connected" have hidden
consumers that never recovered after a broker restart; so the watchdog compares the broker's view with the
process's own progress.
"""

import asyncio
import faulthandler
import os
import sys
import threading
from time import monotonic

import structlog

from services.chassis.background.workers import Worker
from services.chassis.errors import describe
from services.chassis.limits import cancellations_as_errors
from services.chassis.messaging import outbox_store
from services.chassis.messaging.process import Process
from services.chassis.runtime.hub import Hub
from services.chassis.storage import database

log = structlog.get_logger()


EXIT_STATUS = 70
POOL_SECONDS = 10.0


class LoopWatch(threading.Thread):
    """Thread that ends the process when its event loop is blocked: then nothing inside the loop can do so any more.

    It counts its own ticks, not time, so that a process that was suspended as a whole (SIGSTOP, a suspended
    machine) and resumes is not mistaken for one that hangs.
    """

    def __init__(self, limit_seconds: float, ticks: int = 20) -> None:
        super().__init__(name="loop watch", daemon=True)
        self._pause = limit_seconds / ticks
        self._ticks = ticks
        self._beaten = threading.Event()
        self._over = threading.Event()

    def beat(self) -> None:
        """Record that the event loop runs."""
        self._beaten.set()

    def end(self) -> None:
        """Stop watching."""
        self._over.set()

    def run(self) -> None:
        missed = 0
        while not self._over.wait(self._pause):
            missed = 0 if self._beaten.is_set() else missed + 1
            self._beaten.clear()
            if missed >= self._ticks:
                sys.stderr.write('{"event": "the event loop is blocked; exiting", "level": "critical"}\n')
                faulthandler.dump_traceback(sys.stderr)
                os._exit(EXIT_STATUS)


class Watchdog:
    """Watchdog of a process's progress, checked four times per limit; `stuck` is why it should be replaced."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._stalled_since: dict[str, float] = {}
        self.stuck: str | None = None

    def beater(self, watch: LoopWatch) -> Worker:
        """Return the worker that signals to the thread that the event loop runs."""

        async def beat(_: Process) -> bool:
            watch.beat()
            return False

        return Worker("heartbeat", beat, idle_seconds=self._limit / 40)

    def worker(self, hub: Hub) -> Worker:
        """Return the worker that checks for progress."""

        async def look(_: Process) -> bool:
            return await self._look(hub)

        return Worker("watchdog", look, idle_seconds=self._limit / 4)

    async def _look(self, hub: Hub) -> bool:
        try:
            await self._look_at_pool(hub)
            await self._look_at_queues(hub)
            await self._look_at_dispatch(hub)
        finally:
            if self.stuck is not None:
                log.critical("no progress although dependencies answer; exiting", why=self.stuck)
                hub.stopping.set()
        return False

    async def _look_at_pool(self, hub: Hub) -> None:
        """Detect a lost pool: it gives no connection while a new one is answered, and waiting never restores
        its own.

        The queues' readers treat it as an outage and wait, so nothing else would notice.
        """
        if await _pool_answers(hub) or not await database.answers(
            hub.settings.database_url.get_secret_value()
        ):
            self._stalled_since.pop("pool", None)
        else:
            self._note("the database answers, but no connection of the pool does", "pool")

    async def _look_at_queues(self, hub: Hub) -> None:
        consumers = hub.consumers
        if consumers is None or not consumers.is_consuming:
            return
        try:
            with cancellations_as_errors():
                counts = await consumers.counts()
        except Exception as error:
            consumers.renew(f"the broker does not answer on a spare channel: {describe(error)}")
            return
        for reader in hub.readers:
            ready, present = counts.get(reader.queue, (0, 0))
            if present == 0 and reader.queue not in consumers.missing:
                consumers.renew(f"the broker knows no consumer of {reader.queue}")
            hole = reader.tags.hole_since
            if hole is not None and monotonic() - hole > self._limit / 4:
                consumers.renew(f"a delivery of {reader.queue} never reached us")
            waits = ready > 0 or reader.holds_messages
            stalled = waits and reader.outage is None and monotonic() - reader.last_commit > self._limit
            if stalled and await database.answers(hub.settings.database_url.get_secret_value()):
                self._note(f"{reader.queue} has messages and nothing was committed", reader.queue)
            else:
                self._stalled_since.pop(reader.queue, None)

    async def _look_at_dispatch(self, hub: Hub) -> None:
        if not hub.relay.is_connected:
            return
        async with hub.acquire() as connection:
            rows = await outbox_store.overdue_dispatches(connection, hub.owner)
        if rows and monotonic() - hub.relay.last_progress > self._limit and not hub.relay.has_unroutable:
            self._note(f"{rows} messages wait in the outbox and none was confirmed", "dispatch")
        else:
            self._stalled_since.pop("dispatch", None)

    def _note(self, why: str, what: str) -> None:
        since = self._stalled_since.setdefault(what, monotonic())
        if monotonic() - since > self._limit / 2:
            self.stuck = why


async def _pool_answers(hub: Hub) -> bool:
    """Return whether the pool gives a connection that answers. One that is busy for so long counts as lost."""
    try:
        async with asyncio.timeout(POOL_SECONDS), hub.acquire() as connection:
            return bool(await connection.fetchval("SELECT true"))
    except Exception as error:
        if not database.is_outage(error):
            raise
        return False
