"""Background work that meets a server that is down: it is said once, and tried ever less often."""

import asyncio
from itertools import pairwise
from time import monotonic

from structlog.testing import capture_logs

from deploy.local.ports import free_ports
from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.testing import wait_until
from tests.chassis.conftest import SampleDesks

IDLE = 0.02


async def test_a_server_that_is_down_is_logged_once_and_polled_less_and_less_often(
    sample_desks: SampleDesks,
) -> None:
    desk, (port,) = await sample_desks(), free_ports(1)
    requests: list[float] = []

    async def connect(_: Process) -> bool:
        requests.append(monotonic())
        await asyncio.open_connection("127.0.0.1", port)
        return True

    with capture_logs() as logged:
        working = asyncio.create_task(Worker("errand", connect, IDLE).loop(desk.hub))
        await wait_until(lambda: len(requests) >= 6)
        working.cancel()
        await asyncio.wait([working])
    pauses = [later - earlier for earlier, later in pairwise(requests)]
    assert all(pause > 0.9 * IDLE * 2**number for number, pause in enumerate(pauses, 1)), pauses
    assert [(line["log_level"], line["worker"]) for line in logged] == [("warning", "errand")]
