"""One storefront module: publishes its sales over AMQP and collects Comptoir's answers, as any module would.

It knows nothing of Comptoir but contracts/ and its own login. A sale counts as submitted once the broker has
confirmed it; `mandatory` makes sure that a queue really took it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustChannel, AbstractRobustConnection
from aio_pika.exceptions import AMQPError, DeliveryError

from contracts.catalogue import STOREFRONT, type_of
from contracts.envelope import CONTENT_TYPE, Envelope, uuid7
from contracts.message import Reason
from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderAccepted, OrderRefused, OrderSubmitted
from deploy.demo.sales.sale import Sale

SUBMITTED = type_of(OrderSubmitted, STOREFRONT)
ACCEPTED = type_of(OrderAccepted, "orders")
CONFIRM_SECONDS = 5.0
GIVE_UP_SECONDS = 60.0
AGAIN_SECONDS = 0.3
NOT_CONFIRMED = (DeliveryError, AMQPError, ConnectionError, TimeoutError, RuntimeError)
"""aiormq raises a bare RuntimeError when a channel closed between two publishes."""

Answer = OrderAccepted | OrderRefused
OnAnswer = Callable[["Storefront", UUID, Answer], Awaitable[None]]


class Storefront:
    """A connected module. `answers` holds what was heard, by the id of the submission it answers."""

    def __init__(self, shop: str, module: str, on_answer: OnAnswer | None = None) -> None:
        self.shop, self.module = shop, module
        self.login = login_of(shop, module)
        self.answers: dict[UUID, Answer] = {}
        self.submitted_at: dict[UUID, datetime] = {}
        self._on_answer = on_answer
        self._connection: AbstractRobustConnection | None = None
        self._channel: AbstractRobustChannel | None = None

    async def open(self, amqp_url: str) -> Self:
        """Connect with the module's own login and listen to its own queue, also after the broker was unavailable.

        The queue is declared passively: a consumer of one that was merely looked up is not set up again.
        """
        self._connection = await aio_pika.connect_robust(
            amqp_url, client_properties={"connection_name": self.login}, reconnect_interval=1
        )
        channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        assert isinstance(channel, AbstractRobustChannel)
        self._channel = channel
        listening = await self._connection.channel()
        await listening.set_qos(prefetch_count=200)
        queue = await listening.declare_queue(self.login, passive=True)
        await queue.consume(self._receive)
        return self

    async def close(self) -> None:
        """Hang up; what is still in the module's queue stays there for the next time."""
        if self._connection is not None:
            await self._connection.close()

    async def submit(self, sale: Sale) -> None:
        """Publish a sale as often as it says, and return when the broker has confirmed each.

        What is not confirmed is published again under the same event id, which Comptoir takes for the same.
        Raises the last error after a minute: DeliveryError when no queue took it, TimeoutError when nobody
        confirmed.
        """
        first = datetime.now(UTC)
        for _ in range(sale.copies):
            await self._publish(
                self._message(sale.event_id, SUBMITTED, sale.event_id, _body(sale), first), SUBMITTED
            )
        self.submitted_at.setdefault(sale.event_id, first)

    async def publish(self, message: CheckoutOpened | CheckoutDropped) -> None:
        """Publish what there is to say of a checkout; nobody answers it."""
        body = message.model_dump_json(exclude_none=True).encode()
        type_, now = type_of(type(message), STOREFRONT), datetime.now(UTC)
        await self._publish(self._message(uuid7(), type_, message.checkout_id, body, now), type_)

    async def _publish(self, message: aio_pika.Message, routing_key: str) -> None:
        assert self._channel is not None
        exchange = await self._channel.get_exchange(STOREFRONT, ensure=False)
        deadline = asyncio.get_running_loop().time() + GIVE_UP_SECONDS
        while True:
            try:
                await exchange.publish(message, routing_key, mandatory=True, timeout=CONFIRM_SECONDS)
                return
            except NOT_CONFIRMED:
                if asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(AGAIN_SECONDS)

    def _message(
        self, event_id: UUID, type_: str, order_id: UUID, body: bytes, published_at: datetime
    ) -> aio_pika.Message:
        envelope = Envelope(
            id=event_id,
            source=f"/{STOREFRONT}/{self.shop}/{self.module}",
            type=type_,
            time=published_at,
            shop=self.shop,
            subject=str(order_id),
            correlation_id=str(order_id),
        )
        return aio_pika.Message(
            body,
            headers=dict(envelope.headers()),
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(event_id),
            user_id=self.login,
            app_id=STOREFRONT,
        )

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        """Remember an answer. It may come twice, as every message may: the second time changes nothing."""
        async with message.process():
            envelope = Envelope.read(message.headers)
            kind = OrderAccepted if envelope.type == ACCEPTED else OrderRefused
            answer = kind.model_validate_json(message.body)
            answered = envelope.causation_id
            if answered is not None and answered not in self.answers:
                self.answers[answered] = answer
                if self._on_answer is not None:
                    await self._on_answer(self, answered, answer)


def _body(sale: Sale) -> bytes:
    if sale.body is not None:
        return sale.body
    return sale.submission.model_dump_json(exclude_none=True).encode()


def login_of(shop: str, module: str) -> str:
    """The broker's user of a module, and the name of the queue in which it hears its answers."""
    return f"{STOREFRONT}.{shop}.{module}"


def reasons_of(answer: Answer) -> tuple[Reason, ...]:
    """Why an order was refused; nothing for an accepted one."""
    return tuple(answer.reasons) if isinstance(answer, OrderRefused) else ()
