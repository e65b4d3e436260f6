"""The lag of the event loop: how late it runs what is due. Everything in a process waits for it, also its probes."""

import asyncio
from typing import NoReturn

from services.chassis import metrics

SAMPLE_SECONDS = 0.5


async def measure_lag() -> NoReturn:
    """Sample the lag for as long as the process works."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + SAMPLE_SECONDS
        await asyncio.sleep(SAMPLE_SECONDS)
        metrics.LOOP_LAG.observe(max(clock() - due, 0.0))
