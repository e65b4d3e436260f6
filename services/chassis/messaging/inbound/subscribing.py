"""FastStream's side of receiving: a service's broker, and a subscriber for each of its queues.

A delivery is only handed to its queue's reader as a raw message. That never waits, so nothing is lost when
the end of a connection cancels it. Reading, committing and acking follow in the reader's own loop.
"""

from collections.abc import Awaitable, Callable
from types import TracebackType

from aiormq.abc import AbstractChannel, DeliveredMessage
from faststream import AckPolicy
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

from services.chassis.messaging.inbound.queue_reader import Incoming, QueueReader
from services.chassis.messaging.inbound.raw_message import RawMessage

ANSWER_SECONDS = 5.0


class ServiceBroker(RabbitBroker):
    """FastStream's broker, whose start does not wait for RabbitMQ.

    An unavailable RabbitMQ must not end the process, and a connection that ends is replaced as a whole. So
    `start` and `stop`, which FastStream calls, begin and end the consumers' loop (`consuming.py`); the loop
    uses `connect`, each subscriber's `start`, and `disconnect`.
    """

    def __init__(
        self, url: str, begin: Callable[[], Awaitable[None]], end: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(
            url,
            logger=None,
            apply_types=False,
            ack_policy=AckPolicy.MANUAL,
            graceful_timeout=1.0,
            timeout=5,
            reconnect_interval=3600,
        )
        self._begin, self._end = begin, end

    async def start(self) -> None:
        """Begin consuming in the background."""
        await self._begin()

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        """End consuming, with all received messages committed and acked."""
        await self._end()

    async def disconnect(self) -> None:
        """Stop the subscribers and close the connection; `connect` then opens another."""
        await super().stop()


class Subscription:
    """One queue's subscriber on the broker, with a channel of its own on each connection.

    It has no handler: FastStream opens the channel with its prefetch and looks up the queue, which it never
    declares. Deliveries are received from aiormq's channel, because the message objects, tasks, parsers and
    middlewares of the layers above cost several times as much as collecting (decisions/0003-faststream.md).
    """

    def __init__(self, broker: RabbitBroker, reader: QueueReader, prefetch: int) -> None:
        self.queue = reader.queue
        self._broker = broker
        self._reader = reader
        self._options = Channel(prefetch_count=prefetch)
        queue = RabbitQueue(reader.queue, queue_type=QueueType.QUORUM, durable=True, declare=False)
        self._subscriber = broker.subscriber(queue, channel=self._options, no_reply=True)
        self._channel: AbstractChannel | None = None
        self._tag: str | None = None

    async def start(self, on_close: Callable[..., None]) -> None:
        """Consume on the broker's present connection.

        A channel that closes, or whose consumer the broker cancels because the queue was deleted, is
        reported: the library would reopen it with the same consumer tag.
        """
        await self._subscriber.start()
        opened = await self._broker.config.channel_manager.get_channel(self._options)
        opened.close_callbacks.add(on_close)
        self._channel = channel = await opened.get_underlay_channel()
        channel.on_consumer_cancel_callbacks.add(on_close)
        consumed = await channel.basic_consume(self.queue, self._collect, timeout=ANSWER_SECONDS)
        self._tag = consumed.consumer_tag

    async def cancel(self) -> None:
        """Have RabbitMQ send no more messages; those it has sent are still collected."""
        if self._channel is not None and self._tag is not None:
            await self._channel.basic_cancel(self._tag, timeout=ANSWER_SECONDS)

    def forget(self) -> None:
        """Ignore what the channel still delivers: its connection is abandoned."""
        self._channel = self._tag = None

    async def _collect(self, message: DeliveredMessage) -> None:
        if message.channel is self._channel and message.delivery_tag is not None:
            raw = raw_message_of(self.queue, message)
            self._reader.collect(Incoming(message.channel, message.delivery_tag, raw))


def raw_message_of(queue: str, message: DeliveredMessage) -> RawMessage:
    """Return a delivered message as a raw message."""
    properties = message.header.properties
    return RawMessage(
        queue=queue,
        headers=properties.headers or {},
        body=message.body,
        user_id=properties.user_id,
        content_type=properties.content_type,
        routing_key=message.routing_key,
    )
