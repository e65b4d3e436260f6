"""Several processes of each service share the work; those that die or are stopped lose and double nothing."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx2
import pytest_asyncio

from tests.faults.harness import LIVES, Harness
from tests.lives.living import many_lives
from tests.replicas import program_of, service_of, start_replicas

COUNT = 3
DYING = ("orders 2", "payments 3", "fulfillment", "notifier")
"""The addresses that storefronts' webhooks and commands go to stay: they would reach others through a balancer."""
KILLED = "fulfillment 3"
"""The one that is not stopped but killed before it is started again."""
MOST_ROUNDS = 10
PATIENCE_SECONDS = 120.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def names(harness: Harness) -> AsyncIterator[list[str]]:
    """The processes of all services."""
    names = await start_replicas(harness.system, COUNT)
    try:
        yield names
    finally:
        for name in names:
            if service_of(name) != name:
                await harness.system.supervisor.kill(name)
        await start_replicas(harness.system, 1)


async def test_all_work_and_one_of_each_may_die(harness: Harness, names: list[str]) -> None:
    for _ in range(MOST_ROUNDS):  # which of them gets a message is the broker's choice
        async with harness.lives():
            pass
        idle = [name for name in names if not await handled_by(harness, name)]
        if not idle:
            break
    assert idle == []
    async with harness.lives():
        for name in DYING:
            await harness.system.supervisor.kill(name)


async def test_each_is_stopped_and_started_in_turn_while_orders_go_on(
    harness: Harness, names: list[str]
) -> None:
    await start_replicas(harness.system, COUNT)
    restarting = asyncio.create_task(_restart_each(harness, names))
    try:
        while not restarting.done():
            await harness.play(many_lives(LIVES // 3))
        await restarting
    finally:
        restarting.cancel()
    found = await harness.history.violations()
    assert found == [], "\n".join(map(str, found))


async def _restart_each(harness: Harness, names: list[str]) -> None:
    supervisor = harness.system.supervisor
    for name in names:
        if name == KILLED:
            await supervisor.kill(name)
        else:
            await supervisor.stop(name, grace_seconds=PATIENCE_SECONDS)
            assert supervisor.exited(name) == 0, f"{name} did not end by itself: {supervisor.log_tail(name)}"
        await supervisor.start(program_of(harness.system, name))


async def handled_by(harness: Harness, name: str) -> float:
    """Messages this process has handled."""
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
        url = f"http://127.0.0.1:{harness.system.ports[name]}/metrics"
        text = (await http.get(url, headers=harness.system.operator)).text
    return sum(
        float(value)
        for value in re.findall(r"^comptoir_messages_handled_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
    )
