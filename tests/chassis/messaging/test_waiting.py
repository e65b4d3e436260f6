"""A message that needs what is not here yet waits for it by name, and goes on as soon as it is there."""

from datetime import timedelta

from contracts.envelope import uuid7
from contracts.service import MessageParked
from services.chassis.testing import envelope_for, wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs, SampleDesks
from tests.chassis.messaging.test_poison import log_of
from tests.chassis.operators import parked_by_http
from tests.chassis.sample import PATIENCE, ask


async def test_it_is_woken_by_the_commit_that_creates_what_it_needs(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    assert (await desk.deliver(ask("wait", "LAMP"))).result == "waiting"
    assert await desk.hub.committer.retry_due(10) == 0
    await desk.deliver(ask("open", "LAMP"))
    assert await desk.hub.committer.retry_due(10) == 1
    rows = await desk.fetch("SELECT attempts FROM seen ORDER BY attempts")
    assert [row["attempts"] for row in rows] == [0, 1]


async def test_in_one_batch_the_sequence_does_not_matter(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    batch = [ask("wait", "LAMP"), ask("open", "LAMP"), ask("wait", "LAMP")]
    outcomes = await desk.deliver_all([(envelope_for("fulfillment", m), m, None) for m in batch])
    assert [outcome.result for outcome in outcomes] == ["waiting", "handled", "handled"]
    assert await desk.hub.committer.retry_due(10) == 1


async def test_a_waiting_message_that_comes_again_is_a_duplicate(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    event_id = uuid7()
    results = [(await desk.deliver(ask("wait", "LAMP"), id=event_id)).result for _ in range(3)]
    assert results == ["waiting", "duplicate", "duplicate"]
    await desk.deliver(ask("open", "LAMP"))
    await desk.retry()
    assert await desk.fetchval("SELECT count(*) FROM seen WHERE event_id = $1", event_id) == 1


async def test_it_gives_up_in_the_end_and_is_shown(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.deliver(ask("wait", "LAMP"))
    past = PATIENCE + timedelta(seconds=1)
    await desk.hub.pool.execute(
        """UPDATE msg.parked SET first_at = first_at - $1::interval, give_up_at = give_up_at - $1::interval,
               next_at = now()""",
        past,
    )
    await desk.hub.committer.retry_due(10)
    [row] = await parked_by_http(desk.hub)
    assert (row["state"], row["reason"]) == ("dead", "sku_unknown")
    assert "sku:LAMP" in row["detail"]
    assert len(await log_of(desk, MessageParked)) == 1


async def test_a_waker_in_another_process_is_noticed_immediately(hubs: Hubs, bus: Bus) -> None:
    """The first pause would be a minute: only the wake-up can be so quick."""
    hub = await hubs(retry_seconds=60)
    await bus.publish([framed(ask("wait", "LAMP"))])
    await wait_until(lambda: hub.pool.fetchval("SELECT count(*) FROM msg.parked WHERE state = 'waiting'"))
    other = await hubs(retry_seconds=60)
    async with other.unit() as unit:
        await unit.connection.execute("INSERT INTO opened VALUES ('LAMP')")
        unit.wake("sku:LAMP")
    await wait_until(lambda: hub.pool.fetchval("SELECT count(*) FROM seen"), 5)
