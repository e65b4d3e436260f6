"""A message parked before the inbox knew it is handled once when it is redriven, however often that takes."""

from dataclasses import replace

from services.chassis.messaging.inbound.dead_letters import DeadLetterReader
from tests.chassis import sample
from tests.chassis.conftest import SampleDesks
from tests.chassis.messaging.test_dead_letters import dead


async def test_a_dead_letter_that_fails_when_redriven_is_not_taken_for_done(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks()
    reader = DeadLetterReader("fulfillment.dead", desk.hub.unit, desk.hub.committer.commit)
    await reader._park(replace(dead(), queue="fulfillment.orders"), "dead one")
    await desk.hub.pool.execute("UPDATE msg.parked SET state = 'waiting', next_at = now()")
    sample.faulty.add("MUG")
    try:
        await desk.hub.committer.retry_due(10)
    finally:
        sample.faulty.discard("MUG")
    assert await desk.fetchval("SELECT state FROM msg.parked") == "waiting"
    await desk.retry()
    assert await desk.fetchval("SELECT count(*) FROM seen") == 1
    assert await desk.fetchval("SELECT state FROM msg.parked") == "resolved"
