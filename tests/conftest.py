"""Fixtures for all tests: databases of services, and a service's desk on one of them."""

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import hypothesis
import pytest
import pytest_asyncio

from deploy.local.parts import Postgres
from services.chassis.testing import Desk, settings_for_tests
from tests.databases import Database, Databases
from tests.programs import SETTINGS_MODULES
from tests.quick import share_certificates

pytest_plugins = ["tests.parts", "tests.scheduling"]
share_certificates()

hypothesis.settings.register_profile(
    "comptoir",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.filter_too_much],
)
hypothesis.settings.load_profile("comptoir")
"""How long an example takes says how busy the machine is, not whether a rule holds."""

FreshDatabase = Callable[[str], Awaitable[str]]
Desks = Callable[..., Awaitable[Desk]]
_REQUIRED: dict[str, dict[str, Any]] = {}
"""Settings without a default that a service needs beside the common ones, by service."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[Databases]:
    """The databases of all tests of this session."""
    made = Databases(postgres.admin_url)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_database(databases: Databases) -> AsyncIterator[FreshDatabase]:
    """Makes a migrated database of a service that was never used; gives its URL."""
    made: list[Database] = []

    async def make(service: str) -> str:
        made.append(await databases.copy(service))
        return made[-1].url

    yield make
    for database in made:
        await databases.drop(database)


@pytest_asyncio.fixture(loop_scope="session")
async def empty_database(databases: Databases) -> AsyncIterator[FreshDatabase]:
    """Lends a migrated database of a service to this test, empty, for it to fill; gives its URL."""
    lent: list[Database] = []

    async def lend(service: str) -> str:
        lent.append(await databases.take(service))
        return lent[-1].url

    yield lend
    for database in lent:
        await databases.give_back(database)


@pytest.fixture
async def desks(empty_database: FreshDatabase) -> AsyncIterator[Desks]:
    """Opens the desk of a service on a database of its own, or on one that is given (a second process)."""
    opened: list[Desk] = []

    async def open_desk(service: str, database_url: str | None = None, **settings: Any) -> Desk:
        subscribers = importlib.import_module(f"services.{service}.handlers").subscribers
        kinds = vars(importlib.import_module(SETTINGS_MODULES[service]))
        kind = kinds[f"{service.capitalize()}Settings"]
        url = database_url or await empty_database(service)
        desk = await Desk(
            subscribers, settings_for_tests(kind, url, **{**_REQUIRED.get(service, {}), **settings})
        ).open()
        opened.append(desk)
        return desk

    yield open_desk
    for desk in opened:
        await desk.close()
