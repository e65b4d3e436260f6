"""Whole lives, sustained: placed, paid by a signed webhook, packed, dispatched, delivered, completed, three mails.

All four services run and nothing is switched off. A life is over when its order is completed and its last mail is
known to be sent; what counts is how many end in the measured window. The floor does the rows, the messages and the
mails of as many lives, with no rules, no HTTP and no people.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from contracts.catalogue import SERVICES, type_of
from contracts.fulfillment import DeliveryRecorded, ShipmentDispatched
from tests.bench.generating import generate
from tests.bench.processes import most_resident_mib
from tests.bench.row import Row
from tests.bench.sales import SHOP
from tests.bench.sequel import SUBMITTED
from tests.bench.spending import spent, told
from tests.bench.stage import LOGIN, Stage
from tests.bench.standing_in import SAMPLE, standing_in

GOAL = 200
REST_GOAL_MIB, LOAD_GOAL_MIB = 120, 250
MAILS = 3
DELIVERED = type_of(DeliveryRecorded, "fulfillment")
DISPATCHED = type_of(ShipmentDispatched, "fulfillment")
ENDED = """
    SELECT s.order_id, greatest(min(s.changed_at), max(m.at)) AS ended_at
    FROM state_change s JOIN mail m USING (shop, order_id)
    WHERE s.state = 'completed' AND m.state = 'sent' AND s.changed_at >= $1
    GROUP BY s.order_id HAVING count(DISTINCT m.mail_id) >= 3"""


COMPLETED = (
    "SELECT order_id FROM orders WHERE state = 'completed' ORDER BY received_at DESC, order_id LIMIT $1"
)


class LivesUnfinished(Exception):
    """Some lives did not come to their end."""


async def measure(stage: Stage) -> list[Row]:
    """Completed orders a second beside the floor's, and what the services' processes hold."""
    await stage.use_mail_server(keeps_journal=False)
    await stage.run_only(*SERVICES)
    await stage.set_stock()
    ours = await _ours(stage)
    memory = _memory(stage)
    await stage.run_only()
    floor = await _floor(stage)
    return [Row("life", ours, "orders/s", floor=floor, goal=GOAL), *memory]


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
        "per_second": per_second,
    }
    return await generate("living", order, seconds + 120)


async def _ours(stage: Stage) -> float:
    scale = stage.scale
    began = datetime.now(UTC)
    before = spent(stage.parts, stage.ours.supervisor)
    seen = await lives(stage, scale.life_warm_up_seconds + scale.life_seconds, None)
    ended = await _all_ended(stage, began, len(seen["submitted"]))
    stage.notes.append(told("life", before, spent(stage.parts, stage.ours.supervisor), len(ended)))
    since = datetime.fromtimestamp(seen["began"], UTC) + timedelta(seconds=scale.life_warm_up_seconds)
    until = since + timedelta(seconds=scale.life_seconds)
    counted = sum(since <= moment < until for moment in ended)
    _tell(stage, seen)
    return counted / scale.life_seconds


async def _all_ended(stage: Stage, since: datetime, count: int) -> list[datetime]:
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        rows = await stage.fetch("orders", ENDED, since)
        if len(rows) >= count:
            return [row["ended_at"] for row in rows]
        if asyncio.get_running_loop().time() > deadline:
            raise LivesUnfinished(f"{len(rows)} of {count} lives ended; see the logs in {stage.ours.folder}")
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
