"""Workers of the chassis: every process follows operators' pauses; one that consumes also has retries,
housekeeping and gauges."""

from typing import Any, Protocol

import structlog

from contracts.catalogue import consumed_by
from services.chassis.background.workers import Worker
from services.chassis.messaging.inbound.committing import Committer
from services.chassis.messaging.inbound.consuming import Consumers
from services.chassis.messaging.process import Process
from services.chassis.messaging.rates import Rates
from services.chassis.messaging.recovery import pausing, redriving
from services.chassis.runtime.gauges import measure

log = structlog.get_logger()
HOUSEKEEPING_SECONDS = 60.0
GAUGES_SECONDS = 2.0


class ConsumingProcess(Process, Protocol):
    """One process of a service that handles messages, as its own workers see it."""

    committer: Committer[Any]
    consumers: Consumers | None
    rates: Rates
    warnings: list[str]
    pauses: list[pausing.Pause]

    async def keep_house(self) -> None:
        """Maintain partitions and gauges."""


class PausableProcess(Protocol):
    """One process of a service, whether it handles messages or not."""

    async def follow_pauses(self) -> None:
        """Read what is paused, and follow it."""


def pauses_worker(process: PausableProcess) -> Worker:
    """Return the worker that follows pauses. A process that does not consume warns of them too."""

    async def follow(_: Process) -> bool:
        await process.follow_pauses()
        return False

    return Worker("pauses", follow, pausing.FOLLOW_SECONDS)


def own_workers(process: ConsumingProcess) -> list[Worker]:
    """Return the workers of a consuming process."""

    async def retry(_: Process) -> bool:
        if any(one.what == pausing.MESSAGES for one in process.pauses):
            return False
        return await process.committer.retry_due(process.settings.batch_size) > 0

    async def keep_house(_: Process) -> bool:
        await process.keep_house()
        return False

    async def retry_known(_: Process) -> bool:
        """Retry what an earlier version parked; while one still runs it may park a message again, and this repeats."""
        async with process.unit() as unit:
            count = await redriving.redrive_known(unit, types)
        if count:
            log.info("messages of types that an earlier version did not know are retried", messages=count)
        return False

    types = [entry.type for entry in consumed_by(process.service)]

    async def look(_: Process) -> bool:
        process.warnings = await measure(process, process.rates, process.committer.taken)
        return False

    return [
        Worker("retries", retry),
        Worker("housekeeping", keep_house, HOUSEKEEPING_SECONDS),
        Worker("newly known", retry_known, HOUSEKEEPING_SECONDS),
        Worker("gauges", look, GAUGES_SECONDS),
    ]
