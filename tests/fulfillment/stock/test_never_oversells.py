"""Competing processes, many orders, few units: what is promised is never more than what is there."""

import asyncio
import random

from contracts.envelope import uuid7
from contracts.fulfillment.stock import StockRejected, StockReserved
from contracts.message import Message
from services.chassis.testing import Desk, envelope_for
from tests.builders.shipments import dispatch, pack
from tests.conftest import Desks, FreshDatabase
from tests.fulfillment.builders import a_shop, goods, placed, stock_of
from tests.fulfillment.counting import assert_counts_agree, level_of


async def _two(desks: Desks, fresh_database: FreshDatabase) -> tuple[Desk, Desk]:
    url = await fresh_database("fulfillment")
    return await desks("fulfillment", url), await desks("fulfillment", url)


async def _deliver_in_batches(desk: Desk, messages: list[Message], size: int) -> list[Message]:
    events: list[Message] = []
    for start in range(0, len(messages), size):
        batch = [(envelope_for("fulfillment", m), m, None) for m in messages[start : start + size]]
        outcomes = await desk.deliver_all(batch)
        assert {outcome.result for outcome in outcomes} == {"handled"}
        events += [message for outcome in outcomes for _, message in outcome.emitted]
    return events


async def test_two_processes_and_many_orders_for_one_sku(desks: Desks, fresh_database: FreshDatabase) -> None:
    one, two = await _two(desks, fresh_database)
    shop = a_shop()
    await one.deliver(stock_of(shop, A=70))
    orders: list[Message] = [placed(shop, goods("A", 1 + n % 2)) for n in range(120)]
    texts = await asyncio.gather(
        _deliver_in_batches(one, orders[:60], 7), _deliver_in_batches(two, orders[60:], 11)
    )
    answers = [message for part in texts for message in part]
    assert len(answers) == 120
    reserved = [m for m in answers if isinstance(m, StockReserved)]
    promised = sum(line.ordered for m in reserved for line in m.position.lines)
    assert await level_of(one, shop, "A") == (70, promised)
    assert promised in (69, 70)
    assert len(reserved) + sum(isinstance(m, StockRejected) for m in answers) == 120
    await assert_counts_agree(one)


async def test_opposite_skus_counts_and_retries_never_deadlock_nor_leave_an_order_behind(
    desks: Desks, fresh_database: FreshDatabase
) -> None:
    one, two = await _two(desks, fresh_database)
    shop, chance = a_shop(), random.Random(7)
    skus = ["A", "B", "C", "D"]

    def some_orders() -> list[Message]:
        return [placed(shop, *(goods(sku) for sku in chance.sample(skus, 3))) for _ in range(40)]

    def some_counts() -> list[Message]:
        return [stock_of(shop, **dict.fromkeys(chance.sample(skus, 2), 200)) for _ in range(6)]

    mixed = [chance.sample([*some_orders(), *some_counts()], 46) for _ in range(2)]
    await asyncio.gather(_deliver_in_batches(one, mixed[0], 4), _deliver_in_batches(two, mixed[1], 3))
    await one.deliver(stock_of(shop, A=201, B=201, C=201, D=201))
    assert await one.fetchval("SELECT count(*) FROM fulfilment_order WHERE stock <> 'reserved'") == 0
    assert await one.fetchval("SELECT sum(reserved) FROM stock_level") == 240
    await assert_counts_agree(one)


async def test_no_order_is_missed_by_a_count_that_runs_beside_it(
    desks: Desks, fresh_database: FreshDatabase
) -> None:
    """Every round an order and the count that could serve it race; either way the order is served."""
    one, two = await _two(desks, fresh_database)
    shop = a_shop()
    for _ in range(25):
        sku = f"S{uuid7().hex}"
        await asyncio.gather(one.deliver(placed(shop, goods(sku))), two.deliver(stock_of(shop, **{sku: 1})))
        assert await level_of(one, shop, sku) == (1, 1)
    await assert_counts_agree(one)


async def test_two_people_pack_the_last_unit(desks: Desks, fresh_database: FreshDatabase) -> None:
    one, two = await _two(desks, fresh_database)
    shop = a_shop()
    await one.deliver(stock_of(shop, A=50))
    for _ in range(10):
        order = placed(shop, goods("A"))
        await one.deliver(order)
        outcomes = await asyncio.gather(one.deliver(pack(order, {1: 1})), two.deliver(pack(order, {1: 1})))
        events = sorted(type(message).__name__ for outcome in outcomes for _, message in outcome.emitted)
        assert events == ["CommandRejected", "ParcelPacked"]
    assert await one.fetchval("SELECT max(packed) FROM order_line") == 1


async def test_two_shipments_of_one_order_leave_at_once(desks: Desks, fresh_database: FreshDatabase) -> None:
    one, two = await _two(desks, fresh_database)
    shop = a_shop()
    await one.deliver(stock_of(shop, A=40))
    for _ in range(10):
        order = placed(shop, goods("A", 2))
        parcels = [pack(order, {1: 1}), pack(order, {1: 1})]
        for message in (order, *parcels):
            await one.deliver(message)
        shipments = [dispatch(order, [parcel.parcel_id]) for parcel in parcels]
        await asyncio.gather(one.deliver(shipments[0]), two.deliver(shipments[1]))
    query = "SELECT DISTINCT shipped, version, sequence FROM order_line JOIN fulfilment_order USING (shop, order_id)"
    assert [tuple(row) for row in await one.fetch(query)] == [(2, 6, 5)]
    assert await level_of(one, shop, "A") == (20, 0)
    await assert_counts_agree(one)
