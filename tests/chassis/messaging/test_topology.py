"""The broker's topology is the catalogue's, can be applied again, and gives each user only its own."""

import asyncio
from typing import Any

import aio_pika
import pytest
from aiormq import spec
from aiormq.exceptions import ChannelAccessRefused, ChannelClosed, ChannelPreconditionFailed

from contracts.catalogue import CATALOGUE, PUBLIC, SERVICES, STOREFRONT, queue_of
from deploy.local.parts import RabbitMQ
from deploy.topology import TopologyWrong, apply, check, storefronts_of
from services.chassis.messaging.topology import (
    DEAD,
    UNROUTED,
    Binding,
    Storefront,
    bindings,
    definitions,
    permissions,
    policies,
    queues,
)
from tests.chassis.bus import STOREFRONTS, Bus, framed
from tests.chassis.sample import ask


def test_every_listener_is_bound_to_what_it_consumes_and_to_nothing_else() -> None:
    found = {
        b
        for b in bindings(STOREFRONTS)
        if b.routing_key != b.queue and b.exchange not in (PUBLIC, DEAD, UNROUTED)
    }
    assert found == {
        Binding(entry.sender, queue_of(listener, entry.sender), entry.type)
        for entry in CATALOGUE.values()
        for listener in entry.listeners
    }
    for storefront in STOREFRONTS:
        mine = [b for b in bindings(STOREFRONTS) if b.queue == storefront.name]
        assert mine == [Binding(PUBLIC, storefront.name, f"{storefront.shop}.{storefront.module}.#")]


def test_no_password_is_in_the_definitions() -> None:
    assert "correct horse" not in str(definitions("/", {"orders": "correct horse"}, STOREFRONTS))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("atelier", r"form shop\.module"),
        ("atelier.", r"form shop\.module"),
        (".shop", r"form shop\.module"),
        ("atelier.shop bazaar", "'bazaar' is not of the form"),
        ("atelier.foo", "'foo' is no module of a storefront; known are shop, events"),
        ("atelier.shop.shop", "'shop.shop' is no module"),
        ("Maison.Shop", "'Shop' is no module"),
        ("Maison.shop", "'Maison' is no shop's name"),
        ("é.shop", "'é' is no shop's name: 1 to 63 lower-case letters"),
        (f"{'a' * 64}.shop", "is no shop's name"),
    ],
)
def test_a_storefront_is_named_by_shop_and_module(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        storefronts_of(text)
    assert storefronts_of(" a.shop  b-2.price_table ") == [
        Storefront("a", "shop"),
        Storefront("b-2", "price_table"),
    ]


async def test_applied_twice_it_is_the_same_and_what_is_stale_goes(bus: Bus) -> None:
    await asyncio.to_thread(bus.open)
    stale = f"bindings/{bus.vhost}/e/payments/q/fulfillment.orders"
    await asyncio.to_thread(bus.management.send, "POST", stale, {"routing_key": "payments.#"})
    with pytest.raises(
        TopologyWrong, match=r"payments -> fulfillment\.orders by payments\.# is not in the catalogue"
    ):
        await asyncio.to_thread(check, bus.management, STOREFRONTS)
    await asyncio.to_thread(bus.open)
    await asyncio.to_thread(check, bus.management, STOREFRONTS)


async def test_the_check_names_every_difference(bus: Bus) -> None:
    send, vhost = bus.management.send, bus.vhost
    queue = {"durable": True, "arguments": {"x-queue-type": "classic"}}

    def spoil() -> None:
        send("DELETE", f"queues/{vhost}/orders.payments")
        send("DELETE", f"queues/{vhost}/notifier.orders")
        send("PUT", f"queues/{vhost}/notifier.orders", queue)
        send("DELETE", f"bindings/{vhost}/e/orders/q/payments.orders/orders.order.placed.v1")
        send("DELETE", f"exchanges/{vhost}/public")
        send("DELETE", f"policies/{vhost}/orders-queues")
        send("PUT", f"permissions/{vhost}/payments", {"configure": ".*", "write": ".*", "read": ".*"})

    await asyncio.to_thread(spoil)
    with pytest.raises(TopologyWrong) as message:
        await asyncio.to_thread(check, bus.management, STOREFRONTS)
    for difference in (
        "queue orders.payments is missing",
        "queue notifier.orders is classic, not quorum",
        "binding orders -> payments.orders by orders.order.placed.v1 is missing",
        "exchange public is missing, not topic",
        "policy orders-queues is missing",
        "user payments may",
    ):
        assert difference in str(message.value)


async def test_a_queue_of_another_kind_is_refused_in_the_brokers_words(bus: Bus) -> None:
    send, path = bus.management.send, f"exchanges/{bus.vhost}/payments"
    await asyncio.to_thread(send, "DELETE", path)
    await asyncio.to_thread(send, "PUT", path, {"type": "fanout", "durable": True})
    with pytest.raises(TopologyWrong, match="payments"):
        await asyncio.to_thread(apply, bus.management, bus.passwords, STOREFRONTS)


async def test_dead_letters_leave_at_least_once(bus: Bus, rabbitmq: RabbitMQ) -> None:
    """Without the feature flag the broker would silently fall back to at most once."""
    flags = rabbitmq.ctl("list_feature_flags", "name", "state")
    assert ["stream_queue", "enabled"] in [line.split() for line in flags.splitlines()]
    listed = await asyncio.to_thread(rabbitmq.ctl, "list_queues", "-p", bus.vhost, "name", "policy")
    policy_of = {line.split("\t")[0]: line.split("\t")[-1] for line in listed.splitlines() if "." in line}
    assert set(policy_of) == set(queues(STOREFRONTS))
    rules = {policy["name"]: policy["definition"] for policy in policies()}
    for queue, policy in policy_of.items():
        if queue.partition(".")[0] in SERVICES and not queue.endswith(".dead"):
            assert rules[policy]["dead-letter-strategy"] == "at-least-once"
            assert rules[policy]["overflow"] == "reject-publish"
        elif queue.startswith(STOREFRONT):
            assert rules[policy]["overflow"] == "drop-head"


async def publish(bus: Bus, login: str, exchange: str, user_id: str | None) -> None:
    envelope, body = framed(ask())
    async with bus.channel(login) as channel:
        properties = spec.Basic.Properties(headers=dict(envelope.headers()), user_id=user_id)
        await channel.basic_publish(body, exchange=exchange, routing_key="x", properties=properties)


async def consume(bus: Bus, login: str, queue: str) -> None:
    async with bus.channel(login) as channel:
        await channel.basic_consume(queue, lambda _: asyncio.sleep(0))


FORBIDDEN_TO_WRITE = [
    *(
        (service, other)
        for service in SERVICES
        for other in (*SERVICES, STOREFRONT, DEAD, "amq.topic")
        if other != service
    ),
    *((user, PUBLIC) for user in (*SERVICES, STOREFRONTS[0].name) if user != "orders"),
    *((STOREFRONTS[0].name, service) for service in SERVICES),
]


async def test_nobody_writes_to_anothers_exchange(bus: Bus) -> None:
    for user, exchange in FORBIDDEN_TO_WRITE:
        with pytest.raises(ChannelAccessRefused):
            await publish(bus, user, exchange, None)
    for service in SERVICES:
        await publish(bus, service, service, service)
    await publish(bus, STOREFRONTS[0].name, STOREFRONT, STOREFRONTS[0].name)


async def test_nobody_reads_anothers_queue(bus: Bus) -> None:
    users = permissions(STOREFRONTS)
    for user in users:
        for queue in queues(STOREFRONTS):
            is_own = queue == user or (user in SERVICES and queue.startswith(f"{user}."))
            if is_own:
                await consume(bus, user, queue)
    strangers: list[tuple[str, str]] = [
        ("payments", "orders.payments"),
        ("orders", "fulfillment.orders"),
        ("notifier", "orders.dead"),
        ("orders", STOREFRONTS[0].name),
        (STOREFRONTS[0].name, STOREFRONTS[1].name),
        (STOREFRONTS[0].name, STOREFRONTS[2].name),
        (STOREFRONTS[0].name, "orders.storefront"),
    ]
    for user, queue in strangers:
        with pytest.raises(ChannelAccessRefused):
            await consume(bus, user, queue)


@pytest.mark.parametrize("pretended", ["storefront.bazaar.shop", "orders"])
async def test_nobody_publishes_as_somebody_else(bus: Bus, pretended: str) -> None:
    with pytest.raises(ChannelPreconditionFailed, match="user_id"):
        await publish(bus, "storefront.atelier.shop", STOREFRONT, pretended)


async def test_nobody_makes_queues_exchanges_or_bindings(bus: Bus) -> None:
    async def attempt(make: Any) -> None:
        connection = await aio_pika.connect(bus.url("orders"))
        async with connection:
            with pytest.raises(ChannelClosed):
                await make(await (await connection.channel()).get_underlay_channel())

    await attempt(lambda channel: channel.queue_declare("orders.mine"))
    await attempt(lambda channel: channel.exchange_declare("mine", exchange_type="topic"))
    await attempt(lambda channel: channel.queue_bind("orders.payments", "payments", routing_key="#"))
    await attempt(lambda channel: channel.queue_delete("orders.payments"))
