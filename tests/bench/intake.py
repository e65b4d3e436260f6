"""How fast orders are taken in: submissions wait in the queue, the orders service runs alone, all queues are bound.

Measured from the first commit to the last, by the rows themselves. Ours and the floor take turns, round by round.
"""

import os
import signal
from datetime import datetime
from uuid import UUID

from tests.bench.harness import Harness
from tests.bench.row import Row, per_second
from tests.bench.sequel import SUBMITTED
from tests.bench.spending import spent, summary_of
from tests.bench.stand_in import SAMPLE, rate, standing_in

GOAL = 2_500
COUNT = "SELECT count(*) FROM orders"
OUTBOX = "SELECT -count(*) FROM msg.dispatch"
BATCHES = "SELECT received_at, count(*) FROM orders WHERE received_at >= $1 GROUP BY 1 ORDER BY 1"
SAMPLED = "SELECT order_id FROM orders ORDER BY received_at DESC, order_id LIMIT $1"


async def measure(harness: Harness) -> list[Row]:
    """Orders a second, beside the floor's."""
    await harness.run_only("orders")
    count = harness.scale.intake_orders
    ours, floors = [], []
    for number in range(1, harness.scale.intake_rounds + 1):
        harness.progress.begin(f"intake: round {number} of {harness.scale.intake_rounds}")
        ours.append(await _round(harness, count))
        floors.append(await _floor_round(harness, count))
        harness.purge(harness.ours)
        harness.purge(harness.floor)
    fields = ", ".join(f"{o:.0f}/{f:.0f}" for o, f in zip(ours, floors, strict=True))
    harness.notes.append(f"intake, ours/floor round by round, {count} orders each: {fields} orders/s")
    return [Row("intake", _mean_rate(ours), "orders/s", floor=_mean_rate(floors), goal=GOAL)]


async def sample(harness: Harness) -> list[UUID]:
    """The orders the floor takes as its example: the latest."""
    return [row["order_id"] for row in await harness.fetch("orders", SAMPLED, SAMPLE)]


async def _round(harness: Harness, count: int) -> float:
    """Fill the queue while the service is held still, let it go, and see when each batch was committed."""
    pid = harness.ours.supervisor.pid("orders")
    before = await harness.fetchval("orders", COUNT)
    os.kill(pid, signal.SIGSTOP)
    try:
        await harness.submit(harness.ours, count)
        used = spent(harness.parts, harness.ours.supervisor)
    finally:
        os.kill(pid, signal.SIGCONT)
    since: datetime = await harness.fetchval("orders", "SELECT now() - interval '1 second'")
    await harness.until("orders", COUNT, before + count)
    await harness.until("orders", OUTBOX, 0)
    harness.notes.append(summary_of("intake", used, spent(harness.parts, harness.ours.supervisor), count))
    rows = await harness.fetch("orders", BATCHES, since)
    return per_second([(row[0].timestamp(), row[1]) for row in rows])


async def _floor_round(harness: Harness, count: int) -> float:
    await harness.submit(harness.floor, count)
    async with standing_in(harness, ["orders"], await sample(harness), count) as floor:
        used = spent(harness.parts, harness.floor.supervisor)
        commits = await floor.until("orders", SUBMITTED, count)
        await harness.until("orders", OUTBOX, 0, system=harness.floor)
        harness.notes.append(
            summary_of("floor's intake", used, spent(harness.parts, harness.floor.supervisor), count)
        )
        return rate(commits)


def _mean_rate(rates: list[float]) -> float:
    """The rate over all rounds, which are of one size: the harmonic mean."""
    return len(rates) / sum(1 / each for each in rates)
