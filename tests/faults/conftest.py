"""A whole system on servers of its own, which the tests here may kill; one for all of them, in one event loop."""

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES
from deploy.local.parts import Parts, start_postgres, start_rabbitmq
from deploy.local.system import System
from tests.faults.harness import Harness
from tests.lives.living import QUICK, SETUP
from tests.preloading import Preloaded


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Tests on the shared harness run in its event loop, and restarts take their time on a busy machine."""
    for item in items:
        if "harness" in getattr(item, "fixturenames", ()) and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.timeout(600))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def harness(parts_folder: Path, preloaded: Preloaded) -> AsyncIterator[Harness]:
    """The system. Its servers are private even where others are named by the environment."""
    with ThreadPoolExecutor(2) as pool:
        broker = pool.submit(start_rabbitmq, parts_folder / "fragile-rabbitmq", {}, is_durable=False)
        database = pool.submit(start_postgres, parts_folder / "fragile-postgres", {}, is_durable=False)
    try:
        parts = Parts(database.result(), broker.result())
        system = System(
            parts_folder / "fragile",
            parts.postgres,
            parts.rabbitmq,
            [SETUP],
            overrides=dict.fromkeys(SERVICES, QUICK),
            launcher=preloaded,
        )
        async with system:
            yield Harness(system, parts)
    finally:
        for started in (broker, database):
            if started.exception() is None:
                started.result().stop()
