"""The consuming side of the broker: FastStream connects and opens a channel a queue, deliveries are only collected, and
each queue has a loop that commits them.

Handlers never run inside a delivery callback: a lost connection cancels those, even in the middle of a COMMIT. They
put the message in a list; the queue's own loop takes whatever has come, commits it, and acks. A connection that ends
is replaced whole, with fresh channels and consumer tags (RabbitMQ 3.10 may stall on a reused tag), and what was not
acked comes again.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any

import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

from services.chassis.arriving import Arrival
from services.chassis.database import describe, is_outage
from services.chassis.failpoints import reach
from services.chassis.wire import tolerate_foreign_properties

log = structlog.get_logger()
RECONNECT_SECONDS = 1.0
DRAIN_SECONDS = 5.0
LONGEST_OUTAGE_PAUSE_SECONDS = 5.0
tolerate_foreign_properties()
Commit = Callable[[Sequence[Arrival]], Awaitable[Any]]


class DeliveryTags:
    """Which of a channel's deliveries were committed, to ack exactly those.

    An ack of "all up to this one" must not cover a delivery that never reached our hands: it would be lost.
    """

    def __init__(self) -> None:
        self._channel: object = None
        self._committed_to = 0
        self._beyond: set[int] = set()
        self.hole_since: float | None = None

    def committed(self, channel: object, tags: Sequence[int]) -> bool:
        """Note committed deliveries. True when all up to the highest known one are: one ack may say so."""
        if channel is not self._channel:
            self._channel, self._committed_to, self._beyond = channel, 0, set()
        self._beyond.update(tags)
        while self._committed_to + 1 in self._beyond:
            self._committed_to += 1
            self._beyond.discard(self._committed_to)
        self.hole_since = (self.hole_since or monotonic()) if self._beyond else None
        return not self._beyond

    def forget(self) -> None:
        """The channel is gone."""
        self._channel, self.hole_since = None, None


class QueueReader:
    """One queue: what has arrived, and the loop that commits it in batches and acks."""

    def __init__(self, queue: str, commit: Commit, batch_size: int) -> None:
        self.queue = queue
        self._commit = commit
        self._batch_size = batch_size
        self._arrived: deque[DeliveredMessage] = deque()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.last_commit = monotonic()
        self._being_committed = 0
        self.outage: str | None = None
        self.tags = DeliveryTags()

    def collect(self, message: DeliveredMessage) -> None:
        """Take a message from the broker."""
        reach("received", self.queue)
        self._arrived.append(message)
        self._idle.clear()
        self._work.set()

    @property
    def holds_messages(self) -> bool:
        return bool(self._arrived) or not self._idle.is_set()

    @property
    def in_hand(self) -> int:
        """Messages taken from the broker and not acked yet."""
        return len(self._arrived) + self._being_committed

    async def run(self) -> None:
        """Commit and ack until cancelled; between two batches only."""
        while True:
            await self._work.wait()
            self._work.clear()
            while batch := self._take():
                self._being_committed = len(batch)
                await self._commit_until_done(batch)
                self._being_committed = 0
            self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Wait until all that has arrived is committed and acked, for at most so long."""
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    def forget(self) -> None:
        """The connection is gone: what has not been started will come again."""
        self._arrived.clear()
        self.tags.forget()

    def _take(self) -> list[DeliveredMessage]:
        return [self._arrived.popleft() for _ in range(min(len(self._arrived), self._batch_size))]

    async def _commit_until_done(self, batch: list[DeliveredMessage]) -> None:
        pause = 0.1
        while batch := [message for message in batch if _can_be_acked(message)]:
            try:
                await self._commit([arrival_of(self.queue, message) for message in batch])
            except Exception as error:
                if not is_outage(error):
                    raise
                self.outage = describe(error)
                log.warning("database away, keeping messages", queue=self.queue, error=self.outage)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_OUTAGE_PAUSE_SECONDS)
                continue
            self.outage = None
            self.last_commit = monotonic()
            reach("before_ack", self.queue)
            await self._ack(batch)
            return
        self.outage = None

    async def _ack(self, batch: Sequence[DeliveredMessage]) -> None:
        channel, tags = batch[-1].channel, [_tag(message) for message in batch]
        try:
            if self.tags.committed(channel, tags):
                await channel.basic_ack(max(tags), multiple=True)
            else:
                for tag in tags:
                    await channel.basic_ack(tag)
        except Exception as error:
            log.info(
                "ack lost, the messages will come again and be known",
                queue=self.queue,
                error=repr(error)[:200],
            )


class Consumers:
    """All queues of a service over one connection after another."""

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
        self._broker: RabbitBroker | None = None
        self._consuming: list[tuple[AbstractChannel, str]] = []
        self.is_consuming = False
        self.last_error = "not connected yet"

    async def run(self) -> None:
        """Consume until stopped, connection after connection."""
        self._ended.clear()
        try:
            await self._run()
        finally:
            self._ended.set()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._run_connected()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self.last_error = describe(error)
                log.warning("not consuming", error=self.last_error)
            self.is_consuming = False
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), RECONNECT_SECONDS)

    async def stop(self, seconds: float = DRAIN_SECONDS + 2) -> None:
        """Take no more messages, commit and ack those taken, then close the connection."""
        self._stopping.set()
        self._lost.set()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    def renew(self, why: str) -> None:
        """Give this connection up and make another."""
        self.last_error = why
        self._lost.set()

    async def counts(self) -> dict[str, tuple[int, int]]:
        """Messages ready and consumers of each queue, asked on a spare channel."""
        broker = self._broker
        connection = getattr(broker, "_connection", None)
        if connection is None:
            return {}
        async with connection.channel() as channel:
            found = {}
            for reader in self._readers:
                queue = await channel.declare_queue(reader.queue, passive=True, timeout=5)
                result = queue.declaration_result
                found[reader.queue] = (result.message_count or 0, result.consumer_count or 0)
            return found

    async def _run_connected(self) -> None:
        self._lost.clear()
        broker = self._make_broker()
        try:
            await asyncio.wait_for(broker.start(), 15)
            await self._consume(broker)
            self._broker = broker
            self.is_consuming = True
            log.info("consuming", queues=[reader.queue for reader in self._readers])
            await self._lost.wait()
        finally:
            self._broker = None
            self.is_consuming = False
            await self._close(broker)

    async def _close(self, broker: RabbitBroker) -> None:
        if self._stopping.is_set():
            await self._cancel_consumers()
            await asyncio.gather(*(reader.drain(DRAIN_SECONDS) for reader in self._readers))
        with contextlib.suppress(Exception):
            await asyncio.wait_for(broker.stop(), 5)
        for reader in self._readers:
            reader.forget()

    async def _cancel_consumers(self) -> None:
        for channel, tag in self._consuming:
            with contextlib.suppress(Exception):
                await channel.basic_cancel(tag, timeout=2)

    def _make_broker(self) -> RabbitBroker:
        broker = RabbitBroker(
            self._url,
            logger=None,
            apply_types=False,
            graceful_timeout=1.0,
            timeout=5,
            reconnect_interval=3600,
            on_close=[self._on_close],
        )
        for reader in self._readers:
            self._subscribe(broker, reader)
        return broker

    def _subscribe(self, broker: RabbitBroker, reader: QueueReader) -> None:
        """Have FastStream open a channel and look for the queue. Without a handler it consumes nothing itself."""
        queue = RabbitQueue(reader.queue, queue_type=QueueType.QUORUM, durable=True, declare=False)
        broker.subscriber(queue, channel=Channel(prefetch_count=self._prefetch), no_reply=True)

    async def _consume(self, broker: RabbitBroker) -> None:
        """Take deliveries as aiormq gives them: the message objects, tasks, parsers, filters and middlewares of the
        layers above cost several times what collecting does.

        A channel that closes ends the connection: the library would reopen it with the same consumer tag.
        """
        readers = {reader.queue: reader for reader in self._readers}
        self._consuming = []
        for subscriber in broker.subscribers:
            queue: Any = subscriber._queue_obj  # type: ignore[attr-defined]
            queue.channel.close_callbacks.add(self._on_close)
            channel = await queue.channel.get_underlay_channel()
            consumed = await channel.basic_consume(queue.name, _collecting(readers[queue.name]), timeout=5)
            self._consuming.append((channel, consumed.consumer_tag))

    def _on_close(self, *_: Any) -> None:
        self._lost.set()


def _collecting(reader: QueueReader) -> Callable[[DeliveredMessage], Awaitable[None]]:
    async def collect(message: DeliveredMessage) -> None:
        reader.collect(message)

    return collect


def _can_be_acked(message: DeliveredMessage) -> bool:
    """Whether the channel it came by is still open; if not, the broker gives the message out again."""
    return not message.channel.is_closed


def _tag(message: DeliveredMessage) -> int:
    tag = message.delivery_tag
    assert tag is not None, "only a returned message has no delivery tag"
    return tag


def arrival_of(queue: str, message: DeliveredMessage) -> Arrival:
    """A broker's message as an arrival."""
    properties = message.header.properties
    return Arrival(
        queue=queue, headers=properties.headers or {}, body=message.body, user_id=properties.user_id
    )
