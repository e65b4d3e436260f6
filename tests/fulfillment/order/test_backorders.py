"""However many orders wait for an article, a message tries a limited number of them, and timers the others."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from contracts.fulfillment.lines import LinesAdded
from contracts.fulfillment.stock import StockRejected, StockReserved
from contracts.orders.lifecycle import OrderPlaced
from services.chassis.background.workers import timer_worker
from services.chassis.messaging import timer_store
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Row
from services.chassis.testing import Desk, envelope_for
from services.fulfillment.order.unit.backorders import AT_ONCE, TIMER
from services.fulfillment.stock.reserving import retry_next
from tests.conftest import Desks
from tests.fulfillment.builders import PLACED_AT, a_shop, add, goods, placed, stock_of
from tests.fulfillment.counting import assert_counts_agree, level_of

WAITING = 5 * AT_ONCE + 100
MOST_STATEMENTS = 9
RESERVED = """SELECT count(*) AS orders, max(placed_at) AS youngest FROM fulfilment_order
    WHERE shop = $1 AND stock = 'reserved'"""


async def test_a_count_for_which_thousands_wait_tries_some_and_timers_the_rest(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await _let_wait(desk, shop, WAITING)
    sizes = [await _step(desk, _set(desk, shop, WAITING - 50))]
    while timers := await desk.fetch("SELECT * FROM msg.timer"):
        sizes.append(await _step(desk, partial(_fire, timers[0])))
    assert sizes == [AT_ONCE] * 5 + [50]
    (row,) = await desk.fetch(RESERVED, shop)
    assert row["orders"] == WAITING - 50
    assert row["youngest"] == PLACED_AT + timedelta(seconds=WAITING - 51)
    await assert_counts_agree(desk)


async def test_no_timer_is_left_when_the_units_are_gone(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await _let_wait(desk, shop, AT_ONCE + 1)
    outcome = await desk.deliver(stock_of(shop, A=AT_ONCE))
    assert len(outcome.messages_of(StockReserved)) == AT_ONCE
    assert await desk.fetch("SELECT * FROM msg.timer") == []


async def test_an_order_placed_meanwhile_waits_behind_older_ones_but_not_behind_younger(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    waiting = await _let_wait(desk, shop, AT_ONCE + 2)
    await desk.deliver(stock_of(shop, A=AT_ONCE + 2, B=1))
    young = placed(shop, goods("A"), placed_at=PLACED_AT + timedelta(days=1))
    (rejected,) = (await desk.deliver(young)).messages_of(StockRejected)
    assert [(short.sku, short.available) for short in rejected.missing] == [("A", 0)]
    assert (await desk.deliver(placed(shop, goods("B")))).messages_of(StockReserved)
    old = placed(shop, goods("A"), placed_at=PLACED_AT - timedelta(days=1))
    assert (await desk.deliver(old)).messages_of(StockReserved)
    assert await _fire_all(desk) == [waiting[-2].order_id]
    assert await level_of(desk, shop, "A") == (AT_ONCE + 2, AT_ONCE + 2)
    await assert_counts_agree(desk)


async def test_an_order_added_to_meanwhile_waits_behind_older_ones(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, B=1))
    order = placed(shop, goods("B"), placed_at=PLACED_AT + timedelta(days=1))
    await desk.deliver(order)
    await _let_wait(desk, shop, AT_ONCE + 1)
    await desk.deliver(stock_of(shop, A=AT_ONCE + 1))
    (answer,) = (await desk.deliver(add(order, {2: goods("A")}))).messages_of(LinesAdded)
    assert [(short.requested, short.available) for short in answer.missing] == [(1, 0)]
    assert len(await _fire_all(desk)) == 1
    await assert_counts_agree(desk)


async def test_another_count_begins_with_the_oldest_again(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    waiting = await _let_wait(desk, shop, AT_ONCE + 3, units=2)
    first = placed(shop, goods("A", 5), placed_at=PLACED_AT - timedelta(days=1))
    await desk.deliver(first)
    await desk.deliver(stock_of(shop, A=3))
    assert (await desk.fetch("SELECT payload ->> 'sku' AS sku FROM msg.timer"))[0]["sku"] == "A"
    outcome = await desk.deliver(stock_of(shop, A=9))
    assert [event.order_id for event in outcome.messages_of(StockReserved)] == [
        first.order_id,
        waiting[1].order_id,
    ]
    assert await desk.fetch("SELECT * FROM msg.timer") == []
    await assert_counts_agree(desk)


async def test_a_timer_that_keeps_failing_does_not_keep_the_stock(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await _let_wait(desk, shop, AT_ONCE + 1)
    await desk.deliver(stock_of(shop, A=AT_ONCE + 1))
    worker = timer_worker({})
    assert await worker._run(desk.hub)
    young = placed(shop, goods("A"), placed_at=PLACED_AT + timedelta(days=1))
    assert (await desk.deliver(young)).messages_of(StockReserved)


async def _let_wait(desk: Desk, shop: str, count: int, units: int = 1) -> list[OrderPlaced]:
    """So many orders of SKU A that find no stock, each a second younger than the one before."""
    orders = [
        placed(shop, goods("A", units), placed_at=PLACED_AT + timedelta(seconds=n)) for n in range(count)
    ]
    for start in range(0, count, 100):
        batch = orders[start : start + 100]
        await desk.deliver_all([(envelope_for("fulfillment", order), order, None) for order in batch])
    return orders


def _set(desk: Desk, shop: str, units: int) -> Callable[[Unit], Awaitable[None]]:
    command = stock_of(shop, A=units)
    envelope = envelope_for("fulfillment", command)
    delivery = ReceivedMessage(envelope, command, "fulfillment.orders", None, 0, envelope.time)

    async def handle(unit: Unit) -> None:
        work = await desk.hub.subscribers.load(unit, [delivery])
        desk.hub.subscribers.handle(work, delivery)
        await work.save()

    return handle


async def _step(desk: Desk, action: Callable[[Unit], Awaitable[None]]) -> int:
    """Do something in a transaction of few statements; how many orders were reserved."""
    statements: list[str] = []
    async with desk.hub.acquire() as connection, connection.transaction():
        unit = desk.hub.open_unit(connection)
        with connection.query_logger(lambda query: statements.append(query.query)):
            await action(unit)
            await unit.flush()
    assert len(statements) <= MOST_STATEMENTS, statements
    return sum(envelope.type.startswith("fulfillment.stock.reserved") for envelope, _ in unit.emitted)


async def _fire(timer: Row, unit: Unit) -> None:
    """What the worker does when the timer is due."""
    assert timer["kind"] == TIMER
    await retry_next(unit, timer["key"], json.loads(timer["payload"]))
    assert await timer_store.remove_timer(unit.connection, timer)


async def _fire_all(desk: Desk) -> list[object]:
    """Fire all timers by the worker; the orders that were reserved."""
    desk._units.clear()
    worker = timer_worker({TIMER: retry_next})
    while await worker._run(desk.hub):
        pass
    return [message.order_id for _, message in desk.emitted() if isinstance(message, StockReserved)]
