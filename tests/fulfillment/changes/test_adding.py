"""Only what stock stands behind is added; cancelled units that are wanted again ask for stock like any other."""

from contracts.envelope import uuid7
from contracts.fulfillment.lines import LinesAdded, LinesReduced
from contracts.fulfillment.parcels import ParcelPacked
from contracts.fulfillment.position import StockStanding
from contracts.fulfillment.stock import StockReserved
from contracts.orders.changes import ChangeCause
from services.chassis.testing import envelope_for
from tests.builders.shipments import pack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, add, goods, placed, reduce, stock_of, ticket
from tests.fulfillment.counting import assert_counts_agree, level_of


async def test_units_and_new_lines_are_added_and_reserved(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5, B=5))
    order = placed(shop, goods("A", 2))
    await desk.deliver(order)
    request = add(order, {1: goods("A", 1), 2: goods("B", 4), 3: ticket(2)})
    (answer,) = (await desk.deliver(request)).messages_of(LinesAdded)
    assert {part.line: part.quantity for part in answer.added} == {1: 1, 2: 4, 3: 2}
    assert [(line.line, line.ordered) for line in answer.position.lines] == [(1, 3), (2, 4), (3, 2)]
    assert (await level_of(desk, shop, "A"), await level_of(desk, shop, "B")) == ((5, 3), (5, 4))
    assert (await desk.deliver(request)).emitted == []
    assert (await desk.deliver(pack(order, {1: 3, 2: 4}))).messages_of(ParcelPacked)
    await assert_counts_agree(desk)


async def test_a_line_that_is_short_is_left_out_and_reported(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=2, B=5))
    order = placed(shop, goods("A", 2))
    await desk.deliver(order)
    (answer,) = (await desk.deliver(add(order, {1: goods("A", 1), 2: goods("B", 4)}))).messages_of(LinesAdded)
    assert [part.line for part in answer.added] == [2]
    assert [(m.line, m.sku, m.requested, m.available) for m in answer.missing] == [(1, "A", 1, 0)]
    whole = add(order, {1: goods("A", 1), 3: goods("B", 1)}, all_or_nothing=True)
    (answer,) = (await desk.deliver(whole)).messages_of(LinesAdded)
    assert (answer.added, [m.line for m in answer.missing]) == ([], [1])
    await assert_counts_agree(desk)


async def test_an_order_without_goods_gets_its_first(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=2))
    order = placed(shop, ticket())
    await desk.deliver(order)
    (answer,) = (await desk.deliver(add(order, {2: goods("A", 2)}))).messages_of(LinesAdded)
    assert answer.position.stock is StockStanding.RESERVED
    await assert_counts_agree(desk)


async def test_an_order_that_waits_for_stock_waits_for_its_new_units_too(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A", 2))
    await desk.deliver(order)
    (answer,) = (await desk.deliver(add(order, {1: goods("A", 1), 2: goods("B", 1)}))).messages_of(LinesAdded)
    assert (answer.missing, answer.position.stock) == ([], StockStanding.MISSING)
    assert (await desk.deliver(stock_of(shop, A=2, B=1))).messages_of(StockReserved) == []
    assert (await desk.deliver(stock_of(shop, A=3))).messages_of(StockReserved)
    await assert_counts_agree(desk)


async def test_cancelled_units_are_wanted_again_when_there_is_stock(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=3))
    order = placed(shop, goods("A", 3), ticket())
    for message in (order, reduce(order, {1: 3, 2: 1})):
        await desk.deliver(message)
    again = {1: goods("A", 3), 2: ticket()}
    other = placed(shop, goods("A", 1))
    await desk.deliver(other)
    refused = add(order, again, cause=ChangeCause.REINSTATED, all_or_nothing=True)
    (answer,) = (await desk.deliver(refused)).messages_of(LinesAdded)
    assert (answer.added, [(m.line, m.available) for m in answer.missing]) == ([], [(1, 2)])
    await desk.deliver(reduce(other, {1: 1}))
    accepted = add(order, again, cause=ChangeCause.REINSTATED, all_or_nothing=True)
    (answer,) = (await desk.deliver(accepted)).messages_of(LinesAdded)
    assert [(line.ordered, line.cancelled) for line in answer.position.lines] == [(3, 0), (1, 0)]
    assert await level_of(desk, shop, "A") == (3, 3)
    await assert_counts_agree(desk)


async def test_a_reinstatement_before_its_cancellation_waits_for_it(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=3))
    order = placed(shop, goods("A", 3))
    await desk.deliver(order)
    early = await desk.deliver(add(order, {1: goods("A", 3)}, cause=ChangeCause.REINSTATED))
    assert early.result == "waiting"
    await desk.deliver(reduce(order, {1: 3}))
    assert LinesAdded in [type(message) for _, message in await desk.retry()]
    assert await desk.fetchval("SELECT cancelled FROM order_line") == 0
    await assert_counts_agree(desk)


async def test_placed_reduced_and_added_in_one_batch(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=3, B=1))
    order = placed(shop, goods("A", 3), order_id=uuid7())
    messages = [order, reduce(order, {1: 1}), add(order, {2: goods("B", 1)}), pack(order, {1: 2, 2: 1})]
    outcomes = await desk.deliver_all([(envelope_for("fulfillment", m), m, None) for m in messages])
    assert [outcome.result for outcome in outcomes] == ["handled"] * 4
    assert outcomes[1].messages_of(LinesReduced)
    assert outcomes[2].messages_of(LinesAdded)
    assert outcomes[3].messages_of(ParcelPacked)
    await assert_counts_agree(desk)
