"""Consumers: FastStream opens a connection and a channel per queue, deliveries are only collected.

Each queue has a loop that commits them (`queue_reader.py`). Handlers never run inside a delivery callback: a
lost connection cancels callbacks, even in the middle of a COMMIT. They append the message to a list; the
queue's own loop commits whatever has arrived, and acks. A connection that ends is replaced as a whole, with
new channels and consumer tags (RabbitMQ 3.10 may stall on a reused tag), and unacked messages are
redelivered. Every wait on a connection has a limit, and deliveries of an old connection are ignored.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any

import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage
from aiormq.exceptions import ChannelNotFoundEntity
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

from services.chassis.errors import describe
from services.chassis.limits import is_cancelled, within
from services.chassis.messaging.inbound.queue_reader import QueueReader
from services.chassis.messaging.inbound.wire import tolerate_foreign_properties

log = structlog.get_logger()
RECONNECT_SECONDS = 1.0
LONGEST_RECONNECT_SECONDS = 5.0
CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
ANSWER_SECONDS = 5.0
DRAIN_SECONDS = 5.0
MISSING_SECONDS = 2.0
tolerate_foreign_properties()


class Consumers:
    """All queues of a service, over one connection at a time. `missing` are queues the broker does not have:
    the others are consumed, and these as soon as they exist.
    """

    def __init__(
        self,
        service: str,
        amqp_url: str,
        readers: Sequence[QueueReader],
        prefetch: int,
    ) -> None:
        self._service = service
        self._url = amqp_url
        self._readers = readers
        self._prefetch = prefetch
        self._lost = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._robust: Any = None
        self._connection: Any = None
        self._generation = 0
        self._consuming: list[tuple[AbstractChannel, str]] = []
        self.is_consuming = False
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
        pause, told = RECONNECT_SECONDS, ""
        while not self._stopping.is_set():
            began = monotonic()
            try:
                await self._run_connected()
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                self.last_error = "the connection was closed while we connected"
            except Exception as error:
                self.last_error = describe(error)
            self.is_consuming = False
            if self._stopping.is_set():
                return
            has_worked = monotonic() - began > CONNECT_SECONDS + ANSWER_SECONDS
            pause = RECONNECT_SECONDS if has_worked else min(pause * 2, LONGEST_RECONNECT_SECONDS)
            if has_worked or self.last_error != told:
                told = self.last_error
                log.warning("not consuming, connecting again", error=told)
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
                said = await channel.queue_declare(reader.queue, passive=True, timeout=ANSWER_SECONDS)
                found[reader.queue] = (said.message_count or 0, said.consumer_count or 0)
        if channel is not None and not channel.is_closed:
            await channel.close()
        return found

    async def _run_connected(self) -> None:
        self._lost.clear()
        self._generation += 1
        broker = self._make_broker()
        try:
            self._robust = await within(CONNECT_SECONDS, broker.connect())
            self._connection = self._robust.transport.connection
            standing = await self.counts()
            self._note_missing([reader.queue for reader in self._readers if reader.queue not in standing])
            for reader in self._readers:
                if reader.queue in standing:
                    self._subscribe(broker, reader)
            await within(CONNECT_SECONDS, broker.start())
            await within(CONNECT_SECONDS, self._consume(broker))
            self.is_consuming = True
            log.info("consuming", queues=sorted(standing), missing=self.missing)
            await self._wait_until_lost()
        finally:
            self.is_consuming = False
            await self._close(broker)

    async def _wait_until_lost(self) -> None:
        """Wait until the connection ends, is dropped, or a missing queue exists."""
        while not self._lost.is_set():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._lost.wait(), MISSING_SECONDS if self.missing else None)
            if self.missing and not self._lost.is_set():
                standing = await self.counts()
                if back := [queue for queue in self.missing if queue in standing]:
                    self.renew(f"{', '.join(back)} was missing and is there")

    def _note_missing(self, missing: list[str]) -> None:
        if missing and missing != self.missing:
            log.error("queues are missing; apply the topology", queues=missing)
        self.missing = missing

    async def _close(self, broker: RabbitBroker) -> None:
        """Close the connection within a few seconds, whether the broker answers or not: one left open would
        go on receiving messages that are never acked.
        """
        if self._stopping.is_set():
            await self._cancel_consumers()
            await asyncio.gather(*(reader.drain(DRAIN_SECONDS) for reader in self._readers))
        self._generation += 1
        robust, connection, self._robust, self._connection = self._robust, self._connection, None, None
        self._consuming = []
        for reader in self._readers:
            reader.forget()
        why = ConnectionError("the connection is given up")
        if robust is not None:  # the outer one first: it would reconnect by itself
            await self._tried(robust.close(why))
        if connection is not None and not connection.is_closed:
            await self._tried(connection.close(why))
        await self._tried(broker.stop())

    async def _tried(self, closing: Any) -> None:
        try:
            await within(CLOSE_SECONDS, closing)
        except Exception as error:
            log.info("a connection did not end in good order", error=describe(error))

    async def _cancel_consumers(self) -> None:
        for channel, tag in self._consuming:
            with contextlib.suppress(Exception):
                await within(2.0, channel.basic_cancel(tag, timeout=2))

    def _make_broker(self) -> RabbitBroker:
        return RabbitBroker(
            self._url,
            logger=None,
            apply_types=False,
            graceful_timeout=1.0,
            timeout=5,
            reconnect_interval=3600,
            on_close=[self._closer(self._generation)],
        )

    def _subscribe(self, broker: RabbitBroker, reader: QueueReader) -> None:
        """Let FastStream open a channel and check the queue. Without a handler it consumes nothing itself."""
        queue = RabbitQueue(reader.queue, queue_type=QueueType.QUORUM, durable=True, declare=False)
        broker.subscriber(queue, channel=Channel(prefetch_count=self._prefetch), no_reply=True)

    async def _consume(self, broker: RabbitBroker) -> None:
        """Receive deliveries directly from aiormq: the message objects, tasks, parsers, filters and
        middlewares of the layers above cost several times as much as collecting.

        A channel that closes, or whose consumer the broker cancels because the queue was deleted, ends the
        connection: the library would reopen it with the same consumer tag.
        """
        readers = {reader.queue: reader for reader in self._readers}
        self._consuming = []
        on_close = self._closer(self._generation)
        for subscriber in broker.subscribers:
            queue: Any = subscriber._queue_obj  # type: ignore[attr-defined]
            queue.channel.close_callbacks.add(on_close)
            channel = await queue.channel.get_underlay_channel()
            channel.on_consumer_cancel_callbacks.add(on_close)
            collect = self._collecting(readers[queue.name], self._generation)
            consumed = await channel.basic_consume(queue.name, collect, timeout=ANSWER_SECONDS)
            self._consuming.append((channel, consumed.consumer_tag))

    def _closer(self, generation: int) -> Callable[..., None]:
        def on_close(*said: Any) -> None:
            if generation == self._generation and not self._lost.is_set():
                reasons = [describe(one) for one in said if isinstance(one, BaseException)]
                self.renew(reasons[0] if reasons else "the broker ended a channel or a consumer")

        return on_close

    def _collecting(
        self, reader: QueueReader, generation: int
    ) -> Callable[[DeliveredMessage], Awaitable[None]]:
        async def collect(message: DeliveredMessage) -> None:
            if generation == self._generation:
                reader.collect(message)

        return collect
