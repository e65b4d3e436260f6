"""The life that the auditor's tests look at, and connections to it that all of them share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from deploy.auditor.inputs import Inputs
from tests.auditor.life import Life, life

__all__ = ["life"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Tests on the shared connections run in their event loop."""
    for item in items:
        if "inputs" in getattr(item, "fixturenames", ()) and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def connections(life: Life) -> AsyncIterator[dict[str, Any]]:
    """One connection to each of the life's databases: its statements are planned once for all tests."""
    async with AsyncExitStack() as stack:
        opened = {}
        for service, url in life.urls.items():
            opened[service] = await asyncpg.connect(url)
            stack.push_async_callback(opened[service].close)
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def inputs(life: Life, connections: dict[str, Any]) -> AsyncIterator[Inputs]:
    """The life's databases, in transactions that are taken back. Triggers and references are off, so that
    damage the tables themselves would refuse can be planted.
    """
    async with AsyncExitStack() as stack:
        for connection in connections.values():
            transaction = connection.transaction()
            await transaction.start()
            stack.push_async_callback(transaction.rollback)
            await connection.execute("SET LOCAL session_replication_role = replica")
        yield Inputs(connections, life.journals)
