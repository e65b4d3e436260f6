"""The back office's application on a real PostgreSQL, and browsers that visit it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from services.chassis.testing import Desk, settings_for_tests
from services.orders.backoffice.web.settings import BackofficeSettings
from services.orders.handlers import subscribers
from tests.backoffice.browser import ORIGIN, Backoffice
from tests.conftest import FreshDatabase
from tests.orders.rest_client import short_waits
from tests.quick import hash_quickly

__all__ = ["short_waits"]

Backoffices = Callable[..., Awaitable[Backoffice]]


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed cheaply."""
    hash_quickly(monkeypatch.setattr)


@pytest.fixture
async def backoffices(empty_database: FreshDatabase) -> AsyncIterator[Backoffices]:
    """Opens a back office on a database of its own, with the orders service's own handlers behind it."""
    opened: list[Backoffice] = []

    async def open_backoffice(**settings: Any) -> Backoffice:
        url = await empty_database("orders")
        chosen = {"backoffice_origin": ORIGIN, **settings}
        desk = await Desk(subscribers, settings_for_tests(BackofficeSettings, url, **chosen)).open()
        opened.append(Backoffice(desk))
        return opened[-1]

    yield open_backoffice
    for backoffice in opened:
        await backoffice.close()


@pytest.fixture
async def backoffice(backoffices: Backoffices) -> Backoffice:
    """One back office with the default settings of these tests."""
    return await backoffices()
