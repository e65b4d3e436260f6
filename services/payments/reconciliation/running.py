"""The worker that runs the comparisons: each list of each endpoint when it is due, or when staff ask.

One row per list says how far it was compared and holds a lease while a run goes on; a process that dies leaves the
row to the next one, which begins where the last step ended. All that a run posts is named by the provider's own
ids, so a repeated step changes nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import prometheus_client
import structlog

from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.payments.providers.listing import Listing
from services.payments.providers.port import (
    AnswerUnreadable,
    Endpoint,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
)
from services.payments.reconciliation import run_store
from services.payments.reconciliation.run_store import RunRow
from services.payments.settings import PaymentsSettings

WORKER = "reconciliation"
IDLE_SECONDS = 20.0
LEASE = timedelta(minutes=5)
EVERY = {"events": timedelta(minutes=10), "money": timedelta(days=1), "payouts": timedelta(days=1)}
"""The pause between two runs of a list."""
AFTER_FAILURE = timedelta(minutes=30)
"""The pause after a run that failed; PayPal's report, for instance, may lag by hours."""
FOUND = prometheus_client.Counter(
    "comptoir_reconcile_found_total",
    "Events of a provider's list that no webhook brought.",
    ["provider", "kind"],
)
REACHED = prometheus_client.Gauge(
    "comptoir_reconcile_reached_timestamp_seconds",
    "Until when a provider's list was compared.",
    ["provider", "endpoint", "kind"],
)
FAILED = prometheus_client.Counter(
    "comptoir_reconcile_failed_total", "Runs that a provider's API prevented.", ["provider", "kind"]
)
log = structlog.get_logger()


@dataclass
class Run:
    """One run of one list: what it compares, and its progress."""

    process: Process
    listing: Listing
    row: Any
    now: datetime
    steps: int = 1
    done: int = 0
    found: int = 0
    provider: str = field(init=False)
    endpoint: str = field(init=False)
    shop: str = field(init=False)

    def __post_init__(self) -> None:
        self.provider, self.endpoint = self.row["provider"], self.row["endpoint"]
        self.shop = self.row["shop"]

    async def step(
        self, connection: Any, *, seen: int, found: int, reached_at: datetime | None = None
    ) -> None:
        """Record a step in the caller's transaction."""
        self.done, self.found = self.done + 1, self.found + found
        await run_store.move_on(
            connection,
            self.row,
            LEASE,
            self.process.clock.now(),
            steps=self.steps,
            done=self.done,
            seen=seen,
            found=found,
            reached_at=reached_at,
        )
        if reached_at is not None:
            REACHED.labels(self.provider, self.endpoint, self.row["kind"]).set(reached_at.timestamp())


Comparison = Callable[[Run], Awaitable[None]]


def listed_endpoints(settings: PaymentsSettings) -> list[tuple[Provider, Endpoint]]:
    """Return the endpoints whose provider has lists that their credentials can read."""
    return [
        (provider, endpoint)
        for provider, endpoint in settings.endpoints
        if isinstance(provider, Listing) and provider.can_list(endpoint.slug)
    ]


class Reconciler:
    """The comparisons of this process's endpoints, by the kind of list."""

    def __init__(self, process: Process, comparisons: Mapping[str, Comparison]) -> None:
        assert isinstance(process.settings, PaymentsSettings)
        self._comparisons = comparisons
        self._settings = process.settings

    def worker(self) -> Worker:
        """Return the worker that does what is due."""
        return Worker(WORKER, self.run_due, IDLE_SECONDS)

    async def run_due(self, process: Process) -> bool:
        """Do one run that is due. Return whether there was one."""
        listings, runs = self.active()
        if not runs:
            return False
        async with process.acquire() as connection:
            now = process.clock.now()
            await run_store.add_runs(connection, runs, now)
            row = await run_store.take_due(connection, list(listings), EVERY, AFTER_FAILURE, LEASE, now)
        if row is None:
            return False
        await self._run(Run(process, listings[row["endpoint"]], row, now))
        return True

    def active(self) -> tuple[dict[str, Listing], list[RunRow]]:
        """Return the lists of the endpoints active now, by slug, and the runs that compare them."""
        listings: dict[str, Listing] = {}
        runs: list[RunRow] = []
        for provider, endpoint in listed_endpoints(self._settings):
            assert isinstance(provider, Listing)
            listings[endpoint.slug] = provider
            runs += [RunRow(provider.name, endpoint.slug, kind, endpoint.shop) for kind in EVERY]
        return listings, runs

    async def _run(self, run: Run) -> None:
        error = None
        try:
            await self._comparisons[run.row["kind"]](run)
        except (ProviderUnavailable, ProviderRefused, AnswerUnreadable) as failure:
            error = f"{type(failure).__name__}: {failure}"[:500]
            FAILED.labels(run.provider, run.row["kind"]).inc()
            log.warning("reconciliation failed", endpoint=run.endpoint, kind=run.row["kind"], error=error)
        async with run.process.acquire() as connection:
            await run_store.end(connection, run.row, run.process.clock.now(), error)
        FOUND.labels(run.provider, run.row["kind"]).inc(run.found)
