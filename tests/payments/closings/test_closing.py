"""Each day of a shop is closed once, in order, without gaps, and never before it is over."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.payments.closings.closing import GRACE, bounds, close_days, close_next_day, is_over
from tests.builders.orders import SHOP
from tests.payments.cashdesk import CashDesk
from tests.payments.closings.test_chain import close_all, date_back, sell, tamper, verified
from tests.payments.conftest import CashDesks


async def test_closings_state_what_was_recorded_each_day(cashdesk: CashDesk) -> None:
    await sell(cashdesk)
    await date_back(cashdesk, 2)
    await sell(cashdesk, 7000)
    assert await close_all(cashdesk) == 2
    first, second = await cashdesk.desk.fetch("SELECT * FROM ledger_closing ORDER BY day")
    assert (second["day"] - first["day"]).days == 1
    assert (first["entries"], first["accounts"]) == (3, 1)
    assert (second["entries"], second["accounts"], json.loads(second["totals"])) == (0, 0, [])
    assert json.loads(first["totals"]) == [
        {"currency": "EUR", "kind": "order_total", "entries": 1, "amount_minor": 5000},
        {"currency": "EUR", "kind": "payment_received", "entries": 2, "amount_minor": 5000},
    ]
    assert await close_all(cashdesk) == 0
    assert (await verified(cashdesk)).closings == 2


async def test_a_day_is_over_some_minutes_after_midnight_utc() -> None:
    day = datetime(2026, 11, 29, tzinfo=UTC).date()
    assert bounds(day) == (datetime(2026, 11, 29, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC))
    midnight = datetime(2026, 11, 30, tzinfo=UTC)
    assert not is_over(day, midnight + GRACE - timedelta(microseconds=1))
    assert is_over(day, midnight + GRACE)


async def test_two_processes_close_each_day_once(cashdesks: CashDesks) -> None:
    first = await cashdesks()
    second = await cashdesks(first.hub.settings.database_url.get_secret_value())
    await sell(first)
    await date_back(first, 6)
    second.hub.clock.ahead = first.hub.clock.ahead
    desks = [first, second] * 12
    await asyncio.gather(*(close_next_day(desk.hub, SHOP) for desk in desks))
    await close_all(second)
    assert (await verified(first)).closings == 6


async def test_nothing_is_closed_before_everything_is_chained_or_while_the_clock_is_in_doubt(
    cashdesk: CashDesk,
) -> None:
    await sell(cashdesk)
    await date_back(cashdesk, 2)
    cashdesk.hub.is_clock_doubtful = True
    assert not await close_days(cashdesk.hub)
    cashdesk.hub.is_clock_doubtful = False
    await tamper(cashdesk, "UPDATE ledger_entry SET hash = NULL WHERE number = 3")
    assert not await close_days(cashdesk.hub)
    await date_back(cashdesk, 0)
    assert await close_days(cashdesk.hub)


async def test_a_year_over_http_has_its_days_its_months_and_what_is_not_closed(cashdesk: CashDesk) -> None:
    await sell(cashdesk)
    await date_back(cashdesk, 40)
    order = await sell(cashdesk, 7000)
    closed = await close_all(cashdesk)
    auth = {"authorization": "Bearer a-token-for-tests-only"}
    shown: list[dict[str, Any]] = []
    first = datetime.now(UTC) - timedelta(days=40)
    for year in sorted({first.year, datetime.now(UTC).year}):
        query = {"shop": SHOP, "year": str(year)}
        shown.append((await cashdesk.client.get("/internal/closings", params=query, headers=auth)).json())
    days = [day for year in shown for day in year["days"]]
    months = [month for year in shown for month in year["months"]]
    assert len(days) == closed == 40
    assert sum(month["days"] for month in months) == 40
    assert sum(total["amount_minor"] for month in months for total in month["totals"]) == 10000
    assert shown[-1]["is_chained"]
    assert sum(total["amount_minor"] for total in shown[-1]["pending"]["totals"]) == 14000
    for wrong in ({}, {"shop": SHOP, "year": "x"}):
        assert (
            await cashdesk.client.get("/internal/closings", params=wrong, headers=auth)
        ).status_code == 422
    account = await cashdesk.client.get(f"/internal/accounts/{SHOP}/{order.order_id}", headers=auth)
    assert [len(entry["hash"]) for entry in account.json()["entries"]] == [64, 64, 64]
