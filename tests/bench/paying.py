"""Load generator: signed Stripe webhooks over kept connections, as fast as they are answered or at a fixed rate.

Order: host, ports, path, secret, first, count (most orders there are), connections, seconds, per_second (null: as fast
as answered). Seen: statuses (a post without an answer: its error), seconds, latencies_ms.
"""

import asyncio
import time
from collections import Counter
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from contracts.storefront import OrderSubmitted
from deploy.demo.sales.sale import Sale
from deploy.demo.standins.provider import payment_succeeded, sign
from tests.bench.connection import Connections
from tests.bench.generating import run_generator
from tests.bench.sales import intent_of, model_of, models

ANSWER_SECONDS = 30.0


class Provider:
    """Says that the payment of an order with a number succeeded."""

    def __init__(self, connections: Connections, path: str, secret: str) -> None:
        self._connections, self._path, self._secret = connections, path, secret
        self.statuses: Counter[int | str] = Counter()
        self.latencies_ms: list[float] = []

    async def pay(self, number: int) -> int:
        """Post the webhook; the status of its answer."""
        body = succeeded(number)
        signature = sign(body, self._secret, int(time.time()))
        began = time.perf_counter()
        status, _ = await self._connections.post(self._path, body, f"Stripe-Signature: {signature}\r\n")
        self.latencies_ms.append((time.perf_counter() - began) * 1000)
        self.statuses[status] += 1
        return status


def succeeded(number: int) -> bytes:
    """A `payment_intent.succeeded` event of an order, as Stripe writes it."""
    body, intent, event_id = _written(number % len(models()))
    return body.replace(intent, intent_of(number).encode()).replace(event_id, b"evt_%024x" % number)


@cache
def _written(rank: int) -> tuple[bytes, bytes, bytes]:
    sale = Sale(UUID(int=0), OrderSubmitted.model_validate_json(model_of(rank).submitted(rank)))
    body = payment_succeeded(sale, Random(rank))
    start = body.index(b"evt_")
    return body, intent_of(rank).encode(), body[start : start + 28]


async def work(order: dict[str, Any]) -> dict[str, Any]:
    """Post for so many seconds."""
    async with Connections(order["host"], order["ports"], order["connections"]) as connections:
        provider = Provider(connections, order["path"], order["secret"])
        numbers = iter(range(order["first"], order["first"] + order["count"]))
        began = time.perf_counter()
        until = began + order["seconds"]
        if order["per_second"] is None:
            await asyncio.gather(
                *(_as_answered(provider, numbers, until) for _ in range(order["connections"]))
            )
        else:
            await pay_steadily(provider, numbers, until, 1 / order["per_second"])
        seconds = time.perf_counter() - began
    return {"statuses": provider.statuses, "seconds": seconds, "latencies_ms": provider.latencies_ms}


async def _pay(provider: Provider, number: int) -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await provider.pay(number)
    except OSError as error:  # a time-out is one
        provider.statuses[type(error).__name__] += 1


async def _as_answered(provider: Provider, numbers: Any, until: float) -> None:
    for number in numbers:
        await _pay(provider, number)
        if time.perf_counter() >= until:
            return


async def pay_steadily(provider: Provider, numbers: Any, until: float, pause: float) -> None:
    """Open loop: each post at its own moment, whether the ones before it were answered or not."""
    posts = []
    due = time.perf_counter()
    for number in numbers:
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        posts.append(asyncio.create_task(_pay(provider, number)))
        due += pause
        if due >= until or time.perf_counter() >= until:
            break
    await asyncio.gather(*posts)


if __name__ == "__main__":
    run_generator(work)
