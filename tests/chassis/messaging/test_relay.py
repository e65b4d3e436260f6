"""What is committed leaves: confirmed once it is deleted, kept as long as it is not, and none holds up another."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused
from prometheus_client import REGISTRY

from contracts.envelope import Envelope, uuid7
from contracts.fulfillment.stock import StockLevel, StockLevelChanged
from contracts.message import Message
from contracts.service import CommandDone
from deploy.local.parts import RabbitMQ
from services.chassis.messaging.outbound import relaying
from services.chassis.messaging.outbound.outgoing_messages import properties_of
from services.chassis.messaging.outbound.refusals import why_refused
from services.chassis.messaging.outgoing import Outgoing
from services.chassis.runtime.hub import Hub
from services.chassis.testing import wait_until
from tests.chassis.bus import Bus
from tests.chassis.conftest import Hubs
from tests.chassis.operators import operator
from tests.chassis.proxy import TO_CLIENT, Proxy
from tests.chassis.sample import SHOP

OUT = "orders.fulfillment"


def done() -> CommandDone:
    return CommandDone(shop=SHOP, command_id=uuid7(), command_type="orders.stock.set.v1")


def level() -> StockLevelChanged:
    return StockLevelChanged(shop=SHOP, levels=[StockLevel(sku="MUG", on_hand=1)])


async def publish(hub: Hub, messages: Sequence[Message]) -> set[UUID]:
    """Emit in one unit; the events' ids."""
    async with hub.unit() as unit:
        return {unit.emit(message).id for message in messages}


async def outbox_is(hub: Hub, rows: int) -> bool:
    return bool(await hub.pool.fetchval("SELECT count(*) = $1 FROM msg.dispatch", rows))


async def received(bus: Bus, wanted: set[UUID]) -> list[UUID]:
    """The ids that came to the listener; AssertionError when one of those wanted did not."""
    found = [envelope.id for envelope in await bus.take_all(OUT, "orders", len(wanted))]
    assert set(found) == wanted
    return found


async def test_a_confirm_deletes_and_the_broker_vouches_for_the_sender(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    wanted = await publish(hub, [done() for _ in range(700)])
    await wait_until(lambda: outbox_is(hub, 0))
    connection = await aio_pika.connect(bus.url("orders"))
    async with connection:
        queue = await (await connection.channel()).declare_queue(OUT, passive=True)
        message = await queue.get()
        assert (message.user_id, message.app_id, message.delivery_mode) == ("fulfillment", "fulfillment", 2)
        assert Envelope.read(message.headers).id in wanted
    assert len(await received(bus, wanted)) == 700


async def test_what_no_queue_takes_stays_and_holds_up_no_other(hubs: Hubs, bus: Bus) -> None:
    path = f"bindings/{bus.vhost}/e/fulfillment/q/{OUT}"
    await asyncio.to_thread(bus.management.send, "DELETE", f"{path}/fulfillment.command.done.v1")
    hub = await hubs()
    stay = await publish(hub, [done() for _ in range(3)])
    leave = await publish(hub, [level() for _ in range(3)])
    await received(bus, leave)
    await wait_until(lambda: outbox_is(hub, 3))
    assert hub.relay.problem is None
    await asyncio.to_thread(bus.open)
    await hub.pool.execute("UPDATE msg.dispatch SET lease_until = now()")
    await received(bus, stay)


@pytest.mark.parametrize(
    "spoil", ["exchange = 'nowhere'", "exchange = 'orders'", "routing_key = repeat('x', 300)"]
)
async def test_what_can_never_leave_holds_up_no_other(hubs: Hubs, bus: Bus, spoil: str) -> None:
    """A missing exchange and a forbidden one end the channel for all that is in flight on it; a key too long for
    AMQP can't even be sent.
    """
    hub = await hubs()
    async with hub.pool.acquire() as connection, connection.transaction():
        unit = hub.open_unit(connection)
        stay = unit.emit(done()).id
        await unit.flush()
        await connection.execute(f"UPDATE msg.dispatch SET {spoil}, lease_until = now()")  # noqa: S608
    for _ in range(3):
        await received(bus, await publish(hub, [done() for _ in range(20)]))
    await wait_until(lambda: outbox_is(hub, 1))
    assert await hub.pool.fetchval("SELECT event_id FROM msg.dispatch") == stay


@pytest.mark.parametrize("exchange", ["nowhere", "orders"])
async def test_of_one_batch_only_the_message_for_a_refused_exchange_counts_as_refused(
    hubs: Hubs, bus: Bus, exchange: str
) -> None:
    """The others go to the exchange of the user, whom the broker names in its answer."""
    hub, before = await hubs(), refusals()
    async with hub.pool.acquire() as connection, connection.transaction():
        unit = hub.open_unit(connection)
        stay, *others = [unit.emit(done()).id for _ in range(20)]
        await unit.flush()
        await connection.execute("UPDATE msg.dispatch SET exchange = $1 WHERE event_id = $2", exchange, stay)
        await connection.execute("UPDATE msg.dispatch SET lease_until = now()")
    await received(bus, set(others))
    await wait_until(lambda: outbox_is(hub, 1))
    assert await hub.pool.fetchval("SELECT event_id FROM msg.dispatch WHERE refused = 'no_exchange'") == stay
    assert refusals() - before == 1


def refusals() -> float:
    labels = {"service": "fulfillment", "why": "no_exchange"}
    return REGISTRY.get_sample_value("comptoir_publishes_failed_total", labels) or 0.0


@pytest.mark.parametrize(("exchange", "why"), [("orders", "no_exchange"), ("fulfillment", None)])
@pytest.mark.parametrize("text", [
    "ACCESS_REFUSED - access to exchange 'orders' in vhost 'shops' refused for user 'fulfillment'",
    "NOT_FOUND - no exchange 'orders' in vhost 'fulfillment'",
])  # fmt: skip
def test_what_the_broker_names_beside_the_exchange_is_none(exchange: str, why: str | None, text: str) -> None:
    envelope = Envelope(id=uuid7(), source="/fulfillment", type="x", time=datetime.now(UTC))
    outgoing = Outgoing(uuid7(), envelope, b"", exchange, "x", mandatory=True)
    assert why_refused(outgoing, ChannelAccessRefused(text)) == why


async def test_what_a_full_queue_refuses_stays_and_goes_when_there_is_room(hubs: Hubs, bus: Bus) -> None:
    full = {
        "pattern": f"^{OUT}$",
        "definition": {"max-length": 2, "overflow": "reject-publish"},
        "priority": 9,
    }
    await asyncio.to_thread(bus.management.send, "PUT", f"policies/{bus.vhost}/full", full)
    hub = await hubs()
    connected = hub.relay._channel
    wanted = await publish(hub, [done() for _ in range(40)])
    await wait_until(
        lambda: outbox_is(hub, 0), why="a queue takes what comes in one go before it knows that it is full"
    )
    wanted |= await publish(hub, [done() for _ in range(40)])
    await wait_until(lambda: held_back(hub))
    assert hub.relay._channel is connected or connected is None
    await asyncio.to_thread(bus.management.send, "DELETE", f"policies/{bus.vhost}/full")
    await hub.pool.execute("UPDATE msg.dispatch SET lease_until = now()")
    await received(bus, wanted)


async def held_back(hub: Hub) -> bool:
    """Whether something waits longer than a lease."""
    return bool(
        await hub.pool.fetchval(
            "SELECT count(*) > 0 FROM msg.dispatch WHERE lease_until > now() + interval '20 s'"
        )
    )


async def test_what_a_dead_process_left_is_taken_over_when_its_lease_is_out(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    async with hub.pool.acquire() as connection, connection.transaction():
        unit = hub.open_unit(connection)
        wanted = {unit.emit(done()).id for _ in range(5)}
        await unit.flush()
        lease = datetime.now(UTC) + timedelta(seconds=1)
        await connection.execute("UPDATE msg.dispatch SET owner = $1, lease_until = $2", uuid4(), lease)
    await received(bus, wanted)
    assert datetime.now(UTC) >= lease


async def test_what_does_not_fit_into_memory_leaves_by_the_outbox(
    hubs: Hubs, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "MOST_IN_MEMORY", 10)
    hub = await hubs(lease_seconds=0.3)
    wanted = await publish(hub, [done() for _ in range(300)])
    assert hub.relay.is_idle
    await received(bus, wanted)
    await wait_until(lambda: outbox_is(hub, 0))


async def test_leftovers_are_swept_although_the_relay_is_never_idle(
    hubs: Hubs, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "LONGEST_WITHOUT_SWEEP_SECONDS", 0.2)
    hub = await hubs()
    filler = Outgoing(
        uuid7(), Envelope(uuid7(), "/fulfillment", "x", datetime.now(UTC)), b"{}", "fulfillment", "x", False
    )
    busy = asyncio.create_task(keep_busy(hub, filler))
    async with hub.pool.acquire() as connection, connection.transaction():
        unit = hub.open_unit(connection)
        wanted = {unit.emit(done()).id}
        await unit.flush()
        await connection.execute("UPDATE msg.dispatch SET lease_until = now()")
    await received(bus, wanted)
    busy.cancel()


async def keep_busy(hub: Hub, filler: Outgoing) -> None:
    """Hand over messages that no queue takes, so that there is always something in memory."""
    while True:
        if len(hub.relay._waiting) < 1000:
            hub.relay.hand_over([filler] * 300)
        await asyncio.sleep(0)


async def test_a_replay_goes_to_one_queue_and_keeps_the_events_ids(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    since = datetime.now(UTC) - timedelta(seconds=1)
    wanted = await publish(hub, [done(), level(), done()])
    await received(bus, wanted)
    until = datetime.now(UTC) + timedelta(seconds=1)
    body = {"consumer": "orders", "from": since.isoformat(), "to": until.isoformat(), "actor": "ann"}
    async with operator(hub) as client:
        wrongs: list[dict[str, object]] = [
            {"consumer": "payments"},
            {"consumer": ""},
            {"from": "yesterday"},
            {"types": []},
            {"types": ["fulfillment.stock.set.v1"]},
        ]
        for wrong in wrongs:
            assert (await client.post("/internal/replay", json={**body, **wrong})).status_code == 422, wrong
        answer = (await client.post("/internal/replay", json=body)).json()
        assert (answer["queue"], answer["messages"]) == (OUT, 3)
        (shown,) = (await client.get("/internal/operations")).json()["replays"]
        assert (shown["id"], shown["actor"], shown["messages"]) == (answer["replay_id"], "ann", 3)
    assert len(await received(bus, wanted)) == 3


async def test_a_broker_that_dies_under_load_loses_nothing(hubs: Hubs, bus: Bus, rabbitmq: RabbitMQ) -> None:
    hub = await hubs()
    wanted: set[UUID] = set()
    over = asyncio.Event()

    async def speak() -> None:
        while not over.is_set() or len(wanted) < 300:
            wanted.update(await publish(hub, [done()]))

    speaking = asyncio.create_task(speak())
    await asyncio.to_thread(rabbitmq.kill)
    await asyncio.to_thread(rabbitmq.restart)
    over.set()
    await speaking
    await received(bus, wanted)
    await wait_until(lambda: outbox_is(hub, 0))


async def test_confirms_that_never_come_cost_a_second_publish_and_nothing_else(
    hubs: Hubs, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker has the messages; its word is lost on the way, and nobody closes the connection."""
    async with Proxy(int(bus.url("orders").partition("@")[2].partition("/")[0].rpartition(":")[2])) as proxy:
        hub = await hubs(port=proxy.port)
        await received(bus, await publish(hub, [done()]))
        await wait_until(lambda: outbox_is(hub, 0))
        monkeypatch.setattr(relaying, "PUBLISH_SECONDS", 0.5)
        proxy.swallow(TO_CLIENT)
        wanted = await publish(hub, [done() for _ in range(30)])
        await wait_until(lambda: is_troubled(hub))
        assert await outbox_is(hub, 30)
        proxy.flow()
        proxy.cut_all()
        await wait_until(lambda: outbox_is(hub, 0))
        found = await received(bus, wanted)
        assert len(found) >= 30
        await hub.stop()


async def is_troubled(hub: Hub) -> bool:
    return hub.relay.is_failing


def test_an_event_keeps_its_id_and_each_dispatch_has_its_own() -> None:
    envelope = Envelope(uuid7(), "/fulfillment", "fulfillment.command.done.v1", datetime.now(UTC))
    outgoing = [Outgoing(uuid7(), envelope, b"{}", "fulfillment", envelope.type, True) for _ in range(2)]
    first, second = (properties_of(o, "fulfillment", "fulfillment") for o in outgoing)
    assert first.headers == second.headers
    assert first.message_id != second.message_id
