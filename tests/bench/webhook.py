"""How fast signed webhooks are taken in, from the request to a 2xx that means stored and committed, and applied.

The payments service runs alone, knows the orders that are paid for, and applies meanwhile what it has stored.
"""

from typing import Any
from urllib.parse import urlsplit

from tests.bench.generating import generate
from tests.bench.row import Held, Row, per_second, percentile
from tests.bench.sales import SHOP
from tests.bench.stage import Stage

GOAL_PER_SECOND = 800
GOAL_APPLIED_PER_SECOND = 400
GOAL_P99_MS = 50
MOST_PER_SECOND = 2_000
"""Orders are made ready for so many; nobody's webhooks come twice."""


async def measure(stage: Stage) -> list[Row]:
    """The most a second, and the time an answer takes at a steady rate."""
    await stage.run_only("orders")
    scale = stage.scale
    at_most = int(scale.webhook_seconds * MOST_PER_SECOND)
    steady = int(scale.webhook_steady_seconds * scale.webhook_steady_per_second) + 1
    before = await stage.fetchval("payments", "SELECT count(*) FROM account")
    first = await stage.place(at_most + steady)
    await stage.ours.supervisor.stop("orders")
    await stage.start("payments")
    await stage.until("payments", "SELECT count(*) FROM account", before + at_most + steady)
    fast = await _post(stage, first, at_most, scale.webhook_seconds, None)
    await stage.until("payments", "SELECT -count(*) FROM webhook WHERE state = 'received'", 0)
    applied = per_second(await _applied(stage))
    rate = scale.webhook_steady_per_second
    calm = await _post(stage, first + at_most, steady, scale.webhook_steady_seconds, rate)
    latency = percentile(calm["latencies_ms"], 99)
    held = Held(rate, _stored(calm) / calm["seconds"])
    stage.notes.append(
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


async def _applied(stage: Stage) -> list[tuple[float, int]]:
    """Return when each batch was applied and how many were in it; one transaction has one time."""
    rows = await stage.fetch(
        "payments",
        "SELECT extract(epoch FROM handled_at)::float8 AS at, count(*) AS size FROM webhook "
        "WHERE state = 'applied' GROUP BY handled_at",
    )
    return [(row["at"], row["size"]) for row in rows]


def _stored(seen: dict[str, Any]) -> int:
    """How many were answered 2xx."""
    return int(seen["statuses"].get("200", 0))


async def _post(
    stage: Stage, first: int, count: int, seconds: float, per_second: float | None
) -> dict[str, Any]:
    address = urlsplit(stage.ours.webhook_url(SHOP))
    order = {
        "host": address.hostname,
        "ports": [address.port],
        "path": address.path,
        "secret": stage.ours.accounts.stripe_secret,
        "first": first,
        "count": count,
        "connections": stage.scale.webhook_connections,
        "seconds": seconds,
        "per_second": per_second,
    }
    stage.progress.begin(f"webhook: {'as fast as answered' if per_second is None else f'{per_second:g}/s'}")
    seen = await generate("paying", order, seconds + 60)
    if set(seen["statuses"]) != {"200"}:
        stage.notes.append(f"webhook: not all were stored; answers by status: {seen['statuses']}")
    return seen
