"""The relay, the only publisher: it sends committed messages and deletes them once the broker has confirmed.

Right after a commit the batch is handed over in memory and its publishes are pipelined; `mandatory` makes the
broker return messages that match no queue. Messages that are returned, unconfirmed or left by a dead process
remain in `msg.dispatch`, and every replica sweeps rows whose lease has expired. There is no leader and no
recovery step. Two publishes of one row are harmless: consumers deduplicate by the event id.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic, perf_counter
from typing import cast
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError
from aiormq import Channel as UnderlayChannel

from contracts.envelope import MAX_BODY_BYTES
from services.chassis import metrics
from services.chassis.errors import describe
from services.chassis.failpoints import reach
from services.chassis.limits import cancellations_as_errors, within
from services.chassis.messaging import outbox_store
from services.chassis.messaging.outbound.outgoing_messages import is_gone, outgoing_of, publish_of
from services.chassis.messaging.outbound.pipelining import (
    confirming_channel,
    outcomes,
    publish_together,
)
from services.chassis.messaging.outbound.refusals import (
    ENDED_BY_THE_BROKER,
    EVENT_GONE,
    GONE_PAUSE,
    REFUSED_PAUSE,
    Refusal,
    why_refused,
)
from services.chassis.messaging.outgoing import Outgoing
from services.chassis.storage.database import Pool, acquire, is_outage

log = structlog.get_logger()
IN_FLIGHT = 256
SWEEP_LIMIT = 500
MOST_IN_MEMORY = 20_000
PUBLISH_SECONDS = 10.0
SWEEP_SECONDS = 1.0
LONGEST_WITHOUT_SWEEP_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
LONGEST_RECONNECT_SECONDS = 5.0
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
BLOCKED_SECONDS = 0.05
ONE_BY_ONE_AFTER_A_FAULT = SWEEP_LIMIT
"""A publish to a missing or forbidden exchange closes the channel, with all that is in flight on it: the
culprit is found by sending one message at a time for a while."""


class Relay:
    """Publisher of committed messages, on a connection of its own."""

    def __init__(self, service: str, amqp_url: str, pool: Pool, owner: UUID, lease: timedelta) -> None:
        self._service = service
        self._url = amqp_url
        self._pool = pool
        self._owner = owner
        self._lease = lease
        self._waiting: deque[Outgoing] = deque()
        self._work = asyncio.Event()
        self._channel: UnderlayChannel | None = None
        self._stopping = False
        self._login = unquote(urlsplit(amqp_url).username or "guest")
        self._sweep_at = 0.0
        self.last_progress = monotonic()
        self.last_error = ""
        self._reconnect_seconds = RECONNECT_SECONDS
        self.is_failing = False
        self.has_unroutable = False
        self._one_by_one = 0
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def is_connected(self) -> bool:
        return self._channel is not None and not self._channel.is_closed

    @property
    def problem(self) -> str | None:
        """Return why nothing is being published; None when publishing works, or would. A broker may accept
        connections and still confirm nothing."""
        if self.is_connected and not self.is_failing:
            return None
        return self.last_error or "connecting"

    @property
    def is_idle(self) -> bool:
        return not self._waiting

    def hand_over(self, outgoing: Sequence[Outgoing]) -> None:
        """Accept committed messages. While the broker is unavailable, or memory is full, only the outbox
        keeps them."""
        if self.is_connected and len(self._waiting) + len(outgoing) <= MOST_IN_MEMORY:
            self._waiting.extend(outgoing)
        else:
            self._sweep_at = 0.0
        self._work.set()

    async def run(self) -> None:
        """Publish until stopped; reconnect without limit, since an unavailable broker is no reason to give up."""
        self._ended.clear()
        try:
            await self._run()
        finally:
            self._ended.set()

    async def _run(self) -> None:
        while not self._stopping:
            try:
                with cancellations_as_errors():
                    await self._run_connected()
            except Exception as error:
                self._record_failure(error)
            self._waiting.clear()
            if not self._stopping:
                await self._pause()

    async def stop(self, seconds: float = 5.0) -> None:
        """Send what is in memory, for at most so many seconds, then end. The rest remains in the outbox."""
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(seconds):
                while self._waiting and self.is_connected:
                    await asyncio.sleep(0.01)
                self._stopping = True
                self._work.set()
                await self._ended.wait()  # until the batch in flight is confirmed and deleted
        self._stopping = True
        self._work.set()

    def _record_failure(self, error: Exception) -> None:
        """Record why nothing is being published; it is logged when it begins and when it changes."""
        logged, self.last_error = self.last_error if self.is_failing else "", describe(error)
        self.is_failing = True
        self.last_progress = monotonic()
        is_unavailable = isinstance(error, AMQPError | OSError | TimeoutError) or is_outage(error)
        self._reconnect_seconds = min(self._reconnect_seconds * 2, LONGEST_RECONNECT_SECONDS)
        if not is_unavailable:
            log.error("relay interrupted", error=self.last_error, exc_info=error)
        elif self.last_error != logged:
            log.warning("relay interrupted", error=self.last_error)

    async def _pause(self) -> None:
        """Wait before the next connection; a stop ends the wait, new work does not."""
        until = monotonic() + self._reconnect_seconds
        while not self._stopping and monotonic() < until:
            await asyncio.sleep(0.05)

    async def _run_connected(self) -> None:
        connection = await within(CONNECT_SECONDS, self._connect())
        try:
            self._channel = cast(
                "UnderlayChannel", await within(CONNECT_SECONDS, confirming_channel(connection))
            )
            await self._release_own()
            await self._publish_until_closed()
        finally:
            self._channel = None
            with contextlib.suppress(Exception):
                await within(CLOSE_SECONDS, connection.close())

    async def _connect(self) -> AbstractConnection:
        return await aio_pika.connect(
            self._url, timeout=5, client_properties={"connection_name": f"{self._service} relay"}
        )

    async def _release_own(self) -> None:
        async with acquire(self._pool) as connection:
            await outbox_store.release_dispatches(connection, self._owner)
        self._sweep_at = monotonic()

    async def _publish_until_closed(self) -> None:
        while not self._stopping and self.is_connected:
            late = monotonic() - self._sweep_at
            if self._waiting and late < LONGEST_WITHOUT_SWEEP_SECONDS:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), IN_FLIGHT))]
            elif late >= 0:
                batch = await self._sweep()
            else:
                await self._rest()
                continue
            if self._one_by_one > 0:
                self._one_by_one -= len(batch)
                for outgoing in batch:
                    await self._publish([outgoing])
            elif batch:
                await self._publish(batch)

    async def _rest(self) -> None:
        self._work.clear()
        if self._waiting:
            return
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(max(self._sweep_at - monotonic(), 0.01)):
                await self._work.wait()

    async def _sweep(self) -> list[Outgoing]:
        async with acquire(self._pool) as connection:
            rows = await outbox_store.take_dispatches(connection, self._owner, self._lease, SWEEP_LIMIT)
            if gone := [row["dispatch_id"] for row in rows if is_gone(row)]:
                log.error(
                    "messages can't be published: their events are no longer in the log", messages=len(gone)
                )
                held = [outbox_store.HeldDispatchRow(dispatch_id, EVENT_GONE) for dispatch_id in gone]
                await outbox_store.hold_dispatches(connection, held, GONE_PAUSE)
        self._sweep_at = monotonic() + (SWEEP_SECONDS if len(rows) < SWEEP_LIMIT else 0.0)
        if not rows and not self._waiting:
            self._is_well()
        return [outgoing_of(row, self._service) for row in rows if not is_gone(row)]

    def _is_well(self) -> None:
        self.is_failing = False
        self._reconnect_seconds = RECONNECT_SECONDS

    async def _publish(self, batch: Sequence[Outgoing]) -> None:
        """Publish a batch. A batch larger than the broker accepts would close the channel for all, and never
        be sent."""
        assert self._channel is not None
        if large := [outgoing for outgoing in batch if len(outgoing.body) > MAX_BODY_BYTES]:
            await self._settle([], [Refusal(outgoing, "too_large", ValueError()) for outgoing in large])
            batch = [outgoing for outgoing in batch if len(outgoing.body) <= MAX_BODY_BYTES]
            if not batch:
                return
        began = perf_counter()
        publishes = [publish_of(outgoing, self._service, self._login) for outgoing in batch]
        confirms = await publish_together(self._channel, publishes, PUBLISH_SECONDS)
        await asyncio.sleep(0)
        reach("before_confirm")
        results = await outcomes(confirms, PUBLISH_SECONDS)
        reach("after_confirm")
        confirmed = [o.dispatch_id for o, result in zip(batch, results, strict=True) if result is None]
        refused = [
            Refusal(outgoing, why, result)
            for outgoing, result in zip(batch, results, strict=True)
            if result is not None and (why := why_refused(outgoing, result))
        ]
        metrics.CONFIRM_SECONDS.labels(self._service).observe(perf_counter() - began)
        metrics.PUBLISHED.labels(self._service).inc(len(confirmed))
        await self._settle(confirmed, refused)
        if confirmed:
            self.last_progress = monotonic()
            self._is_well()
        if any(isinstance(result, ENDED_BY_THE_BROKER) for result in results):
            self._one_by_one = ONE_BY_ONE_AFTER_A_FAULT
        if unknown := [r for o, r in zip(batch, results, strict=True) if r and not why_refused(o, r)]:
            metrics.UNCONFIRMED.labels(self._service, "unknown").inc(len(unknown))
            blocked = "the broker's memory or disk alarm is on, " if await self._is_blocked() else ""
            raise ConnectionError(
                f"{blocked}{len(unknown)} publishes without a confirm: {unknown[0]!r}"[:500]
            )

    async def _is_blocked(self) -> bool:
        """Return whether the broker has signalled that it accepts no messages until it is unblocked."""
        if self._channel is None or self._channel.is_closed:
            return False
        try:
            await within(BLOCKED_SECONDS, self._channel.connection.ready())
        except TimeoutError:
            return True
        return False

    async def _settle(self, confirmed: Sequence[UUID], refused: Sequence["Refusal"]) -> None:
        self.has_unroutable = bool(refused)
        async with acquire(self._pool) as connection:
            if confirmed:
                await outbox_store.forget_dispatches(connection, confirmed)
            if refused:
                held = [
                    outbox_store.HeldDispatchRow(refusal.outgoing.dispatch_id, refusal.why)
                    for refusal in refused
                ]
                await outbox_store.hold_dispatches(connection, held, REFUSED_PAUSE)
        for why in {refusal.why for refusal in refused}:
            alike = [refusal for refusal in refused if refusal.why == why]
            metrics.UNCONFIRMED.labels(self._service, why).inc(len(alike))
            log.error(
                "messages stay in the outbox; is the topology applied?",
                why=why,
                messages=len(alike),
                exchange=alike[0].outgoing.exchange,
                key=alike[0].outgoing.routing_key,
                event_id=str(alike[0].outgoing.envelope.id),
                error=repr(alike[0].error)[:300],
            )
