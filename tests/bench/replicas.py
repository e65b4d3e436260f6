"""Replicas: whole lives on one, two and four processes of every service at once, and while each is restarted in turn.

On more cores than these processes use, more of them carry more. On fewer they share what there is: then the figures
show what sharing costs, since messages are spread over more and smaller batches. The floor is one process of each.

Lives whose order or mails are missing, or that have a mail too many, are a failure whatever the rate.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from contracts.catalogue import SERVICES
from tests.bench.harness import Harness
from tests.bench.life import MAILS, Lived, live, live_counting
from tests.bench.row import Row
from tests.replicas import program_of, service_of, start_replicas

COUNTS = (1, 2, 4)
GOAL = 110
"""Lives a second: that of a whole life on two cores, however many processes share them."""
GOAL_MS = 15
"""Of processor time for a life, over all processes and both servers."""
RESTARTED_GOAL = 55
RESTARTED = 2
"""Processes of each service while they are restarted: the fewest of which one may be missing."""
MAILS_TOO_MANY = """
    SELECT count(*) FROM (
        SELECT FROM mail JOIN orders USING (shop, order_id) WHERE received_at >= $1
        GROUP BY shop, order_id HAVING count(DISTINCT mail_id) > $2) AS doubled"""


async def measure(harness: Harness) -> list[Row]:
    """Completed orders a second and processor time for each number of processes."""
    await harness.use_mail_server(keeps_journal=False)
    rows: list[Row] = []
    rates: dict[int, float] = {}
    for count in (each for each in COUNTS if each <= harness.scale.most_replicas):
        await harness.run_only(*SERVICES)
        await start_replicas(harness.ours, count)
        await harness.set_stock()
        lived, cost = await live_counting(harness, harness.scale.replicas_seconds)
        rates[count] = lived.per_second
        floor = None if count == 1 else rates[1]
        rate = Row(
            f"replicas {count}", lived.per_second, "orders/s", floor=floor, goal=GOAL, parts=cost.parts
        )
        spent = sum(cost.processor_ms.values())
        rows += [
            replace(rate, failed=await _failure(harness, lived)),
            Row(f"replicas {count} processor time", spent, "ms/life", goal=GOAL_MS, less_is_better=True),
        ]
    return [*rows, await _restarted(harness, rates[RESTARTED])]


async def _restarted(harness: Harness, floor: float) -> Row:
    """One process after the other is stopped and started; lives go on for as long as that takes."""
    await harness.run_only(*SERVICES)
    names = (await start_replicas(harness.ours, RESTARTED))[: harness.scale.restarts]
    restarting = asyncio.create_task(_restart_each(harness, names))
    rounds: list[Lived] = []
    try:
        while not rounds or not restarting.done():
            rounds.append(await live(harness, harness.scale.replicas_seconds))
        await restarting
    finally:
        restarting.cancel()
        await asyncio.gather(restarting, return_exceptions=True)
    failures = [failure for lived in rounds if (failure := await _failure(harness, lived)) is not None]
    return Row(
        f"replicas {RESTARTED} restarted in turn",
        fmean(lived.per_second for lived in rounds),
        "orders/s",
        floor=floor,
        goal=RESTARTED_GOAL,
        parts={"restarts": {name: float(times) for name, times in Counter(map(service_of, names)).items()}},
        failed=failures[0] if failures else None,
    )


async def _restart_each(harness: Harness, names: Sequence[str]) -> None:
    for name in names:
        await harness.ours.supervisor.stop(name)
        await harness.ours.supervisor.start(program_of(harness.ours, name))


async def _failure(harness: Harness, lived: Lived) -> str | None:
    """Why the figure is none: something was lost or doubled."""
    [row] = await harness.fetch("orders", MAILS_TOO_MANY, lived.began, MAILS)
    lost, doubled = lived.finished - lived.ended, row["count"]
    if not lost and not doubled:
        return None
    return f"of {lived.finished} lives {lost} did not end, {doubled} have more than {MAILS} mails"
