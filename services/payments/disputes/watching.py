"""Deadlines of disputes: the flag before one passes, the metrics, and the publication of disputes known before.

A dispute that an earlier version kept as a remark has no row in `dispute`: it is published by loading and saving
its account.
"""

from typing import Any
from uuid import UUID

import prometheus_client

from contracts.payments.disputes import DisputeState
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.disputes import store

WORKER = "disputes"
IDLE_SECONDS = 30.0
ACCOUNTS = 100
DISPUTES = prometheus_client.Gauge("comptoir_disputes", "Disputes by their state.", ["state"])
DUE_SOON = prometheus_client.Gauge(
    "comptoir_disputes_due_soon", "Disputes without an answer whose deadline is about to pass."
)
DEADLINE = prometheus_client.Gauge(
    "comptoir_dispute_deadline_timestamp_seconds",
    "The next deadline of a dispute without an answer; 0: none.",
)
UNRESOLVED = prometheus_client.Gauge(
    "comptoir_disputes_unresolved", "Lost disputes of which nobody has decided who bears the loss."
)


async def watch_disputes(process: Process) -> bool:
    """Publish disputes that never were, and measure. Return whether there may be more to publish."""
    async with process.unit() as unit:
        accounts = await store.find_unpublished(unit.connection, ACCOUNTS)
        if accounts:
            work = AccountUnit(unit)
            await work.load_accounts(accounts)
            await work.save()
    async with process.acquire() as connection:
        await _measure(await store.count_disputes(connection))
    return len(accounts) == ACCOUNTS


async def _measure(rows: list[Any]) -> None:
    counts = {row["state"]: row for row in rows}
    for state in DisputeState:
        DISPUTES.labels(state.value).set(counts[state]["disputes"] if state in counts else 0)
    DUE_SOON.set(sum(row["due_soon"] for row in rows))
    UNRESOLVED.set(sum(row["unresolved"] for row in rows))
    deadlines = [row["due_at"].timestamp() for row in rows if row["due_at"] is not None]
    DEADLINE.set(min(deadlines, default=0))


async def warn_of_deadline(unit: Unit, key: str, payload: dict[str, Any]) -> None:
    """Flag the order of a dispute that still waits for an answer: its deadline is about to pass."""
    order = (payload["shop"], UUID(payload["order_id"]))
    work = AccountUnit(unit)
    await work.load_accounts([order])
    account = work.find(*order)
    dispute = account.disputes.find((payload["provider"], payload["object_id"])) if account else None
    if account is None or dispute is None or not dispute.is_awaiting or dispute.due_at is None:
        return
    account.alarm_of_dispute(dispute.key, dispute.due_at)
    await work.save()
