"""Background work of a service: loops that do what is due and pause when there is nothing.

An unavailable database makes a worker wait; any other error is logged, counted and retried after a pause.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from services.chassis import metrics
from services.chassis.errors import describe
from services.chassis.limits import cancellations_as_errors
from services.chassis.messaging import timer_store
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Row, is_outage

log = structlog.get_logger()
IDLE_SECONDS = 0.5
"""Pause between two looks for work. Work that this process plans wakes the worker at once; this is for retries that
fall due and for what another process left. The pause after a failure begins at twice this.
"""
LONGEST_PAUSE_SECONDS = 10.0
FAILED_TIMER_PAUSE = timedelta(seconds=30)
TimerHandler = Callable[[Unit, str, dict[str, Any]], Awaitable[None]]


class Worker:
    """A loop: `run` is called again immediately while it returns True, else after `idle_seconds` or a
    nudge.
    """

    def __init__(
        self, name: str, run: Callable[[Process], Awaitable[bool]], idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.name = name
        self._run = run
        self._idle_seconds = idle_seconds
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Wake the worker: there is work, so it need not wait for the pause to end."""
        self._nudged.set()

    async def loop(self, process: Process) -> None:
        """Work until the process stops."""
        failures, logged = 0, ""
        while not process.stopping.is_set():
            self._nudged.clear()
            try:
                with cancellations_as_errors():
                    more = await self._run(process)
                failures, logged = 0, ""
            except Exception as error:
                more = False
                failures += 1
                metrics.WORKER_ERRORS.labels(process.service, self.name).inc()
                logged = self._log_failure(error, logged)
            if not more:
                pause = self._idle_seconds
                if failures:
                    pause = min(pause * 2 ** min(failures, 10), LONGEST_PAUSE_SECONDS)
                await self._rest(process, pause, patient=failures > 0)

    def _log_failure(self, error: Exception, logged: str) -> str:
        """Log a failure; an unavailable dependency is logged once, not at each attempt."""
        reason = describe(error)
        if not is_outage(error):
            log.error("worker failed", worker=self.name, error=reason, exc_info=error)
        elif reason != logged:
            log.warning("worker failed", worker=self.name, error=reason)
        return reason

    async def _rest(self, process: Process, seconds: float, patient: bool) -> None:
        """Pause after a failure: a nudge does not shorten the pause; a stop does."""
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(seconds):
                await (process.stopping.wait() if patient else self._nudged.wait())


class _Outlived(Exception):
    """The timer was moved or cancelled while its handler ran: the handler's changes are rolled back."""


def timer_worker(handlers: Mapping[str, TimerHandler]) -> Worker:
    """Return the worker that fires timers: each in the transaction that removes it.

    The handler runs first, so that it locks an order before its timer, as a batch does: otherwise each would
    wait for the other.
    """

    async def fire(process: Process) -> bool:
        row: Row | None = None
        async with process.acquire() as connection:
            if not await timer_store.is_timer_due(connection):
                return False
        try:
            async with process.unit() as unit:
                row = await timer_store.find_timer(unit.connection)
                if row is None:
                    return False
                handler = handlers.get(row["kind"])
                if handler is None:
                    raise LookupError(f"no handler for timer {row['kind']} {row['key']}")
                await handler(unit, row["key"], json.loads(row["payload"]))
                if not await timer_store.remove_timer(unit.connection, row):
                    raise _Outlived
        except _Outlived:
            return True
        except Exception as error:
            if row is None or is_outage(error):
                raise
            await _let_others_go_first(process, row, error)
        return True

    async def _let_others_go_first(process: Process, row: Row, error: Exception) -> None:
        metrics.WORKER_ERRORS.labels(process.service, "timers").inc()
        log.error("timer failed", kind=row["kind"], key=row["key"], error=describe(error), exc_info=error)
        async with process.acquire() as connection:
            await timer_store.postpone_timer(connection, row["kind"], row["key"], FAILED_TIMER_PAUSE)

    return Worker("timers", fire)
