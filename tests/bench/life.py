"""Whole lives, sustained: placed, paid by a signed webhook, packed, dispatched, delivered, completed, three mails.

All four services run and nothing is switched off. A life is over when its order is completed and its last mail is
known to be sent; what counts is how many end in the measured window. The floor does the rows, the messages and the
mails of as many lives, with no rules, no HTTP and no people.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from contracts.catalogue import SERVICES, type_of
from contracts.fulfillment.shipments import DeliveryRecorded, ShipmentDispatched
from tests.bench import counting
from tests.bench.generating import generate
from tests.bench.harness import LOGIN, BenchStuck, Harness
from tests.bench.processes import most_resident_mib
from tests.bench.row import Row
from tests.bench.sales import SHOP
from tests.bench.sequel import SUBMITTED
from tests.bench.spending import milliseconds_each, spent, summary_of
from tests.bench.stand_in import SAMPLE, StandInDied, standing_in
from tests.replicas import service_of

GOAL = 200
REST_GOAL_MIB, LOAD_GOAL_MIB = 90, 250
GOAL_KILOBYTES = 60
"""Of tables and indexes over all services, as lives leave them: with the dead rows that nobody has vacuumed yet."""
PATIENCE_SECONDS = 60
"""How long lives that have begun may take to end once no more begin."""
MAILS = 3
DELIVERED = type_of(DeliveryRecorded, "fulfillment")
DISPATCHED = type_of(ShipmentDispatched, "fulfillment")
ENDED = """
    SELECT s.order_id, greatest(min(s.changed_at), max(m.at)) AS ended_at
    FROM state_change s JOIN mail m USING (shop, order_id)
    WHERE s.state = 'completed' AND m.state = 'sent' AND s.changed_at >= $1
    GROUP BY s.order_id HAVING count(DISTINCT m.mail_id) >= 3"""


COMPLETED_SINCE = "SELECT count(*) FROM orders WHERE state = 'completed' AND received_at >= $1"
COMPLETED = (
    "SELECT order_id FROM orders WHERE state = 'completed' ORDER BY received_at DESC, order_id LIMIT $1"
)


async def measure(harness: Harness) -> list[Row]:
    """Completed orders a second beside the floor's, and what the services' processes hold."""
    await harness.use_mail_server(keeps_journal=False)
    await harness.run_only(*SERVICES)
    await harness.set_stock()
    rows = [*await _ours(harness), *_memory(harness)]
    await harness.run_only()
    try:
        floor = await _floor(harness)
    except (BenchStuck, StandInDied, ValueError) as error:
        harness.notes.append(f"life: no floor, {error}")
        return rows
    return [replace(row, floor=floor) if row.name == "life" else row for row in rows]


async def lives(harness: Harness, seconds: float, per_second: float | None) -> dict[str, Any]:
    """Live for so many seconds, then wait until all that has begun is over. What the generator saw.

    HTTP goes to all processes of a service that run.
    """
    webhook = urlsplit(harness.ours.webhook_url(SHOP))
    ports = {service: _ports(harness, service) for service in ("orders", "payments")}
    order = {
        "amqp_url": harness.ours.amqp_url(LOGIN),
        "login": LOGIN,
        "orders": {
            "host": webhook.hostname,
            "ports": ports["orders"],
            "token": harness.ours.secrets.api_tokens[SHOP],
        },
        "payments": {
            "host": webhook.hostname,
            "ports": ports["payments"],
            "path": webhook.path,
            "secret": harness.ours.accounts.stripe_secret,
        },
        "notifier_database_url": harness.ours.databases["notifier"],
        "first": harness.take_numbers(1_000_000),
        "at_once": harness.scale.lives_at_once,
        "seconds": seconds,
        "patience_seconds": PATIENCE_SECONDS,
        "per_second": per_second,
    }
    began = datetime.now(UTC)

    what = (
        f"whole lives, {harness.scale.lives_at_once} at once"
        if per_second is None
        else f"{per_second:g} lives/s"
    )
    connection = await asyncpg.connect(harness.ours.databases["orders"])
    try:
        async with harness.progress.watching(what, lambda: connection.fetchval(COMPLETED_SINCE, began)):
            seen = await generate("living", order, seconds + PATIENCE_SECONDS + 60)
    finally:
        connection.terminate()
    for reason, count in seen["failed"].items():
        harness.notes.append(f"{what}: {count} failed: {reason}")
    return seen


def _ports(harness: Harness, service: str) -> list[int]:
    return [harness.ours.ports[name] for name in harness.running() if service_of(name) == service]


@dataclass(frozen=True, slots=True)
class Lived:
    """Whole lives: how many ended in the measured window a second, and how many came to their end at all."""

    per_second: float
    began: datetime
    finished: int
    ended: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What each life costs, by part, service, queue and database."""

    processor_ms: Mapping[str, float]
    statements: Mapping[str, float]
    batches: Mapping[str, float]
    kilobytes: Mapping[str, float]
    delivered_kilobytes: Mapping[str, float]

    @property
    def parts(self) -> dict[str, Mapping[str, float]]:
        """What the rate is made of."""
        return {
            "processor time per life in ms": self.processor_ms,
            "statements per life": self.statements,
            "messages per batch": self.batches,
        }


async def live(harness: Harness, seconds: float) -> Lived:
    """Live as fast as one life follows the other, and measure so many seconds of it."""
    warm_up, began = harness.scale.life_warm_up_seconds, datetime.now(UTC)
    seen = await lives(harness, warm_up + seconds, None)
    ended = await _ended(harness, began, seen["finished"])
    since = datetime.fromtimestamp(seen["began"], UTC) + timedelta(seconds=warm_up)
    until = since + timedelta(seconds=seconds)
    counted = sum(since <= timestamp < until for timestamp in ended)
    _report(harness, seen)
    return Lived(counted / seconds or _slow(seen), began, seen["finished"], len(ended))


async def live_counting(harness: Harness, seconds: float) -> tuple[Lived, Cost]:
    """Live, and count what it costs all that run."""
    supervisor, names = harness.ours.supervisor, harness.running()
    before = spent(harness.parts, supervisor), await counting.count(harness, names)
    lived = await live(harness, seconds)
    after = spent(harness.parts, supervisor), await counting.count(harness, names)
    count = max(lived.ended, 1)
    return lived, Cost(
        processor_ms=milliseconds_each(before[0], after[0], count),
        statements=counting.statements_each(before[1], after[1], count),
        batches=counting.batch_sizes(before[1], after[1]),
        kilobytes=counting.kilobytes_each(before[1], after[1], count),
        delivered_kilobytes=await counting.delivered_kilobytes_each(harness, lived.began, count),
    )


async def _ours(harness: Harness) -> list[Row]:
    """Completed orders a second, what one costs, and what is left of it."""
    ours, cost = await live_counting(harness, harness.scale.life_seconds)
    return [
        Row("life", ours.per_second, "orders/s", goal=GOAL, parts=cost.parts),
        Row(
            "bytes per order",
            sum(cost.kilobytes.values()),
            "kB",
            goal=GOAL_KILOBYTES,
            less_is_better=True,
            parts={
                "kB by database": cost.kilobytes,
                "kB of message bodies through the broker, by sender": cost.delivered_kilobytes,
            },
        ),
    ]


def _slow(seen: dict[str, Any]) -> float:
    """The rate over everything, for a machine so slow that no life ended within the window."""
    return float(seen["finished"] / seen["seconds"])


async def _ended(harness: Harness, since: datetime, count: int) -> list[datetime]:
    """When lives ended; after a while without those that did not."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        rows = await harness.fetch("orders", ENDED, since)
        is_over = asyncio.get_running_loop().time() > deadline
        if len(rows) < count and is_over:
            harness.notes.append(f"life: {len(rows)} of {count} lives ended within {PATIENCE_SECONDS} s")
        if len(rows) >= count or is_over:
            return [row["ended_at"] for row in rows]
        harness.progress.report(f"life: {len(rows):,} of {count:,} ended")
        await asyncio.sleep(0.5)


def _report(harness: Harness, seen: dict[str, Any]) -> None:
    answers = ", ".join(f"{name}: {count}" for name, count in sorted(seen["statuses"].items()))
    harness.notes.append(f"life, {harness.scale.lives_at_once} at once; answers to the generator: {answers}")


def _memory(harness: Harness) -> list[Row]:
    supervisor = harness.ours.supervisor
    rest = [
        Row(
            f"memory {name} at rest",
            harness.resting_mib[name],
            "MiB",
            goal=REST_GOAL_MIB,
            less_is_better=True,
        )
        for name in SERVICES
    ]
    load = [
        Row(
            f"memory {name} under load",
            most_resident_mib(supervisor.pid(name)),
            "MiB",
            goal=LOAD_GOAL_MIB,
            less_is_better=True,
        )
        for name in SERVICES
    ]
    return rest + load


async def _completed(harness: Harness) -> list[UUID]:
    """Whole lives the floor takes as its example: the latest."""
    return [row["order_id"] for row in await harness.fetch("orders", COMPLETED, SAMPLE)]


async def _floor(harness: Harness) -> float:
    """From the first submission's commit to the last delivery's and the last mail's, all processes at work."""
    count = harness.scale.floor_lives
    harness.purge(harness.floor)
    await harness.submit(harness.floor, count)
    async with standing_in(harness, SERVICES, await _completed(harness), count) as floor:
        before = spent(harness.parts, harness.floor.supervisor)
        orders = await floor.until("orders", DELIVERED, count)
        notifier = await floor.until("notifier", DISPATCHED, count)
        after = spent(harness.parts, harness.floor.supervisor)
    harness.notes.append(summary_of("floor's life", before, after, count))
    ended = max(at for at, types in [*orders, *notifier] if DELIVERED in types or DISPATCHED in types)
    return count / (ended - min(at for at, types in orders if SUBMITTED in types))
