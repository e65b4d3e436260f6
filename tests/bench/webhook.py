"""How fast signed webhooks are taken in, from the request to a 2xx that means stored and committed, and applied.

The payments service runs alone, knows the orders that are paid for, and applies meanwhile what it has stored.
"""

from typing import Any
from urllib.parse import urlsplit

from tests.bench.generating import generate
from tests.bench.harness import Harness
from tests.bench.row import Held, Row, per_second, percentile
from tests.bench.sales import SHOP

GOAL_PER_SECOND = 800
GOAL_APPLIED_PER_SECOND = 400
GOAL_P99_MS = 50
MOST_PER_SECOND = 2_000
"""Orders are made ready for so many; nobody's webhooks come twice."""


async def measure(harness: Harness) -> list[Row]:
    """The most a second, and the time an answer takes at a steady rate."""
    await harness.run_only("orders")
    scale = harness.scale
    at_most = int(scale.webhook_seconds * MOST_PER_SECOND)
    steady = int(scale.webhook_steady_seconds * scale.webhook_steady_per_second) + 1
    before = await harness.fetchval("payments", "SELECT count(*) FROM account")
    first = await harness.place(at_most + steady)
    await harness.ours.supervisor.stop("orders")
    await harness.start("payments")
    await harness.until("payments", "SELECT count(*) FROM account", before + at_most + steady)
    fast = await _post(harness, first, at_most, scale.webhook_seconds, None)
    await harness.until("payments", "SELECT -count(*) FROM webhook WHERE state = 'received'", 0)
    applied = per_second(await _applied(harness))
    rate = scale.webhook_steady_per_second
    calm = await _post(harness, first + at_most, steady, scale.webhook_steady_seconds, rate)
    latency = percentile(calm["latencies_ms"], 99)
    held = Held(rate, _stored(calm) / calm["seconds"])
    harness.notes.append(
        f"webhook: {scale.webhook_connections} kept connections; p50 {percentile(fast['latencies_ms'], 50):.1f} ms "
        f"at the most, {percentile(calm['latencies_ms'], 50):.1f} ms at {rate:.0f}/s"
    )
    return [
        Row("webhook", _stored(fast) / fast["seconds"], "requests/s", goal=GOAL_PER_SECOND),
        Row("webhook applied", applied, "webhooks/s", goal=GOAL_APPLIED_PER_SECOND),
        Row(
            f"webhook p99 at {rate:.0f}/s",
            latency,
            "ms",
            goal=GOAL_P99_MS,
            less_is_better=True,
            held=held,
        ),
    ]


async def _applied(harness: Harness) -> list[tuple[float, int]]:
    """Return when each batch was applied and how many were in it; one transaction has one time."""
    rows = await harness.fetch(
        "payments",
        "SELECT extract(epoch FROM handled_at)::float8 AS at, count(*) AS size FROM webhook "
        "WHERE state = 'applied' GROUP BY handled_at",
    )
    return [(row["at"], row["size"]) for row in rows]


def _stored(seen: dict[str, Any]) -> int:
    """How many were answered 2xx."""
    return int(seen["statuses"].get("200", 0))


async def _post(
    harness: Harness, first: int, count: int, seconds: float, per_second: float | None
) -> dict[str, Any]:
    address = urlsplit(harness.ours.webhook_url(SHOP))
    order = {
        "host": address.hostname,
        "ports": [address.port],
        "path": address.path,
        "secret": harness.ours.accounts.stripe_secret,
        "first": first,
        "count": count,
        "connections": harness.scale.webhook_connections,
        "seconds": seconds,
        "per_second": per_second,
    }
    harness.progress.begin(f"webhook: {'as fast as answered' if per_second is None else f'{per_second:g}/s'}")
    seen = await generate("paying", order, seconds + 60)
    if set(seen["statuses"]) != {"200"}:
        harness.notes.append(f"webhook: not all were stored; answers by status: {seen['statuses']}")
    return seen
