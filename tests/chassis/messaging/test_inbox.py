"""However often and wherever a message comes, its effect and its outputs happen once."""

import asyncio
import random
from uuid import UUID

from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.testing import envelope_for, wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs, SampleDesks
from tests.chassis.sample import ask

ONCE = """SELECT (SELECT count(*) FROM seen) AS seen, (SELECT count(DISTINCT event_id) FROM seen) AS apart,
                 (SELECT count(*) FROM msg.event_log) AS said, (SELECT count(*) FROM msg.parked) AS parked"""


def arrivals(count: int) -> list[RawMessage]:
    """So many different messages as they arrive."""
    found = []
    for n in range(count):
        message = ask(sku=f"SKU-{n}")
        envelope = envelope_for("fulfillment", message)
        found.append(
            RawMessage("fulfillment.orders", envelope.headers(), message.model_dump_json().encode(), "orders")
        )
    return found


async def test_within_a_batch_and_across_batches(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    once = arrivals(20)
    for batch in (once + once, once[:5] + once[10:], once[::-1]):
        await desk.hub.committer.commit(batch)
    [row] = await desk.fetch(ONCE)
    assert tuple(row) == (20, 20, 20, 0)


async def test_across_processes_that_compete_for_the_same_messages(sample_desks: SampleDesks) -> None:
    desks = [await sample_desks() for _ in range(3)]
    once = arrivals(200)

    async def handle_all(seed: int) -> None:
        mine = random.Random(seed).sample(once, len(once))
        for start in range(0, len(mine), 25):
            await desks[seed].hub.committer.commit(mine[start : start + 25])

    await asyncio.gather(*map(handle_all, range(3)))
    [row] = await desks[0].fetch(ONCE)
    assert tuple(row) == (200, 200, 200, 0)


async def test_two_whole_processes_on_one_queue(hubs: Hubs, bus: Bus) -> None:
    """Everything is published three times; the outputs are heard once each."""
    await hubs()
    hub = await hubs()
    messages = [framed(ask(sku=f"SKU-{n}")) for n in range(150)]
    await asyncio.gather(*(bus.publish(random.sample(messages, len(messages))) for _ in range(3)))
    received = await bus.take_all("orders.fulfillment", "orders", 150)
    await wait_until(lambda: everything_left(hub.pool))
    received += await bus.take_all("orders.fulfillment", "orders", 0)
    assert len(received) == len({envelope.id for envelope in received}) == 150
    assert {envelope.causation_id for envelope in received} == {envelope.id for envelope, _ in messages}
    [row] = await hub.pool.fetch(ONCE)
    assert tuple(row) == (150, 150, 150, 0)


async def everything_left(pool: object) -> bool:
    """Whether the outbox is empty."""
    return await pool.fetchval("SELECT count(*) = 0 FROM msg.dispatch")  # type: ignore[attr-defined]


async def test_a_known_id_under_another_sender_is_another_message(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    key = "INSERT INTO msg.inbox VALUES ($1, '/payments', 'fulfillment', now())"
    [one] = arrivals(1)
    await desk.hub.pool.execute(key, UUID(str(one.headers["cloudEvents_id"])))
    [handled] = await desk.hub.committer.commit([one])
    assert handled.end == "handled"
