"""A cash desk for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.conftest import Desks
from tests.payments.builders import endpoint
from tests.payments.cashdesk import CashDesk

CashDesks = Callable[..., Awaitable[CashDesk]]


@pytest.fixture
async def cashdesks(desks: Desks) -> AsyncIterator[CashDesks]:
    """Opens cash desks: each on a database of its own, or (`database_url`) as a second process on a given one."""
    opened: list[CashDesk] = []

    async def open_one(database_url: str | None = None, **settings: Any) -> CashDesk:
        given = {"stripe_endpoints": (endpoint(),), **settings}
        cashdesk = await CashDesk(await desks("payments", database_url, **given)).open()
        opened.append(cashdesk)
        return cashdesk

    yield open_one
    for cashdesk in opened:
        await cashdesk.check_ledger()
        await cashdesk.close()


@pytest.fixture
async def cashdesk(cashdesks: CashDesks) -> CashDesk:
    """One cash desk."""
    return await cashdesks()
