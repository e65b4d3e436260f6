"""Gauges of payments' database: webhooks that have not ended well, and open findings of the reconciliation."""

import prometheus_client

from services.chassis.messaging.process import Process
from services.payments.reconciliation.running import EVERY, FAILED, FOUND
from services.payments.reconciliation.store import count_findings
from services.payments.settings import PaymentsSettings
from services.payments.webhooks.applying import ENDED
from services.payments.webhooks.receiving import RECEIVED
from services.payments.webhooks.store import webhook_backlog

WORKER = "measures"
IDLE_SECONDS = 5.0
STATES = ("unread", "waiting", "parked")
ENDS = ("applied", "duplicate", "irrelevant", "waiting", "parked")
SIDES = ("theirs", "ours", "differs")
WEBHOOKS = prometheus_client.Gauge(
    "comptoir_webhooks", "Webhooks that are unread, wait for their order or are parked.", ["state"]
)
WEBHOOK_AGE = prometheus_client.Gauge(
    "comptoir_webhooks_oldest_seconds", "Age of the oldest of these webhooks.", ["state"]
)
FINDINGS = prometheus_client.Gauge(
    "comptoir_reconcile_findings",
    "Differences between the ledger and a provider's list that nobody has resolved.",
    ["side"],
)


async def measure(process: Process) -> bool:
    """Set the gauges; counters of known endpoints and providers exist from the first call on."""
    async with process.acquire() as connection:
        webhooks = await webhook_backlog(connection)
        findings = await count_findings(connection)
    now = process.clock.now()
    for state in STATES:
        rows, since = webhooks.get(state, (0, now))
        WEBHOOKS.labels(state).set(rows)
        WEBHOOK_AGE.labels(state).set(max((now - since).total_seconds(), 0.0))
    for side in SIDES:
        FINDINGS.labels(side).set(findings.get(side, 0))
    assert isinstance(process.settings, PaymentsSettings)
    for provider, endpoint in process.settings.endpoints:
        for outcome in ("stored", "duplicate"):
            RECEIVED.labels(endpoint.slug, outcome)
        for end in ENDS:
            ENDED.labels(provider.name, end)
        for kind in EVERY:
            FOUND.labels(provider.name, kind)
            FAILED.labels(provider.name, kind)
    return False
