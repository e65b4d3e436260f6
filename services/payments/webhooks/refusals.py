"""Counts of rejected posts by endpoint and reason, so that staff notice forged posts or a lost secret.

Counted in memory and written every few seconds: a flood of forgeries costs one row an hour, not one row each,
and never its content. Addresses that no endpoint has are counted together, or anyone could create rows at
will.
"""

from collections import Counter
from datetime import datetime, timedelta

import prometheus_client
import structlog

from services.chassis.messaging.process import Process
from services.payments.webhooks import store

KEPT = timedelta(days=30)
UNKNOWN_ENDPOINT = "unknown"
REFUSED = prometheus_client.Counter(
    "comptoir_webhooks_refused_total", "Webhooks rejected unread.", ["endpoint", "reason"]
)
log = structlog.get_logger()


class Refusals:
    """The posts that this process rejected since the last write."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, endpoint: str, reason: str) -> None:
        """Count one rejected post."""
        self._counts[endpoint, reason] += 1
        REFUSED.labels(endpoint, reason).inc()

    async def write(self, process: Process) -> bool:
        """Add the counts to the hour's rows."""
        if not self._counts:
            return False
        counts, self._counts = self._counts, Counter()
        rows = [
            store.RefusedRow(endpoint, reason, posts) for (endpoint, reason), posts in sorted(counts.items())
        ]
        try:
            async with process.unit() as unit:
                hour = _hour_of(unit.now)
                await store.count_refused(unit.connection, rows, hour, unit.now, hour - KEPT)
        except BaseException:
            self._counts.update(counts)
            raise
        for endpoint, reason, posts in rows:
            log.warning("webhooks refused", endpoint=endpoint, reason=reason, posts=posts)
        return False


def _hour_of(timestamp: datetime) -> datetime:
    return timestamp.replace(minute=0, second=0, microsecond=0)
