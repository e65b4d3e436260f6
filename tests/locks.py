"""Locks that are in the way, until others have given up waiting for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.chassis.storage import database
from services.chassis.testing import wait_until

_WAITING = """SELECT l.pid, l.waitstart FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE a.datname = current_database() AND NOT l.granted AND l.waitstart IS NOT NULL"""


def give_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections that are opened from now on wait half a second for a lock, instead of five."""
    monkeypatch.setitem(database._SETTINGS, "lock_timeout", "500")


@asynccontextmanager
async def locked(database_url: str, statement: str, given_up: int = 2) -> AsyncIterator[None]:
    """Hold what `statement` locks until others have given up waiting for it `given_up` times."""
    blocker = await asyncpg.connect(database_url)
    waits: set[tuple[int, object]] = set()

    async def have_given_up() -> bool:
        waits.update((row["pid"], row["waitstart"]) for row in await blocker.fetch(_WAITING))
        return len(waits) > given_up

    async def release() -> None:
        try:
            await wait_until(have_given_up, 60, "nobody waits for the lock any more")
        finally:
            await blocker.execute("ROLLBACK")

    await blocker.execute(f"BEGIN; {statement}")
    releasing = asyncio.create_task(release())
    try:
        yield
        await releasing
    finally:
        releasing.cancel()
        await blocker.close()
