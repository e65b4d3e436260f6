"""PostgreSQL crashes or drops its sessions in the middle of it all: what was promised stands, the rest is redone."""

import asyncio
from typing import Any

import asyncpg

from contracts.catalogue import SERVICES
from services.chassis.testing import wait_until
from tests.faults.harness import Harness

SESSIONS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


async def test_a_crash_and_recovery(harness: Harness) -> None:
    pids = {service: harness.system.supervisor.pid(service) for service in SERVICES}
    async with harness.lives():
        await asyncio.to_thread(harness.postgres.restart, immediate=True)
    assert {service: harness.system.supervisor.pid(service) for service in SERVICES} == pids


async def test_a_killed_server(harness: Harness) -> None:
    async with harness.lives():
        await asyncio.to_thread(harness.postgres.kill)
        await asyncio.to_thread(harness.postgres.restart)


async def test_all_sessions_are_terminated_again_and_again(harness: Harness) -> None:
    connection = await asyncpg.connect(harness.postgres.admin_url)
    try:
        async with harness.lives():
            for _ in range(8):
                await _until_all_are_back(connection)
                await connection.execute(f"SELECT pg_terminate_backend(pid) {SESSIONS}")
    finally:
        await connection.close()


async def _until_all_are_back(connection: Any) -> None:
    """Every service has opened a session again."""

    async def are_back() -> bool:
        found: int = await connection.fetchval(f"SELECT count(DISTINCT datname) {SESSIONS}")
        return found >= len(SERVICES)

    await wait_until(are_back, 60)
