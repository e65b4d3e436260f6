"""RabbitMQ dies, restarts or hangs up in the middle of it all: everybody comes back by themselves, nothing is lost."""

import asyncio

from contracts.catalogue import SERVICES
from tests.faults.harness import Harness


async def test_a_killed_broker(harness: Harness) -> None:
    pids = {service: harness.system.supervisor.pid(service) for service in SERVICES}
    async with harness.lives():
        await asyncio.to_thread(harness.rabbitmq.kill)
        await asyncio.to_thread(harness.rabbitmq.restart)
    assert {service: harness.system.supervisor.pid(service) for service in SERVICES} == pids


async def test_a_broker_restarted_in_good_order(harness: Harness) -> None:
    async with harness.lives():
        await asyncio.to_thread(harness.rabbitmq.restart)


async def test_every_connection_is_closed_again_and_again(harness: Harness) -> None:
    async with harness.lives():
        for _ in range(4):
            await asyncio.to_thread(harness.rabbitmq.ctl, "close_all_connections", "a test of faults")
