"""How fast orders are taken in: submissions wait in the queue, the orders service runs alone, all queues are bound.

Measured from the first commit to the last, by the rows themselves. Ours and the floor take turns, round by round.
"""

import os
import signal
from datetime import datetime
from uuid import UUID

from tests.bench.row import Row, per_second
from tests.bench.sequel import SUBMITTED
from tests.bench.spending import spent, told
from tests.bench.stage import Stage
from tests.bench.stand_in import SAMPLE, rate, standing_in

GOAL = 2_500
COUNT = "SELECT count(*) FROM orders"
OUTBOX = "SELECT -count(*) FROM msg.dispatch"
BATCHES = "SELECT received_at, count(*) FROM orders WHERE received_at >= $1 GROUP BY 1 ORDER BY 1"
SAMPLED = "SELECT order_id FROM orders ORDER BY received_at DESC, order_id LIMIT $1"


async def measure(stage: Stage) -> list[Row]:
    """Orders a second, beside the floor's."""
    await stage.run_only("orders")
    count = stage.scale.intake_orders
    ours, floors = [], []
    for number in range(1, stage.scale.intake_rounds + 1):
        stage.progress.begin(f"intake: round {number} of {stage.scale.intake_rounds}")
        ours.append(await _round(stage, count))
        floors.append(await _floor_round(stage, count))
        stage.purge(stage.ours)
        stage.purge(stage.floor)
    told = ", ".join(f"{o:.0f}/{f:.0f}" for o, f in zip(ours, floors, strict=True))
    stage.notes.append(f"intake, ours/floor round by round, {count} orders each: {told} orders/s")
    return [Row("intake", _mean_rate(ours), "orders/s", floor=_mean_rate(floors), goal=GOAL)]


async def sample(stage: Stage) -> list[UUID]:
    """The orders the floor takes as its example: the latest."""
    return [row["order_id"] for row in await stage.fetch("orders", SAMPLED, SAMPLE)]


async def _round(stage: Stage, count: int) -> float:
    """Fill the queue while the service is held still, let it go, and see when each batch was committed."""
    pid = stage.ours.supervisor.pid("orders")
    before = await stage.fetchval("orders", COUNT)
    os.kill(pid, signal.SIGSTOP)
    try:
        await stage.submit(stage.ours, count)
        used = spent(stage.parts, stage.ours.supervisor)
    finally:
        os.kill(pid, signal.SIGCONT)
    since: datetime = await stage.fetchval("orders", "SELECT now() - interval '1 second'")
    await stage.until("orders", COUNT, before + count)
    await stage.until("orders", OUTBOX, 0)
    stage.notes.append(told("intake", used, spent(stage.parts, stage.ours.supervisor), count))
    rows = await stage.fetch("orders", BATCHES, since)
    return per_second([(row[0].timestamp(), row[1]) for row in rows])


async def _floor_round(stage: Stage, count: int) -> float:
    await stage.submit(stage.floor, count)
    async with standing_in(stage, ["orders"], await sample(stage), count) as floor:
        used = spent(stage.parts, stage.floor.supervisor)
        commits = await floor.until("orders", SUBMITTED, count)
        await stage.until("orders", OUTBOX, 0, system=stage.floor)
        stage.notes.append(told("floor's intake", used, spent(stage.parts, stage.floor.supervisor), count))
        return rate(commits)


def _mean_rate(rates: list[float]) -> float:
    """The rate over all rounds, which are of one size: the harmonic mean."""
    return len(rates) / sum(1 / each for each in rates)
