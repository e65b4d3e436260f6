"""Whole lives, sustained: placed, paid by a signed webhook, packed, dispatched, delivered, completed, three mails.

All four services run and nothing is switched off. A life is over when its order is completed and its last mail is
known to be sent; what counts is how many end in the measured window. The floor does the rows, the messages and the
mails of as many lives, with no rules, no HTTP and no people.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from contracts.catalogue import SERVICES, type_of
from contracts.fulfillment import DeliveryRecorded, ShipmentDispatched
from tests.bench import counting
from tests.bench.generating import generate
from tests.bench.processes import most_resident_mib
from tests.bench.row import Row
from tests.bench.sales import SHOP
from tests.bench.sequel import SUBMITTED
from tests.bench.spending import milliseconds_each, spent, told
from tests.bench.stage import LOGIN, BenchStuck, Stage
from tests.bench.standing_in import SAMPLE, StandInDied, standing_in

GOAL = 200
REST_GOAL_MIB, LOAD_GOAL_MIB = 120, 250
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


async def measure(stage: Stage) -> list[Row]:
    """Completed orders a second beside the floor's, and what the services' processes hold."""
    await stage.use_mail_server(keeps_journal=False)
    await stage.run_only(*SERVICES)
    await stage.set_stock()
    rows = [*await _ours(stage), *_memory(stage)]
    await stage.run_only()
    try:
        floor = await _floor(stage)
    except (BenchStuck, StandInDied, ValueError) as error:
        stage.notes.append(f"life: no floor, {error}")
        return rows
    return [replace(row, floor=floor) if row.name == "life" else row for row in rows]


async def lives(stage: Stage, seconds: float, per_second: float | None) -> dict[str, Any]:
    """Live for so many seconds, then wait until all that has begun is over. What the generator saw."""
    orders, payments = urlsplit(stage.ours.url("orders")), urlsplit(stage.ours.webhook_url(SHOP))
    order = {
        "amqp_url": stage.ours.amqp_url(LOGIN),
        "login": LOGIN,
        "orders": {
            "host": orders.hostname,
            "port": orders.port,
            "token": stage.ours.secrets.api_tokens[SHOP],
        },
        "payments": {
            "host": payments.hostname,
            "port": payments.port,
            "path": payments.path,
            "secret": stage.ours.secrets.stripe_secret,
        },
        "notifier_database_url": stage.ours.databases["notifier"],
        "first": stage.take_numbers(1_000_000),
        "at_once": stage.scale.lives_at_once,
        "seconds": seconds,
        "patience_seconds": PATIENCE_SECONDS,
        "per_second": per_second,
    }
    began = datetime.now(UTC)

    what = (
        f"whole lives, {stage.scale.lives_at_once} at once"
        if per_second is None
        else f"{per_second:g} lives/s"
    )
    connection = await asyncpg.connect(stage.ours.databases["orders"])
    try:
        async with stage.progress.watching(what, lambda: connection.fetchval(COMPLETED_SINCE, began)):
            seen = await generate("living", order, seconds + PATIENCE_SECONDS + 60)
    finally:
        connection.terminate()
    for reason, count in seen["failed"].items():
        stage.notes.append(f"{what}: {count} failed: {reason}")
    return seen


async def _ours(stage: Stage) -> list[Row]:
    """Completed orders a second, what one costs, and what is left of it."""
    scale = stage.scale
    began = datetime.now(UTC)
    before = spent(stage.parts, stage.ours.supervisor), await counting.count(stage, SERVICES)
    seen = await lives(stage, scale.life_warm_up_seconds + scale.life_seconds, None)
    ended = await _ended(stage, began, seen["finished"])
    after = spent(stage.parts, stage.ours.supervisor), await counting.count(stage, SERVICES)
    since = datetime.fromtimestamp(seen["began"], UTC) + timedelta(seconds=scale.life_warm_up_seconds)
    until = since + timedelta(seconds=scale.life_seconds)
    counted = sum(since <= moment < until for moment in ended)
    _tell(stage, seen)
    lived = max(len(ended), 1)
    parts = {
        "processor time per life in ms": milliseconds_each(before[0], after[0], lived),
        "statements per life": counting.statements_each(before[1], after[1], lived),
        "messages per batch": counting.batch_sizes(before[1], after[1]),
    }
    kilobytes = counting.kilobytes_each(before[1], after[1], lived)
    return [
        Row("life", counted / scale.life_seconds or _slow(seen), "orders/s", goal=GOAL, parts=parts),
        Row(
            "bytes per order",
            sum(kilobytes.values()),
            "kB",
            goal=GOAL_KILOBYTES,
            less_is_better=True,
            parts={"kB by database": kilobytes},
        ),
    ]


def _slow(seen: dict[str, Any]) -> float:
    """The rate over everything, for a machine so slow that no life ended within the window."""
    return float(seen["finished"] / seen["seconds"])


async def _ended(stage: Stage, since: datetime, count: int) -> list[datetime]:
    """When lives ended; after a while without those that did not."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        rows = await stage.fetch("orders", ENDED, since)
        is_over = asyncio.get_running_loop().time() > deadline
        if len(rows) < count and is_over:
            stage.notes.append(f"life: {len(rows)} of {count} lives ended within {PATIENCE_SECONDS} s")
        if len(rows) >= count or is_over:
            return [row["ended_at"] for row in rows]
        stage.progress.tell(f"life: {len(rows):,} of {count:,} ended")
        await asyncio.sleep(0.5)


def _tell(stage: Stage, seen: dict[str, Any]) -> None:
    answers = ", ".join(f"{name}: {count}" for name, count in sorted(seen["statuses"].items()))
    stage.notes.append(f"life, {stage.scale.lives_at_once} at once; answers to the generator: {answers}")


def _memory(stage: Stage) -> list[Row]:
    supervisor = stage.ours.supervisor
    rest = [
        Row(f"memory {name} at rest", stage.resting_mib[name], "MiB", goal=REST_GOAL_MIB, less_is_better=True)
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


async def _completed(stage: Stage) -> list[UUID]:
    """Whole lives the floor takes as its example: the latest."""
    return [row["order_id"] for row in await stage.fetch("orders", COMPLETED, SAMPLE)]


async def _floor(stage: Stage) -> float:
    """From the first submission's commit to the last delivery's and the last mail's, all processes at work."""
    count = stage.scale.floor_lives
    stage.purge(stage.floor)
    await stage.submit(stage.floor, count)
    async with standing_in(stage, SERVICES, await _completed(stage), count) as floor:
        before = spent(stage.parts, stage.floor.supervisor)
        orders = await floor.until("orders", DELIVERED, count)
        notifier = await floor.until("notifier", DISPATCHED, count)
        after = spent(stage.parts, stage.floor.supervisor)
    stage.notes.append(told("floor's life", before, after, count))
    ended = max(at for at, types in [*orders, *notifier] if DELIVERED in types or DISPATCHED in types)
    return count / (ended - min(at for at, types in orders if SUBMITTED in types))
