"""Gauges of one process: parked messages, the outbox and its age, the rate of each queue, and what is paused.

A labelled series exists once it was touched, and a rule on its rate sees nothing before: those whose labels are
known are created when the process starts.
"""

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic

from contracts.catalogue import consumed_by, queue_of
from contracts.envelope import uuid7_time
from services.chassis import metrics
from services.chassis.messaging import outbox_store, parked_store
from services.chassis.messaging.process import Process
from services.chassis.messaging.rates import Rates
from services.chassis.messaging.recovery import operations_store
from services.chassis.messaging.recovery.pausing import PAUSABLE, Pause


def begin_series(service: str, queues: Sequence[str], workers: Iterable[str]) -> None:
    """Create the series of a process whose labels are its queues, the messages in them and its workers."""
    for metric in (metrics.PUBLISHED, metrics.STATEMENTS, metrics.CONFIRM_SECONDS):
        metric.labels(service)
    metrics.UNCONFIRMED.labels(service, "unknown")
    for worker in workers:
        metrics.WORKER_ERRORS.labels(service, worker)
    for queue in queues:
        for metric in (metrics.DUPLICATES, metrics.WAITING):
            metric.labels(service, queue)
        for histogram in (metrics.EVENT_AGE, metrics.BATCH_SIZE, metrics.COMMIT_SECONDS):
            histogram.labels(service, queue)
    for entry in consumed_by(service):
        queue = queue_of(service, entry.sender)
        if queue in queues:
            metrics.HANDLED.labels(service, queue, entry.type)


def show_pauses(service: str, pauses: Sequence[Pause]) -> None:
    """Set the gauges of what is paused."""
    for what in PAUSABLE:
        metrics.PAUSED.labels(service, what).set(any(one.what == what for one in pauses))


async def measure(process: Process, rates: Rates, taken: Mapping[str, int]) -> list[str]:
    """Set the gauges and sample the messages taken per queue. Return a warning for each reason why messages
    stay in the outbox."""
    async with process.acquire() as connection:
        await process.clock.compare(connection)
        parked = await parked_store.parked_backlog(connection)
        rows, oldest = await outbox_store.dispatch_backlog(connection)
        refused = await operations_store.count_refused(connection)
    rates.look(monotonic(), taken)
    metrics.DISPATCH_REFUSED.labels(process.service).set(sum(row["messages"] for row in refused))
    for state in ("waiting", "dead"):
        found = parked.get(state)
        metrics.PARKED_ROWS.labels(process.service, state).set(found.rows if found else 0)
        age = (process.clock.now() - found.since).total_seconds() if found else 0.0
        metrics.PARKED_AGE.labels(process.service, state).set(max(age, 0.0))
    metrics.DISPATCH_ROWS.labels(process.service).set(rows)
    age = 0.0
    if oldest is not None and oldest.version == 7:  # a replay's dispatch has a random id: it is not backlog
        age = (process.clock.now() - uuid7_time(oldest)).total_seconds()
    metrics.DISPATCH_AGE.labels(process.service).set(max(age, 0.0))
    return [
        f"{row['messages']} messages stay in the outbox since {row['since']:%Y-%m-%d %H:%M}Z: {row['why']} "
        f"as {row['routing_key']}"
        for row in refused
    ]
