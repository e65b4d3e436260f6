"""Two processes of each service share the work; one of each dies, and its work is taken over without doing it twice."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from contracts.catalogue import SERVICES
from tests.faults.stage import Stage

DYING = ("orders, the second", "payments, the second", "fulfillment", "notifier")
"""What the outside world knows by address stays: storefronts and Stripe would reach it through a balancer."""
MOST_ROUNDS = 3


async def test_both_work_and_one_may_die(stage: Stage) -> None:
    async with _replicas(stage):
        names = [name for service in SERVICES for name in (service, f"{service}, the second")]
        for _ in range(MOST_ROUNDS):  # which of the two gets a message is the broker's choice
            async with stage.lives():
                pass
            idle = [name for name in names if not await _handled(stage, name)]
            if not idle:
                break
        assert idle == []
        async with stage.lives():
            for name in DYING:
                await stage.system.supervisor.kill(name)


@asynccontextmanager
async def _replicas(stage: Stage) -> AsyncIterator[None]:
    system = stage.system
    names = {service: f"{service}, the second" for service in SERVICES}
    await system.supervisor.start(*(system.program(service, name) for service, name in names.items()))
    try:
        yield
    finally:
        for name in names.values():
            await system.supervisor.kill(name)
        gone = [service for service in SERVICES if system.supervisor.exited(service) is not None]
        await system.start(*gone)


async def _handled(stage: Stage, name: str) -> float:
    """Messages this process has handled."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        url = f"http://127.0.0.1:{stage.system.ports[name]}/metrics"
        text = (await http.get(url, headers=stage.system.operator)).text
    return sum(
        float(value)
        for value in re.findall(r"^comptoir_messages_handled_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
    )
