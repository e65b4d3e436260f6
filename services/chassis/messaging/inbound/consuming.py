"""Consumers: the subscribers of all queues of a service, over one connection at a time.

Each queue has a loop that commits its messages (`queue_reader.py`). Handlers of messages never run inside a
delivery callback: a lost connection cancels callbacks, even in the middle of a COMMIT. The subscribers
(`subscribing.py`) append the message to a list; the queue's own loop commits what has arrived, and acks.
A connection that ends is replaced as a whole, with new channels and consumer tags (RabbitMQ 3.10 may stall on
a reused tag), and unacked messages are redelivered. Every wait on a connection has a limit, and deliveries of
an old connection are ignored.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from time import monotonic
from typing import Any

import structlog
from aiormq.exceptions import ChannelNotFoundEntity

from services.chassis.errors import describe
from services.chassis.limits import is_cancelled, within
from services.chassis.messaging.inbound.queue_reader import QueueReader
from services.chassis.messaging.inbound.subscribing import ServiceBroker, Subscription
from services.chassis.messaging.inbound.wire import tolerate_foreign_properties

log = structlog.get_logger()
RECONNECT_SECONDS = 1.0
LONGEST_RECONNECT_SECONDS = 5.0
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
ANSWER_SECONDS = 5.0
DRAIN_SECONDS = 5.0
CANCEL_SECONDS = 2.0
MISSING_SECONDS = 2.0
tolerate_foreign_properties()


class Consumers:
    """All queues of a service, over one connection at a time. `missing` are queues the broker does not have:
    the others are consumed, and these as soon as they exist. `begin` is called when the broker is started.
    """

    def __init__(
        self,
        amqp_url: str,
        readers: Sequence[QueueReader],
        prefetch: int,
        begin: Callable[[], Awaitable[None]],
    ) -> None:
        self.broker = ServiceBroker(amqp_url, begin, self.stop)
        self._subscriptions = [Subscription(self.broker, reader, prefetch) for reader in readers]
        self._readers = readers
        self._lost = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._robust: Any = None
        self._connection: Any = None
        self._generation = 0
        self.is_consuming = self.is_paused = False
        self.missing: list[str] = []
        self.last_error = "not connected yet"
        for reader in readers:
            reader.on_dead_connection = self.renew

    async def run(self) -> None:
        """Consume until stopped, reconnecting whenever the connection ends."""
        self._ended.clear()
        try:
            await self._run()
        finally:
            self._ended.set()

    async def _run(self) -> None:
        pause, logged = RECONNECT_SECONDS, ""
        while not self._stopping.is_set():
            began = monotonic()
            try:
                await self._run_connected()
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                self.last_error = "the connection was closed while connecting"
            except Exception as error:
                self.last_error = describe(error)
            self.is_consuming = False
            if self._stopping.is_set():
                return
            has_worked = monotonic() - began > CONNECT_SECONDS + ANSWER_SECONDS
            pause = RECONNECT_SECONDS if has_worked else min(pause * 2, LONGEST_RECONNECT_SECONDS)
            if has_worked or self.last_error != logged:
                logged = self.last_error
                log.warning("not consuming; reconnecting", error=logged)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def stop(self, seconds: float = DRAIN_SECONDS + 2) -> None:
        """Receive no more messages, commit and ack those received, then close the connection."""
        self._stopping.set()
        self._lost.set()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    def renew(self, why: str) -> None:
        """Drop this connection and open another."""
        self.last_error = why
        self._lost.set()

    def pause(self, is_paused: bool) -> None:
        """Cancel the consumers, after what was received is committed and acked, or consume again. The connection is
        replaced in either case; while paused it only serves to count messages."""
        if is_paused != self.is_paused:
            self.is_paused = is_paused
            if self._connection is not None:
                self.renew("paused by an operator" if is_paused else "resumed by an operator")

    async def counts(self) -> dict[str, tuple[int, int]]:
        """Return ready messages and consumers of each existing queue, queried on a separate channel.
        TimeoutError after 5 s."""
        if self._connection is None:
            return {}
        return await within(ANSWER_SECONDS, self._counts(self._connection))

    async def _counts(self, connection: Any) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        channel: Any = None
        for reader in self._readers:
            if channel is None or channel.is_closed:
                channel = await connection.channel(publisher_confirms=False, timeout=ANSWER_SECONDS)
            with contextlib.suppress(ChannelNotFoundEntity):
                declared = await channel.queue_declare(reader.queue, passive=True, timeout=ANSWER_SECONDS)
                found[reader.queue] = (declared.message_count or 0, declared.consumer_count or 0)
        if channel is not None and not channel.is_closed:
            await channel.close()
        return found

    async def _run_connected(self) -> None:
        self._lost.clear()
        self._generation += 1
        try:
            self._robust = await within(CONNECT_SECONDS, self.broker.connect())
            if self._robust.is_closed:
                raise ConnectionError("the previous connection has not ended yet")
            self._robust.close_callbacks.add(self._closer(self._generation))
            self._connection = self._robust.transport.connection
            existing = await self.counts()
            self._note_missing([reader.queue for reader in self._readers if reader.queue not in existing])
            if not self.is_paused:
                await within(CONNECT_SECONDS, self._consume(existing))
                self.is_consuming = True
                log.info("consuming", queues=sorted(existing), missing=self.missing)
            await self._wait_until_lost()
        finally:
            self.is_consuming = False
            await self._close()

    async def _consume(self, existing: Collection[str]) -> None:
        """Start the subscribers of all queues that exist."""
        on_close = self._closer(self._generation)
        for subscription in self._subscriptions:
            if subscription.queue in existing:
                await subscription.start(on_close)

    async def _wait_until_lost(self) -> None:
        """Wait until the connection ends, is dropped, or a missing queue exists."""
        while not self._lost.is_set():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._lost.wait(), MISSING_SECONDS if self.missing else None)
            if self.missing and not self._lost.is_set():
                existing = await self.counts()
                if back := [queue for queue in self.missing if queue in existing]:
                    self.renew(f"{', '.join(back)} was missing and is there")

    def _note_missing(self, missing: list[str]) -> None:
        if missing and missing != self.missing:
            log.error("queues are missing; apply the topology", queues=missing)
        self.missing = missing

    async def _close(self) -> None:
        """Close the connection within a few seconds, whether the broker answers or not: one left open would
        go on receiving messages that are never acked.
        """
        if self._stopping.is_set() or self.is_paused:
            await self._cancel_consumers()
            await asyncio.gather(*(reader.drain(DRAIN_SECONDS) for reader in self._readers))
        self._generation += 1
        robust, connection, self._robust, self._connection = self._robust, self._connection, None, None
        for subscription in self._subscriptions:
            subscription.forget()
        for reader in self._readers:
            reader.forget()
        why = ConnectionError("connection abandoned")
        if robust is not None:  # the outer one first: it would reconnect automatically
            await self._tried(robust.close(why))
        if connection is not None and not connection.is_closed:
            await self._tried(connection.close(why))
        await self._tried(self.broker.disconnect())

    async def _tried(self, closing: Any) -> None:
        try:
            await within(CLOSE_SECONDS, closing)
        except Exception as error:
            log.info("connection did not close cleanly", error=describe(error))

    async def _cancel_consumers(self) -> None:
        for subscription in self._subscriptions:
            with contextlib.suppress(Exception):
                await within(CANCEL_SECONDS, subscription.cancel())

    def _closer(self, generation: int) -> Callable[..., None]:
        def on_close(*declared: Any) -> None:
            if generation == self._generation and not self._lost.is_set():
                reasons = [describe(one) for one in declared if isinstance(one, BaseException)]
                self.renew(reasons[0] if reasons else "the broker ended a channel or a consumer")

        return on_close
