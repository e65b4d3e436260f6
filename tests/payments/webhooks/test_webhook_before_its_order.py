"""Money that comes before its order waits and joins it, in either order; money no order claims is reported."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import PaymentSettled, PaymentUnmatched
from services.chassis.background.workers import timer_worker
from services.chassis.messaging.subscribers import order_key
from services.payments.accounts.unit import webhook_store
from services.payments.accounts.unit.unit import UNMATCHED_TIMER, object_key
from services.payments.webhooks.applying import apply_webhooks
from services.payments.webhooks.waiting_webhooks import report_unmatched
from tests.builders.orders import SHOP
from tests.payments.builders import event, intent, intent_id, names, of_kind, placed, succeeded
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks

DEADLINE_SECONDS = 10.0


def by_reference() -> tuple[OrderPlaced, dict[str, Any]]:
    """The order names the payment."""
    payment = intent_id()
    return placed(reference=payment), succeeded(payment)


def by_metadata() -> tuple[OrderPlaced, dict[str, Any]]:
    """The payment names the order."""
    order = placed()
    return order, succeeded(intent_id(), **names(order))


WAYS = pytest.mark.parametrize("way", [by_reference, by_metadata])


@WAYS
async def test_it_waits_and_joins_the_order(cashdesk: CashDesk, way: Any) -> None:
    order, money = way()
    assert await cashdesk.pay(money) == []
    assert await cashdesk.end_of(money) == ("waiting", "order_unknown")
    await cashdesk.desk.deliver(order)
    emitted = await cashdesk.apply()
    assert [settled.balance_minor for settled in of_kind(emitted, PaymentSettled)] == [0]
    assert await cashdesk.end_of(money) == ("applied", None)
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM webhook_wait") == 0
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM msg.timer") == 0


async def test_a_payment_of_another_shop_does_not_join(cashdesk: CashDesk) -> None:
    payment = intent_id()
    money = succeeded(payment)
    await cashdesk.pay(money)
    order = placed(reference=payment, shop="another-shop")
    await cashdesk.desk.deliver(order)
    await cashdesk.apply()
    assert await cashdesk.end_of(money) == ("waiting", "order_unknown")


@WAYS
async def test_the_order_is_faster_by_a_hair(cashdesks: CashDesks, way: Any) -> None:
    """The worker looks, finds nothing; the order is committed; the worker writes: it must have seen the order."""
    order, money = way()
    opener, worker = await two_processes(cashdesks)
    await worker.post(money)
    async with stopped_at_the_keys(opener, order, money):
        opening = await blocked(opener, opener.desk.deliver(order), 1)
        applying = await blocked(opener, apply_webhooks(worker.hub), 2)
    await asyncio.gather(opening, applying)
    assert await worker.end_of(money) == ("received", None)
    await worker.apply()
    assert (await worker.account(order))["balance_minor"] == 0


@WAYS
async def test_the_webhook_is_faster_by_a_hair(cashdesks: CashDesks, way: Any) -> None:
    """The order looks for what waits; the worker commits that it waits: the order must have seen it."""
    order, money = way()
    opener, worker = await two_processes(cashdesks)
    await worker.post(money)
    async with stopped_at_the_keys(opener, order, money):
        applying = await blocked(opener, apply_webhooks(worker.hub), 1)
        opening = await blocked(opener, opener.desk.deliver(order), 2)
    await asyncio.gather(opening, applying)
    assert await worker.end_of(money) == ("received", None)
    await worker.apply()
    assert (await worker.account(order))["balance_minor"] == 0


async def test_a_storm_of_orders_and_payments_in_two_processes(cashdesks: CashDesks) -> None:
    first, second = await two_processes(cashdesks)
    pairs = [way() for way in (by_reference, by_metadata) for _ in range(40)]

    async def place() -> None:
        for order, _ in pairs:
            await first.desk.deliver(order)

    async def pay() -> None:
        for _, money in pairs:
            await second.post(money)
            await apply_webhooks(second.hub)

    async def help_out() -> None:
        for _ in pairs:
            await apply_webhooks(first.hub)

    await asyncio.gather(place(), pay(), help_out())
    await first.apply()
    assert await first.desk.fetchval("SELECT count(*) FROM account WHERE balance_minor = 0") == len(pairs)
    assert {state for state, _ in (await first.ends()).values()} == {"applied"}


async def test_money_nobody_claims_is_reported_once_and_still_joins(cashdesk: CashDesk) -> None:
    order, money = by_reference()
    await cashdesk.pay(money)
    (unmatched,) = of_kind(await fire_timers(cashdesk), PaymentUnmatched)
    assert (unmatched.amount_minor, unmatched.currency, unmatched.reason) == (5000, "EUR", "order_unknown")
    assert await cashdesk.end_of(money) == ("parked", "order_unknown")
    assert await fire_timers(cashdesk) == []
    await cashdesk.desk.deliver(order)
    await cashdesk.apply()
    assert await cashdesk.end_of(money) == ("applied", None)
    assert (await cashdesk.account(order))["balance_minor"] == 0


async def test_money_that_names_its_order_is_reported_soon_and_goes_on_waiting(cashdesk: CashDesk) -> None:
    order, money = by_metadata()
    await cashdesk.pay(money)
    due, received = (await cashdesk.desk.fetch("SELECT t.due_at, w.received_at FROM msg.timer t, webhook w"))[
        0
    ]
    assert due - received == timedelta(seconds=60)
    (unmatched,) = of_kind(await fire_timers(cashdesk, rounds=1), PaymentUnmatched)
    assert (unmatched.order_id, unmatched.reason) == (order.order_id, "order_unknown")
    assert await cashdesk.end_of(money) == ("waiting", "order_unknown")
    assert await cashdesk.desk.fetchval("SELECT due_at FROM msg.timer") - received == timedelta(hours=72)
    await cashdesk.desk.deliver(order)
    await cashdesk.apply()
    assert (await cashdesk.account(order))["balance_minor"] == 0
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM msg.timer") == 0


async def test_money_that_names_an_order_which_never_comes_is_reported_once(cashdesk: CashDesk) -> None:
    _, money = by_metadata()
    await cashdesk.pay(money)
    assert len(of_kind(await fire_timers(cashdesk, rounds=1), PaymentUnmatched)) == 1
    assert await fire_timers(cashdesk) == []
    assert await cashdesk.end_of(money) == ("parked", "order_unknown")


async def test_news_without_money_is_set_aside_in_silence(cashdesk: CashDesk) -> None:
    news = event("payment_intent.created", intent(intent_id()))
    await cashdesk.pay(news)
    assert await fire_timers(cashdesk) == []
    assert await cashdesk.end_of(news) == ("irrelevant", "order_unknown")


async def test_the_wait_is_measured_from_the_receipt(cashdesks: CashDesks) -> None:
    cashdesk = await cashdesks(unmatched_after_hours=48)
    _, money = by_reference()
    await cashdesk.pay(money)
    due, received = (await cashdesk.desk.fetch("SELECT t.due_at, w.received_at FROM msg.timer t, webhook w"))[
        0
    ]
    assert due - received == timedelta(hours=48)


async def test_two_payments_waiting_for_one_order_do_not_wake_each_other(cashdesk: CashDesk) -> None:
    order = placed()
    first, second = (succeeded(intent_id(), 2500, **names(order)) for _ in range(2))
    await cashdesk.pay(first)
    await cashdesk.pay(second)
    assert {await cashdesk.end_of(first), await cashdesk.end_of(second)} == {("waiting", "order_unknown")}
    await cashdesk.desk.deliver(order)
    await cashdesk.apply()
    assert (await cashdesk.account(order))["balance_minor"] == 0


async def two_processes(cashdesks: CashDesks) -> tuple[CashDesk, CashDesk]:
    first = await cashdesks()
    return first, await cashdesks(first.hub.settings.database_url.get_secret_value())


@asynccontextmanager
async def stopped_at_the_keys(
    cashdesk: CashDesk, order: OrderPlaced, money: dict[str, Any]
) -> AsyncIterator[None]:
    """Others that want the keys of this order or payment wait until the block is left."""
    keys = [(SHOP, order_key(order.order_id)), (SHOP, object_key("stripe", money["data"]["object"]["id"]))]
    async with cashdesk.hub.acquire() as connection, connection.transaction():
        await webhook_store.lock_keys(connection, sorted(keys))
        yield


async def blocked(cashdesk: CashDesk, work: Awaitable[Any], count: int) -> "asyncio.Future[Any]":
    """Start some work and come back once `count` transactions stand in line."""
    started = asyncio.ensure_future(work)
    deadline = datetime.now(UTC) + timedelta(seconds=DEADLINE_SECONDS)
    query = """SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"""
    while await cashdesk.desk.fetchval(query) != count:
        assert not started.done(), started
        assert datetime.now(UTC) < deadline, "nobody stands in line"
        await asyncio.sleep(0.005)
    return started


async def fire_timers(cashdesk: CashDesk, rounds: int = 2) -> list[Any]:
    """Fire all timers as if their time had come, and those they set; what was said."""
    cashdesk.desk._units.clear()
    for _ in range(rounds):
        await _fire_all(cashdesk)
    return cashdesk.desk.emitted()


async def _fire_all(cashdesk: CashDesk) -> None:
    await cashdesk.hub.pool.execute("UPDATE msg.timer SET due_at = now()")
    worker = timer_worker({UNMATCHED_TIMER: report_unmatched})
    while await worker._run(cashdesk.hub):
        pass
