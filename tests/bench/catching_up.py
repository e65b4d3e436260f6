"""A service was down while orders were placed: how fast fulfillment works off what waits for it."""

from datetime import datetime

from tests.bench.intake import sample
from tests.bench.row import Row, per_second
from tests.bench.sequel import PLACED, SUBMITTED
from tests.bench.stage import Stage
from tests.bench.stand_in import rate, standing_in

GOAL = 2_500
COUNT = "SELECT count(*) FROM fulfilment_order"
BATCHES = "SELECT seen_at, count(*) FROM msg.inbox WHERE seen_at >= $1 GROUP BY 1 ORDER BY 1"


async def measure(stage: Stage) -> list[Row]:
    """Events a second from the first commit after the start to the last."""
    await stage.run_only("orders", "fulfillment")
    await stage.set_stock()
    await stage.run_only("orders")
    count = stage.scale.catch_up_events
    before = await stage.fetchval("fulfillment", COUNT)
    since: datetime = await stage.fetchval("fulfillment", "SELECT now()")
    await stage.place(count)
    await stage.ours.supervisor.stop("orders")
    await stage.start("fulfillment")
    await stage.until("fulfillment", COUNT, before + count)
    rows = await stage.fetch("fulfillment", BATCHES, since)
    ours = per_second([(row[0].timestamp(), row[1]) for row in rows])
    floor = await _floor(stage, count)
    stage.notes.append(f"catch-up: fulfillment was down for {count} OrderPlaced")
    return [Row("catch-up", ours, "events/s", floor=floor, goal=GOAL)]


async def _floor(stage: Stage, count: int) -> float:
    """The floor's orders fills the queue, then its fulfillment works it off."""
    stage.purge(stage.floor)
    await stage.submit(stage.floor, count)
    orders = await sample(stage)
    async with standing_in(stage, ["orders"], orders, count) as filling:
        await filling.until("orders", SUBMITTED, count)
        await stage.until("orders", "SELECT -count(*) FROM msg.dispatch", 0, system=stage.floor)
    async with standing_in(stage, ["fulfillment"], orders, count) as floor:
        return rate(await floor.until("fulfillment", PLACED, count))
