"""A virtual host with the whole topology, for one test, and what a test does on it as one of its users."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from aiormq import spec

from contracts.envelope import Envelope
from contracts.message import Message
from deploy.local.parts import RabbitMQ
from deploy.local.system import broker_password
from deploy.topology import Management, apply
from services.chassis.messaging.topology import Storefront, permissions
from tests.builders import envelopes

STOREFRONTS = (Storefront("atelier", "shop"), Storefront("atelier", "slots"), Storefront("bazaar", "shop"))


@dataclass
class Bus:
    """One virtual host. Its users are the topology's, with the passwords they have on this broker."""

    broker: RabbitMQ
    vhost: str = field(default_factory=lambda: f"chassis-{secrets.token_hex(4)}")
    passwords: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.passwords = {user: broker_password(self.broker, user) for user in permissions(STOREFRONTS)}
        parts = urlsplit(self.broker.management_url)
        login = f"{quote(self.broker.user)}:{quote(self.broker.password)}@{parts.netloc}"
        self.management = Management(parts._replace(netloc=login).geturl(), self.vhost)

    def open(self) -> None:
        apply(self.management, self.passwords, STOREFRONTS)

    def close(self) -> None:
        self.management.send("DELETE", f"vhosts/{self.vhost}")

    def url(self, user: str, port: int | None = None) -> str:
        """How a user reaches the broker, by a proxy's port if one is given."""
        parts = urlsplit(self.broker.amqp_url)
        return f"amqp://{quote(user)}:{self.passwords[user]}@127.0.0.1:{port or parts.port}/{self.vhost}"

    @asynccontextmanager
    async def channel(self, user: str, port: int | None = None) -> AsyncIterator[Any]:
        """A channel of a user, with confirms and raised returns."""
        connection = await aio_pika.connect(self.url(user, port), timeout=10)
        async with connection:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            yield await channel.get_underlay_channel()

    async def publish(
        self, messages: Sequence[tuple[Envelope, bytes]], sender: str = "orders", login: str | None = None
    ) -> None:
        """Publish messages as a sender and wait for the confirms."""
        async with self.channel(login or sender) as channel:
            await asyncio.gather(
                *(
                    channel.basic_publish(
                        body,
                        exchange=sender,
                        routing_key=envelope.type,
                        properties=spec.Basic.Properties(
                            headers=dict(envelope.headers()), delivery_mode=2, user_id=login or sender
                        ),
                        mandatory=True,
                        wait=False,
                    )
                    for envelope, body in messages
                )
            )

    async def take_all(self, queue: str, user: str, wanted: int, seconds: float = 60.0) -> list[Envelope]:
        """Consume a queue as its listener until so many distinct messages came; all that came, in sequence."""
        found: list[Envelope] = []
        connection = await aio_pika.connect(self.url(user), timeout=10)
        async with connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=500)
            held = await channel.declare_queue(queue, passive=True)
            async with held.iterator(timeout=seconds) as messages:
                message: AbstractIncomingMessage
                if wanted:
                    async for message in messages:
                        await message.ack()
                        found.append(Envelope.read(message.headers))
                        if len({envelope.id for envelope in found}) >= wanted:
                            break
            while (late := await held.get(fail=False)) is not None:
                await late.ack()
                found.append(Envelope.read(late.headers))
        return found

    async def counts(self, queue: str) -> tuple[int, int]:
        """Messages ready and consumers of a queue, asked with the listener's rights."""
        async with self.channel(queue.partition(".")[0]) as channel:
            declared = await channel.queue_declare(queue, passive=True)
            return declared.message_count, declared.consumer_count


def framed(message: Message, listener: str = "fulfillment") -> tuple[Envelope, bytes]:
    """A message as its sender would put it on the wire, to the sample service unless said otherwise."""
    return envelopes.framed(message, listener)
