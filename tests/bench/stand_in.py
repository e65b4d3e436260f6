"""The floor's processes: started in the services' places on the floor's system, watched, stopped."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from deploy.local.supervisor import Program
from deploy.local.system import ROOT
from tests.bench.harness import POLL_SECONDS, BenchStuck, Harness
from tests.bench.row import per_second

SAMPLE = 100
"""Orders whose rows and messages the floor repeats: as many as a batch has messages."""
DONE_SECONDS = 120.0
Commit = tuple[float, dict[str, int]]
"""When a batch was committed, and how many messages of each type it held."""


class StandInDied(Exception):
    """A process of the floor ended by itself; carries the end of its log."""


class StandIns:
    """Running floor processes by service."""

    def __init__(self, harness: Harness, reports: dict[str, Path]) -> None:
        self._harness = harness
        self._reports = reports

    def commits(self, service: str) -> list[Commit]:
        """The batches a process has committed so far."""
        path = self._reports[service]
        text = path.read_text() if path.exists() else ""
        return [(at, types) for at, types in map(json.loads, text.splitlines()[: text.count("\n")])]

    def check(self) -> None:
        """Raises StandInDied when one has ended; it would come back and do its work again."""
        supervisor = self._harness.floor.supervisor
        for service in self._reports:
            if supervisor.deaths(_name(service)):
                log = supervisor.log_tail(_name(service))
                raise StandInDied(f"the floor's {service} ended; its log ends:\n{log}")

    async def until(self, service: str, type: str, count: int) -> list[Commit]:
        """Wait until so many messages of a type are committed. Raises BenchStuck."""
        deadline = time.monotonic() + DONE_SECONDS
        while True:
            self.check()
            commits = self.commits(service)
            reached = sum(types.get(type, 0) for _, types in commits)
            self._harness.progress.report(f"the floor's {service}: {reached:,} of {count:,}")
            if reached >= count:
                return commits
            if time.monotonic() > deadline:
                raise BenchStuck(f"the floor's {service} has heard {reached} of {count} {type}")
            await asyncio.sleep(POLL_SECONDS)


def rate(commits: Sequence[Commit]) -> float:
    """Messages a second; moments are ends of batches, so the first batch's beginning is what is unknown."""
    return per_second([(-at, Counter(types).total()) for at, types in commits])


@asynccontextmanager
async def standing_in(
    harness: Harness, services: Sequence[str], order_ids: Sequence[UUID], count: int
) -> AsyncIterator[StandIns]:
    """Have the floor do the work of these services for so many orders, after the example of these of ours."""
    system, supervisor = harness.floor, harness.floor.supervisor
    reports = {service: system.folder / f"{service}-{time.monotonic_ns()}.jsonl" for service in services}
    first_clone = harness.take_clones(count // len(order_ids) + 2)
    for service in services:
        plan = {
            "service": service,
            "sources": harness.ours.databases,
            "order_ids": [str(each) for each in order_ids],
            "database_url": system.databases[service],
            "amqp_url": system.amqp_url(service),
            "smtp_port": harness.ours.smtp_port,
            "first_clone": first_clone,
            "report": str(reports[service]),
        }
        argv = [sys.executable, "-m", "tests.bench.floor"]
        await supervisor.start(
            Program(_name(service), argv, {"BENCH_FLOOR_PLAN": json.dumps(plan)}, None, ROOT)
        )
    try:
        yield StandIns(harness, reports)
    finally:
        await asyncio.gather(*(supervisor.stop(_name(service)) for service in services))


def _name(service: str) -> str:
    return f"floor-{service}"
