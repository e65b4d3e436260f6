"""RabbitMQ dies, restarts or hangs up in the middle of it all: everybody comes back by themselves, nothing is lost."""

import asyncio

from contracts.catalogue import SERVICES
from tests.faults.stage import Stage


async def test_a_killed_broker(stage: Stage) -> None:
    pids = {service: stage.system.supervisor.pid(service) for service in SERVICES}
    async with stage.lives():
        await asyncio.to_thread(stage.rabbitmq.kill)
        await asyncio.to_thread(stage.rabbitmq.restart)
    assert {service: stage.system.supervisor.pid(service) for service in SERVICES} == pids


async def test_a_broker_restarted_in_good_order(stage: Stage) -> None:
    async with stage.lives():
        await asyncio.to_thread(stage.rabbitmq.restart)


async def test_every_connection_is_closed_again_and_again(stage: Stage) -> None:
    async with stage.lives():
        for _ in range(4):
            await asyncio.to_thread(stage.rabbitmq.ctl, "close_all_connections", "a test of faults")
