"""A lock that passes does not leave a refund that was made out of the books."""

import asyncio

import asyncpg
import pytest

from tests.payments.refunds.test_refunding import position
from tests.payments.refunds.test_sending_refunds import Till, effect, hurry, provider, send, till

__all__ = ["provider", "till"]

LOCKED_SECONDS = 12
"""Longer than two lock time-outs of 5 s."""


@pytest.mark.timeout(120)
async def test_the_answer_is_recorded_at_last(till: Till) -> None:
    cashdesk = till.cashdesk
    await till.ask()
    blocker = await asyncpg.connect(cashdesk.hub.settings.database_url.get_secret_value())

    async def block() -> None:
        await asyncio.sleep(LOCKED_SECONDS)
        await blocker.execute("ROLLBACK")

    await blocker.execute("BEGIN; SELECT 1 FROM account FOR UPDATE")
    blocking = asyncio.create_task(block())
    await send(cashdesk)
    await blocking
    for _ in range(5):
        await hurry(cashdesk)
        await send(cashdesk)
    await blocker.close()
    assert len(till.api.refunds) == 1
    assert await effect(cashdesk) == "done"
    assert await position(cashdesk, till.order) == (2000, 2000, 0, 0, [])
