"""Several processes of each service share the work; those that die or are stopped lose and double nothing."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx2
import pytest_asyncio

from tests.faults.stage import LIVES, Stage
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
async def names(stage: Stage) -> AsyncIterator[list[str]]:
    """The processes of all services."""
    names = await start_replicas(stage.system, COUNT)
    try:
        yield names
    finally:
        for name in names:
            if service_of(name) != name:
                await stage.system.supervisor.kill(name)
        await start_replicas(stage.system, 1)


async def test_all_work_and_one_of_each_may_die(stage: Stage, names: list[str]) -> None:
    for _ in range(MOST_ROUNDS):  # which of them gets a message is the broker's choice
        async with stage.lives():
            pass
        idle = [name for name in names if not await handled_by(stage, name)]
        if not idle:
            break
    assert idle == []
    async with stage.lives():
        for name in DYING:
            await stage.system.supervisor.kill(name)


async def test_each_is_stopped_and_started_in_turn_while_orders_go_on(stage: Stage, names: list[str]) -> None:
    await start_replicas(stage.system, COUNT)
    restarting = asyncio.create_task(_restart_each(stage, names))
    try:
        while not restarting.done():
            await stage.play(many_lives(LIVES // 3))
        await restarting
    finally:
        restarting.cancel()
    found = await stage.chronicle.violations()
    assert found == [], "\n".join(map(str, found))


async def _restart_each(stage: Stage, names: list[str]) -> None:
    supervisor = stage.system.supervisor
    for name in names:
        if name == KILLED:
            await supervisor.kill(name)
        else:
            await supervisor.stop(name, grace_seconds=PATIENCE_SECONDS)
            assert supervisor.exited(name) == 0, f"{name} did not end by itself: {supervisor.log_tail(name)}"
        await supervisor.start(program_of(stage.system, name))


async def handled_by(stage: Stage, name: str) -> float:
    """Messages this process has handled."""
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
        url = f"http://127.0.0.1:{stage.system.ports[name]}/metrics"
        text = (await http.get(url, headers=stage.system.operator)).text
    return sum(
        float(value)
        for value in re.findall(r"^comptoir_messages_handled_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
    )
