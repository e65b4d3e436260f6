"""What the broker gave up on is parked, visibly, and tried once alone."""

import asyncio
from typing import Any

import aio_pika

from services.chassis.messaging.inbound.dead_letters import DeadLetterReader
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.topology import DELIVERY_LIMIT
from services.chassis.testing import Desk, envelope_for, wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs, SampleDesks
from tests.chassis.messaging.test_reading import parked_events
from tests.chassis.operators import parked_by_http
from tests.chassis.sample import ask

BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted"
DEATH = {"x-death": [{"queue": "fulfillment.orders", "reason": "delivery_limit", "count": 1}]}


def dead(actor: str = "note", **headers: Any) -> RawMessage:
    """A message as it comes from the queue of dead letters."""
    message = ask(actor)
    envelope = envelope_for("fulfillment", message)
    body = message.model_dump_json().encode()
    return RawMessage("fulfillment.dead", {**envelope.headers(), **DEATH, **headers}, body, "orders")


def reader_of(desk: Desk) -> DeadLetterReader:
    return DeadLetterReader("fulfillment.dead", desk.hub.unit, desk.hub.committer.commit)


async def test_returned_too_often_it_goes_by_the_brokers_policy_to_the_dead_and_is_handled_after_all(
    hubs: Hubs, bus: Bus
) -> None:
    await bus.publish([framed(ask())])
    connection = await aio_pika.connect(bus.url("fulfillment"))
    async with connection:
        queue = await (await connection.channel()).declare_queue("fulfillment.orders", passive=True)
        returned = 0
        while (message := await queue.get(fail=False)) is not None or returned <= DELIVERY_LIMIT:
            if message is not None:
                await message.nack(requeue=True)
                returned += 1
    hub = await hubs()
    await wait_until(lambda: hub.pool.fetchval("SELECT count(*) FROM seen"))
    await wait_until(lambda: hub.pool.fetchval("SELECT count(*) FROM msg.parked WHERE state = 'resolved'"))
    [row] = await parked_by_http(hub, "resolved")
    assert (row["reason"], row["queue"]) == ("delivery_limit", "fulfillment.orders")
    assert await parked_by_http(hub) == []


async def test_it_is_reported_and_is_under_its_own_name_afterwards(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    reader = reader_of(desk)
    await reader._keep([dead("refuse")])
    assert [(row["reason"], row["state"]) for row in await parked_by_http(desk.hub)] == [
        ("not_sold_here", "dead")
    ]
    assert [message.reason for message in await parked_events(desk)] == ["delivery_limit", "not_sold_here"]


async def test_one_that_kills_its_process_is_left_to_a_person_the_next_time(
    sample_desks: SampleDesks,
) -> None:
    """The first process dies in the middle of the try: nothing but the parked row is left of it."""
    desk = await sample_desks()
    killer = dead()
    async with desk.hub.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE seen")
        trying = asyncio.create_task(reader_of(desk)._keep([killer]))
        await wait_until(lambda: desk.fetchval(BLOCKED))
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
    await reader_of(desk)._keep([killer])
    assert await desk.fetchval("SELECT count(*) FROM seen") == 0
    [row] = await parked_by_http(desk.hub)
    assert (row["reason"], row["state"], row["queue"]) == ("delivery_limit", "dead", "fulfillment.orders")
    assert len(await parked_events(desk)) == 1


async def test_a_death_that_the_publisher_made_up_is_not_believed(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    lie = dead(**{"x-first-death-queue": "fulfillment.payments"})
    await reader_of(desk)._keep([lie])
    assert await desk.fetchval("SELECT count(*) FROM seen") == 1


async def test_an_unreadable_one_is_parked_too(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await reader_of(desk)._keep([RawMessage("fulfillment.dead", DEATH, b"?")])
    assert [row["reason"] for row in await parked_by_http(desk.hub)] == ["envelope_unreadable"]


async def test_one_that_was_handled_before_is_only_known(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    one = dead()
    await desk.hub.committer.commit([RawMessage("fulfillment.orders", one.headers, one.body, "orders")])
    await reader_of(desk)._keep([one])
    assert await desk.fetchval("SELECT count(*) FROM seen") == 1
    assert await parked_by_http(desk.hub) == []
