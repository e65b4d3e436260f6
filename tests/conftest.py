"""Fixtures for all tests: databases cloned from migrated templates, and a service's desk on one of them."""

import importlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest

from deploy.databases import with_credentials
from deploy.local.parts import Postgres
from services.chassis.settings import ServiceSettings
from services.chassis.storage.migrating import migrate
from services.chassis.storage.partitions import keep_partitions
from services.chassis.testing import Desk, settings_for_tests
from tests.programs import SETTINGS_MODULES

pytest_plugins = ["tests.parts", "tests.scheduling"]

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


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """Names of the migrated template databases made so far in this session, by service."""
    return {}


@pytest.fixture
async def fresh_database(postgres: Postgres, templates: dict[str, str]) -> AsyncIterator[FreshDatabase]:
    """Makes a migrated database of a service, for this test alone; gives its URL."""
    admin = await asyncpg.connect(postgres.admin_url)
    made: list[str] = []
    strategy = "STRATEGY FILE_COPY" if admin.get_server_version().major >= 15 else ""

    async def make(service: str) -> str:
        if service not in templates:
            templates[service] = await _make_template(admin, postgres.admin_url, service)
        name = f"t_{service}_{secrets.token_hex(4)}"
        password = secrets.token_hex(12)
        await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {templates[service]}")
        await admin.execute(f"ALTER ROLE {name} SET ROLE {templates[service]}")
        await admin.execute(
            f"CREATE DATABASE {name} TEMPLATE {templates[service]} OWNER {templates[service]} {strategy}"
        )
        made.append(name)
        return with_credentials(postgres.admin_url, name, password)

    yield make
    if admin.is_closed():  # the test restarted the server
        admin = await asyncpg.connect(postgres.admin_url)
    for name in made:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.execute(f"DROP ROLE IF EXISTS {name}")
    await admin.close()


async def _make_template(admin: Any, admin_url: str, service: str) -> str:
    name = f"template_{service}_{secrets.token_hex(4)}"
    password = secrets.token_hex(12)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    program = importlib.import_module(f"services.{service}")
    [folder] = Path(str(program.__file__)).parent.glob("**/migrations")
    url = with_credentials(admin_url, name, password)
    migrate(url, folder)
    await _make_partitions(url)
    return name


async def _make_partitions(url: str) -> None:
    """Those a service makes when it starts, so that it finds them in every copy."""
    days = ServiceSettings.model_fields
    connection = await asyncpg.connect(url)
    await keep_partitions(
        connection, datetime.now(UTC).date(), days["inbox_days"].default, days["event_log_days"].default
    )
    await connection.close()


@pytest.fixture
async def desks(fresh_database: FreshDatabase) -> AsyncIterator[Desks]:
    """Opens the desk of a service on a database of its own, or on one that is given (a second process)."""
    opened: list[Desk] = []

    async def open_desk(service: str, database_url: str | None = None, **settings: Any) -> Desk:
        subscribers = importlib.import_module(f"services.{service}.handlers").subscribers
        kinds = vars(importlib.import_module(SETTINGS_MODULES[service]))
        kind = kinds[f"{service.capitalize()}Settings"]
        url = database_url or await fresh_database(service)
        desk = await Desk(
            subscribers, settings_for_tests(kind, url, **{**_REQUIRED.get(service, {}), **settings})
        ).open()
        opened.append(desk)
        return desk

    yield open_desk
    for desk in opened:
        await desk.close()
