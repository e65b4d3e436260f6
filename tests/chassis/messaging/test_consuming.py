"""The consuming side: what happens to the connection, what is acked, and that nothing is eaten or left behind."""

import asyncio
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import queues_of
from contracts.envelope import uuid7
from contracts.service import CommandDone
from deploy.local.parts import RabbitMQ
from services.chassis.http.health import what_is_missing
from services.chassis.messaging.inbound.queue_reader import DeliveryTags
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.watchdog import Watchdog
from services.chassis.testing import wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs
from tests.chassis.sample import ask


@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 12), max_size=11), st.data())
def test_an_ack_of_all_up_to_covers_only_what_was_committed(
    arrived: list[int], swallowed: list[int], data: st.DataObject
) -> None:
    """Deliveries in any sequence, some of which never reach us: acking all up to the highest never covers those."""
    tags, channel, committed = DeliveryTags(), object(), set[int]()
    left = [tag for tag in arrived if tag not in swallowed]
    while left:
        size = data.draw(st.integers(1, len(left)))
        batch, left = left[:size], left[size:]
        committed.update(batch)
        if tags.committed(channel, batch):
            assert committed >= set(range(1, max(batch) + 1))
    whole = committed == set(range(1, len(committed) + 1))
    assert (tags.hole_since is None) == whole


def test_tags_restart_with_each_channel() -> None:
    tags = DeliveryTags()
    assert tags.committed("first", [1, 2, 3])
    assert not tags.committed("second", [2])
    assert tags.committed("second", [1])


async def seen(hub: Hub) -> int:
    return int(await hub.pool.fetchval("SELECT count(*) FROM seen"))


async def is_done(hub: Hub, count: int) -> bool:
    """Whether exactly so many effects and outputs stand, and all outputs have left."""
    assert await seen(hub) <= count
    left = await hub.pool.fetchval("SELECT count(*) FROM msg.dispatch")
    return await seen(hub) == count and left == 0


async def stopped_with_nothing_left(hub: Hub, bus: Bus) -> bool:
    """Stop; what was not acked would be ready again now."""
    await hub.stop()
    return await bus.counts("fulfillment.orders") == (0, 0)


async def test_a_backlog_at_the_start_is_handled_whole(hubs: Hubs, bus: Bus) -> None:
    """FastStream drops what arrives before it has noted that it runs; with a backlog that is the rule."""
    messages = [framed(ask(sku=f"SKU-{n}")) for n in range(800)]
    await bus.publish(messages)
    hub = await hubs()
    await wait_until(lambda: is_done(hub, 800))
    assert [reader.tags.hole_since for reader in hub.readers] == [None] * len(hub.readers)
    assert await stopped_with_nothing_left(hub, bus)


async def test_a_delivery_that_never_reached_us_comes_again(hubs: Hubs, bus: Bus) -> None:
    """One is swallowed between the broker and our hands: the acks spare it, and the watchdog fetches it."""
    hub = await hubs()
    reader = next(reader for reader in hub.readers if reader.queue == "fulfillment.orders")
    collect, swallowed = reader.collect, list[Any]()

    def forgetful(message: Any) -> None:
        if len(swallowed) < 1 and random.random() < 0.3:
            swallowed.append(message)
        else:
            collect(message)

    reader.collect = forgetful  # type: ignore[method-assign]
    await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(200)])
    await wait_until(lambda: is_done(hub, 199))
    assert len(swallowed) == 1
    reader.collect = collect  # type: ignore[method-assign]
    watch = Watchdog(0.01)
    await watch._look(hub)
    await wait_until(lambda: is_done(hub, 200))


async def test_a_connection_closed_by_an_administrator_is_replaced_with_messages_in_hand(
    hubs: Hubs, bus: Bus
) -> None:
    hub = await hubs()
    task = asyncio.create_task(bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(400)]))
    await wait_until(lambda: seen(hub))
    for connection in await asyncio.to_thread(ours, bus):
        await asyncio.to_thread(bus.management.send, "DELETE", f"connections/{connection}")
    await task
    await wait_until(lambda: is_done(hub, 400))
    assert not hub.stopping.is_set()
    assert await stopped_with_nothing_left(hub, bus)


def ours(bus: Bus) -> list[str]:
    """The names of fulfillment's connections, once the management API knows any."""
    from time import monotonic
    from urllib.parse import quote

    deadline = monotonic() + 15
    while monotonic() < deadline:
        rows = bus.management.get(f"vhosts/{bus.vhost}/connections")
        if names := [quote(row["name"], safe="") for row in rows if row.get("user") == "fulfillment"]:
            return names
    raise AssertionError("the management API shows no connection of fulfillment")


async def test_a_queue_that_was_deleted_is_consumed_again_when_it_is_back(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    await bus.publish([framed(ask())])
    await wait_until(lambda: seen(hub))
    await asyncio.to_thread(bus.management.send, "DELETE", f"queues/{bus.vhost}/fulfillment.orders")
    await Watchdog(60)._look(hub)
    await asyncio.to_thread(bus.open)
    await bus.publish([framed(ask(sku="AGAIN"))])
    await wait_until(lambda: is_done(hub, 2))


async def test_consumers_come_back_by_themselves_after_the_broker_was_killed_under_load(
    hubs: Hubs, bus: Bus, rabbitmq: RabbitMQ
) -> None:
    hub = await hubs()
    await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(300)])
    await wait_until(lambda: seen(hub))
    await asyncio.to_thread(rabbitmq.kill)
    await asyncio.to_thread(rabbitmq.restart)
    await wait_until(lambda: is_done(hub, 300), 30)
    await bus.publish([framed(ask(sku=f"LATER-{n}")) for n in range(50)])
    await wait_until(lambda: is_done(hub, 350), 30)
    for queue in queues_of("fulfillment"):
        assert (await bus.counts(queue))[1] == 1
    received = await bus.take_all("orders.fulfillment", "orders", 350)
    assert len({envelope.id for envelope in received}) == 350
    assert not hub.stopping.is_set()


async def test_a_stop_under_load_leaves_nothing_in_between(hubs: Hubs, bus: Bus) -> None:
    """What was taken is committed and acked; the rest goes to the next process, each once."""
    first = await hubs()
    await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(600)])
    await wait_until(lambda: seen(first))
    await first.stop()
    second = await hubs()
    await wait_until(lambda: is_done(second, 600))
    assert await second.pool.fetchval("SELECT count(*) FROM msg.inbox") == 600
    assert await stopped_with_nothing_left(second, bus)


async def test_a_second_program_of_a_service_speaks_but_takes_nothing(hubs: Hubs, bus: Bus) -> None:
    """One that does not consume: what it emits leaves; messages and what waits are the other's."""
    hub = await hubs(consumes=False)
    await bus.publish([framed(ask())])
    async with hub.unit() as unit:
        emitted = unit.emit(
            CommandDone(shop="maison", command_id=uuid7(), command_type="orders.stock.set.v1")
        )
    assert [envelope.id for envelope in await bus.take_all("orders.fulfillment", "orders", 1)] == [emitted.id]
    assert (hub.readers, hub.consumers) == ([], None)
    assert await what_is_missing(hub) == []
    assert await seen(hub) == 0
    assert await stopped_with_all_left(hub, bus)


async def stopped_with_all_left(hub: Hub, bus: Bus) -> bool:
    """Stop; the one message is still there, and nobody takes it."""
    await hub.stop()
    return await bus.counts("fulfillment.orders") == (1, 0)
