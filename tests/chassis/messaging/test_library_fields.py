"""Undocumented parts of FastStream's, aio-pika's and aiormq's objects that the chassis relies on.

They were read in the versions named here. After an upgrade these tests fail first: read the files that use the
parts again (`subscribing.py`, `pipelining.py`, `wire.py`), run this folder on a real broker, then name the new version.
"""

import ast
from importlib.metadata import version
from pathlib import Path
from typing import cast

import pytest
from aiormq import Channel, spec
from faststream import AckPolicy
from faststream.rabbit import RabbitBroker
from pamqp.header import ContentHeader

from services.chassis.messaging.inbound import wire
from services.chassis.messaging.inbound.queue_reader import QueueReader
from services.chassis.messaging.inbound.subscribing import ServiceBroker, Subscription
from services.chassis.messaging.outbound.pipelining import Publish, outcomes, publish_together
from tests.chassis.bus import Bus, framed
from tests.chassis.sample import ask

READ_IN = {"faststream": "0.7.8", "aio-pika": "10.2.1", "aiormq": "7.2.4", "pamqp": "4.0.1"}
SERVICES = Path(__file__).parents[3] / "services"


@pytest.mark.parametrize(("library", "read_in"), READ_IN.items())
def test_the_installed_version_is_the_one_that_was_read(library: str, read_in: str) -> None:
    assert version(library) == read_in


def test_no_file_reaches_into_private_fields_of_the_messaging_libraries() -> None:
    """An underscore behind anything but `self` or `cls`, in files that import one of them."""
    found = [
        f"{path.relative_to(SERVICES)}:{node.lineno} {ast.unparse(node)}"
        for path in SERVICES.rglob("*.py")
        for tree in [ast.parse(path.read_text())]
        if _imports(tree) & {"faststream", "aio_pika", "aiormq", "pamqp"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and _is_private(node.attr) and not _is_own(node.value)
    ]
    assert found == []


def _imports(tree: ast.Module) -> set[str]:
    """The packages a file imports from."""
    names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _is_own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


def test_our_broker_hides_no_field_of_faststreams() -> None:
    async def nothing() -> None: ...

    url = "amqp://127.0.0.1:1/"
    ours = set(vars(ServiceBroker(url, nothing, nothing))) - set(vars(RabbitBroker(url)))
    assert ours == {"_begin", "_end"}
    assert not ours & set(dir(RabbitBroker))


async def test_a_subscriber_without_handler_opens_its_own_channel_and_consumes_nothing(bus: Bus) -> None:
    """FastStream's channel of a subscriber is the one the channel manager returns for the same options."""

    async def nothing() -> None: ...

    async def commit(_: object) -> None: ...

    broker = ServiceBroker(bus.url("fulfillment"), nothing, nothing)
    subscriptions = [
        Subscription(broker, QueueReader(queue, commit, 10), prefetch)
        for queue, prefetch in (("fulfillment.orders", 30), ("fulfillment.payments", 20))
    ]
    robust = await broker.connect()
    try:
        for subscription in subscriptions:
            await subscription.start(lambda *_: None)
        channels = [cast(Channel, subscription._channel) for subscription in subscriptions]
        assert len({channel.number for channel in channels}) == 2
        assert [len(channel.consumers) for channel in channels] == [1, 1]
        assert {subscriber.ack_policy for subscriber in broker.subscribers} == {AckPolicy.MANUAL}
        assert await bus.counts("fulfillment.orders") == (0, 1)
    finally:
        await broker.disconnect()
    assert robust.is_closed
    assert await broker.connect() is not robust
    await broker.disconnect()


async def test_pipelined_and_single_publishes_share_the_tables_of_a_channel(bus: Bus) -> None:
    async with bus.channel("orders") as channel:
        assert isinstance(channel, Channel)
        envelope, body = framed(ask())
        for number in range(3):
            properties = spec.Basic.Properties(headers=dict(envelope.headers()), message_id=f"one-{number}")
            await channel.basic_publish(
                body, exchange="orders", routing_key=envelope.type, properties=properties
            )
            properties = spec.Basic.Properties(headers=dict(envelope.headers()), message_id=f"many-{number}")
            many = [Publish("orders", envelope.type, True, properties, body)]
            assert await outcomes(await publish_together(channel, many, 5), 5) == [None]
        assert channel.delivery_tag == 6
        assert channel.confirmations == {}


def test_headers_are_read_by_our_lenient_reader() -> None:
    assert ContentHeader.unmarshal is wire._leniently
