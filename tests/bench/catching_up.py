"""A service was down while orders were placed: how fast fulfillment works off what waits for it."""

from datetime import datetime

from tests.bench.harness import Harness
from tests.bench.intake import sample
from tests.bench.row import Row, per_second
from tests.bench.sequel import PLACED, SUBMITTED
from tests.bench.stand_in import rate, standing_in

GOAL = 2_500
COUNT = "SELECT count(*) FROM fulfilment_order"
BATCHES = "SELECT seen_at, count(*) FROM msg.inbox WHERE seen_at >= $1 GROUP BY 1 ORDER BY 1"


async def measure(harness: Harness) -> list[Row]:
    """Events a second from the first commit after the start to the last."""
    await harness.run_only("orders", "fulfillment")
    await harness.set_stock()
    await harness.run_only("orders")
    count = harness.scale.catch_up_events
    before = await harness.fetchval("fulfillment", COUNT)
    since: datetime = await harness.fetchval("fulfillment", "SELECT now()")
    await harness.place(count)
    await harness.ours.supervisor.stop("orders")
    await harness.start("fulfillment")
    await harness.until("fulfillment", COUNT, before + count)
    rows = await harness.fetch("fulfillment", BATCHES, since)
    ours = per_second([(row[0].timestamp(), row[1]) for row in rows])
    floor = await _floor(harness, count)
    harness.notes.append(f"catch-up: fulfillment was down for {count} OrderPlaced")
    return [Row("catch-up", ours, "events/s", floor=floor, goal=GOAL)]


async def _floor(harness: Harness, count: int) -> float:
    """The floor's orders fills the queue, then its fulfillment works it off."""
    harness.purge(harness.floor)
    await harness.submit(harness.floor, count)
    orders = await sample(harness)
    async with standing_in(harness, ["orders"], orders, count) as filling:
        await filling.until("orders", SUBMITTED, count)
        await harness.until("orders", "SELECT -count(*) FROM msg.dispatch", 0, system=harness.floor)
    async with standing_in(harness, ["fulfillment"], orders, count) as floor:
        return rate(await floor.until("fulfillment", PLACED, count))
