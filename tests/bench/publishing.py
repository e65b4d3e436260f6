"""Load generator: publishes OrderSubmitted as a storefront does, by bare aiormq with pipelined confirms.

Order: amqp_url, login, first (number), count. Seen: seconds.
"""

import asyncio
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, cast
from uuid import UUID

import aiormq
from aiormq import spec
from aiormq.channel import Channel

from contracts.catalogue import STOREFRONT, type_of
from contracts.envelope import CONTENT_TYPE, Envelope, uuid7
from contracts.storefront import OrderSubmitted
from tests.bench.generating import run_generator
from tests.bench.sales import MODULE, SHOP, model_of

IN_FLIGHT = 200
SUBMITTED = type_of(OrderSubmitted, STOREFRONT)


async def publish(channel: Channel, login: str, number: int, event_id: UUID) -> None:
    """Publish one order; returns when the broker has confirmed it. `mandatory`: a queue must have taken it."""
    await channel.basic_publish(
        model_of(number).submitted(number),
        exchange=STOREFRONT,
        routing_key=SUBMITTED,
        properties=properties(login, event_id),
        mandatory=True,
        wait=False,
    )


def properties(login: str, event_id: UUID) -> spec.Basic.Properties:
    """The envelope of a submission in AMQP's properties."""
    text = str(event_id)
    envelope = Envelope(
        id=event_id,
        source=f"/{STOREFRONT}/{SHOP}/{MODULE.value}",
        type=SUBMITTED,
        time=datetime.now(UTC),
        shop=SHOP,
        subject=text,
        correlation_id=text,
    )
    return spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        headers=dict(envelope.headers()),
        delivery_mode=2,
        message_id=text,
        user_id=login,
        app_id=STOREFRONT,
    )


async def work(order: dict[str, Any]) -> dict[str, Any]:
    """Publish so many orders as fast as the broker confirms them."""
    connection = await aiormq.connect(order["amqp_url"])
    channel = cast("Channel", await connection.channel(publisher_confirms=True, on_return_raises=True))
    began = perf_counter()
    numbers = range(order["first"], order["first"] + order["count"])
    for start in range(0, len(numbers), IN_FLIGHT):
        chunk = numbers[start : start + IN_FLIGHT]
        await asyncio.gather(*(publish(channel, order["login"], number, uuid7()) for number in chunk))
    seconds = perf_counter() - began
    await connection.close()
    return {"seconds": seconds}


if __name__ == "__main__":
    run_generator(work)
