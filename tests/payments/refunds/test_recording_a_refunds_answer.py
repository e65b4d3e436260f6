"""A lock that passes does not leave a refund that was made out of the books."""

import pytest

from tests.locks import give_up_soon, locked
from tests.payments.refunds.test_refunding import position
from tests.payments.refunds.test_sending_refunds import Till, effect, hurry, provider, send, till

__all__ = ["provider", "till"]


@pytest.fixture(autouse=True)
def _(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the till opens its connections."""
    give_up_soon(monkeypatch)


async def test_the_answer_is_recorded_at_last(till: Till) -> None:
    cashdesk = till.cashdesk
    await till.ask()
    url = cashdesk.hub.settings.database_url.get_secret_value()
    async with locked(url, "SELECT 1 FROM account FOR UPDATE"):
        await send(cashdesk)
    for _ in range(5):
        await hurry(cashdesk)
        await send(cashdesk)
    assert len(till.api.refunds) == 1
    assert await effect(cashdesk) == "done"
    assert await position(cashdesk, till.order) == (2000, 2000, 0, 0, [])
