"""Fixtures of the chassis' tests: the sample service at a desk, and whole hubs on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from deploy.local.parts import Postgres, RabbitMQ
from services.chassis.background.workers import Worker
from services.chassis.runtime.hub import Hub
from services.chassis.settings import ServiceSettings
from services.chassis.storage.clock import Clock
from services.chassis.testing import Desk, settings_for_tests
from tests.chassis import sample
from tests.chassis.bus import Bus

SampleDesks = Callable[..., Awaitable[Desk]]
Hubs = Callable[..., Awaitable[Hub]]


@pytest.fixture(autouse=True)
def nothing_is_faulty() -> Iterator[None]:
    """No SKU of the sample service fails when a test begins."""
    sample.faulty.clear()
    yield
    sample.faulty.clear()


@pytest.fixture(scope="session")
def sample_databases() -> list[str]:
    """The sample service's database of this session, once it is made."""
    return []


@pytest.fixture
async def sample_database(postgres: Postgres, sample_databases: list[str]) -> str:
    """A database of the sample service, as if it were new: one for all tests, since making one takes a second."""
    if not sample_databases:
        sample_databases.append(await sample.make_database(postgres.admin_url))
    await sample.wipe(sample_databases[0])
    return sample_databases[0]


@pytest.fixture
async def sample_desks(sample_database: str) -> AsyncIterator[SampleDesks]:
    """Opens desks of the sample service, all on one database: each is a process of its own, but for the broker."""
    opened: list[Desk] = []

    async def open_desk(
        database_url: str | None = None, own_clock: Clock | None = None, **settings: Any
    ) -> Desk:
        url = database_url or sample_database
        made = settings_for_tests(ServiceSettings, url, **settings)
        desk = await Desk(sample.subscribers, made, own_clock).open()
        opened.append(desk)
        return desk

    yield open_desk
    for desk in opened:
        await desk.close()


@pytest.fixture(scope="session")
def quick_figures(rabbitmq: RabbitMQ) -> None:
    """Let the management API's figures be half a second old at most, instead of five."""
    rabbitmq.ctl(
        "eval",
        "[application:set_env(rabbit, N, 500) || N <- [collect_statistics_interval, quorum_tick_interval]].",
    )


@pytest.fixture
async def bus(rabbitmq: RabbitMQ, quick_figures: None) -> AsyncIterator[Bus]:
    """A virtual host with the whole topology."""
    made = Bus(rabbitmq)
    await asyncio.to_thread(made.open)
    yield made
    await asyncio.to_thread(made.close)


@pytest.fixture
async def hubs(bus: Bus, sample_database: str) -> AsyncIterator[Hubs]:
    """Starts whole processes' worth of the sample service: consumers, relay and workers on the real broker."""
    running: list[Hub] = []

    async def start(
        workers: Sequence[Worker] = (),
        port: int | None = None,
        database_url: str | None = None,
        consumes: bool = True,
        **settings: Any,
    ) -> Hub:
        made = ServiceSettings(
            database_url=SecretStr(database_url or sample_database),
            amqp_url=SecretStr(bus.url("fulfillment", port)),
            internal_token=SecretStr("a-token-for-tests-only"),
            http_port=0,
            **{"retry_seconds": 0.1, **settings},
        )
        hub = Hub(made, sample.subscribers, consumes=consumes)
        broker = hub.subscribe()
        await hub.open()
        hub.start(workers)
        await broker.start()
        running.append(hub)
        return hub

    yield start
    await asyncio.gather(*(hub.stop() for hub in running))
