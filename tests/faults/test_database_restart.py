"""PostgreSQL crashes or drops its sessions in the middle of it all: what was promised stands, the rest is redone."""

import asyncio
from typing import Any

import asyncpg

from contracts.catalogue import SERVICES
from services.chassis.testing import wait_until
from tests.faults.stage import Stage

SESSIONS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


async def test_a_crash_and_recovery(stage: Stage) -> None:
    pids = {service: stage.system.supervisor.pid(service) for service in SERVICES}
    async with stage.lives():
        await asyncio.to_thread(stage.postgres.restart, immediate=True)
    assert {service: stage.system.supervisor.pid(service) for service in SERVICES} == pids


async def test_a_killed_server(stage: Stage) -> None:
    async with stage.lives():
        await asyncio.to_thread(stage.postgres.kill)
        await asyncio.to_thread(stage.postgres.restart)


async def test_all_sessions_are_terminated_again_and_again(stage: Stage) -> None:
    connection = await asyncpg.connect(stage.postgres.admin_url)
    try:
        async with stage.lives():
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
