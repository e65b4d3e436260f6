"""Load generator: whole lives. A storefront submits, Stripe reports the payment, the merchant packs, ships, delivers.

Every step goes the way it goes in production: submission over AMQP, the answer from the storefront's own queue, the
payment as a signed webhook, the merchant's commands over the REST API, one after the other as their outcomes come.

Order: amqp_url, login, orders (host, ports, token), payments (host, ports, path, secret), notifier_database_url, first,
at_once, seconds, patience_seconds, per_second (null: a new life begins when one ends). Seen: submitted (ids with the
moment of publishing), statuses, began, finished (lives), seconds (until the last was), failed (reasons with lives).

A life that fails ends alone. What is still not over `patience_seconds` after the last life began has failed as well.
"""

import asyncio
import contextlib
import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid5

import aiormq
import asyncpg
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel

from contracts.envelope import PREFIX, uuid7
from tests.bench.connection import Connections
from tests.bench.generating import run_generator
from tests.bench.paying import Provider
from tests.bench.publishing import publish
from tests.bench.sales import model_of

CONNECTIONS = 64
ANSWER_SECONDS = 30.0
MAILS_BEHIND = 600
"""A new life waits while more mails than this wait to be sent: they belong to a life as well."""
POLL_SECONDS = 0.1
NOT_TO_BE_REPEATED = range(300, 600)


class LifeFailed(Exception):
    """A step was answered in a way that ends the life early."""


class World:
    """Storefront, provider and merchant of all lives."""

    def __init__(
        self, channel: Channel, login: str, provider: Provider, orders: Connections, token: str
    ) -> None:
        self._channel, self._login, self._provider = channel, login, provider
        self._orders = orders
        self._authorization = f"Authorization: Bearer {token}\r\n"
        self._accepted: dict[str, asyncio.Future[None]] = {}
        self.submitted: dict[str, float] = {}
        self.statuses: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.finished = 0
        self.last_finished = 0.0
        self.may_begin = asyncio.Event()
        self.may_begin.set()

    async def listen(self) -> None:
        """Hear the answers in the storefront's own queue."""
        await self._channel.basic_qos(prefetch_count=500)
        await self._channel.basic_consume(self._login, self._receive, no_ack=True)

    async def _receive(self, message: DeliveredMessage) -> None:
        headers = message.header.properties.headers or {}
        waiting = self._accepted.pop(str(headers.get(PREFIX + "causationid")), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def live(self, number: int) -> None:
        """One life, to its end or to the first step that fails."""
        try:
            await self._live(number)
        except asyncio.CancelledError:
            self.failed["not over in time"] += 1
            raise
        except Exception as error:  # noqa: BLE001 - it is counted, and the other lives go on
            self.failed[f"{type(error).__name__}: {error}"[:300].rstrip(": ")] += 1
        else:
            self.finished += 1
            self.last_finished = time.time()

    async def _live(self, number: int) -> None:
        order_id = uuid7()
        accepted = self._accepted[str(order_id)] = asyncio.get_running_loop().create_future()
        self.submitted[str(order_id)] = time.time()
        await publish(self._channel, self._login, number, order_id)
        await asyncio.wait_for(accepted, ANSWER_SECONDS)
        self._note("webhook", await self._provider.pay(number))
        await self._ship(order_id, number)

    async def _ship(self, order_id: UUID, number: int) -> None:
        parcel_id, shipment_id = uuid5(order_id, "parcel"), uuid5(order_id, "shipment")
        quantities = model_of(number).quantities
        lines = [{"line": line, "quantity": units} for line, units in enumerate(quantities, start=1)]
        today = datetime.now(UTC).date().isoformat()
        path = f"/v1/orders/{order_id}"
        packed = {"parcel_id": str(parcel_id), "lines": lines, "kind": "box", "weight_grams": 640}
        await self._command(f"{path}/parcels", packed, f"{parcel_id}")
        shipped = {
            "shipment_id": str(shipment_id),
            "parcel_ids": [str(parcel_id)],
            "carrier": "Colissimo",
            "tracking_number": f"6A{number:011d}",
            "tracking_url": f"https://colis.example.org/suivi/6A{number:011d}",
            "shipped_on": today,
            "notify_customer": True,
        }
        await self._command(f"{path}/shipments", shipped, f"{shipment_id}")
        delivered = {"delivered_at": datetime.now(UTC).isoformat(), "proof": "carrier_scan"}
        await self._command(f"{path}/shipments/{shipment_id}/delivery", delivered, f"{shipment_id}-delivery")

    async def _command(self, path: str, content: dict[str, Any], key: str) -> None:
        headers = f"{self._authorization}Idempotency-Key: {key}\r\n"
        status, body = await self._orders.post(path, json.dumps(content).encode(), headers)
        self._note(path.rsplit("/", 1)[1], status, body)

    def _note(self, step: str, status: int, body: bytes = b"") -> None:
        self.statuses[f"{step} {status}"] += 1
        if status in NOT_TO_BE_REPEATED:
            raise LifeFailed(f"{step} was answered {status}: {body[:500].decode(errors='replace')}")


async def work(order: dict[str, Any]) -> dict[str, Any]:
    """Live for so many seconds; lives that have begun are lived to their end."""
    connection = await aiormq.connect(order["amqp_url"])
    channel = cast("Channel", await connection.channel(publisher_confirms=True, on_return_raises=True))
    orders, payments = order["orders"], order["payments"]
    async with (
        Connections(orders["host"], orders["ports"], max(CONNECTIONS, order["at_once"])) as desk,
        Connections(payments["host"], payments["ports"], CONNECTIONS) as posts,
    ):
        provider = Provider(posts, payments["path"], payments["secret"])
        world = World(channel, order["login"], provider, desk, orders["token"])
        await world.listen()
        watch = asyncio.create_task(_hold_back(world, order["notifier_database_url"]))
        began = time.time()
        try:
            await live_all(world, order)
        finally:
            watch.cancel()
    await connection.close()
    return {
        "submitted": world.submitted,
        "statuses": world.statuses,
        "began": began,
        "finished": world.finished,
        "seconds": max(world.last_finished - began, 0.001),
        "failed": world.failed,
    }


async def live_all(world: World, order: dict[str, Any]) -> None:
    """Live for so many seconds; lives that are not over when the patience ends are cut short."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(order["seconds"] + order["patience_seconds"]):
            await _live_all(world, order)


async def _live_all(world: World, order: dict[str, Any]) -> None:
    until = time.perf_counter() + order["seconds"]
    if order["per_second"] is None:
        lanes = range(order["at_once"])
        await asyncio.gather(*(_one_after_another(world, order, lane, until) for lane in lanes))
        return
    lives, number = [], order["first"]
    due = time.perf_counter()
    while due < until and time.perf_counter() < until:
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        lives.append(asyncio.create_task(world.live(number)))
        number += 1
        due += 1 / order["per_second"]
    await asyncio.gather(*lives)


async def _one_after_another(world: World, order: dict[str, Any], lane: int, until: float) -> None:
    number = order["first"] + lane
    while time.perf_counter() < until:
        await world.may_begin.wait()
        await world.live(number)
        number += order["at_once"]


async def _hold_back(world: World, database_url: str) -> None:
    """Lets no life begin while mails have fallen behind, so that what is measured can go on for ever."""
    connection = await asyncpg.connect(database_url)
    while True:
        behind = await connection.fetchval(
            "SELECT count(*) FROM msg.effect WHERE state IN ('planned', 'in_flight')"
        )
        if behind > MAILS_BEHIND:
            world.may_begin.clear()
        else:
            world.may_begin.set()
        await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    run_generator(work)
