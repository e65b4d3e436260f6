"""What has not left is stopped, out of its parcel and back on the shelf; what has left stays ordered."""

from contracts.envelope import uuid7
from contracts.fulfillment.lines import LinesReduced
from contracts.fulfillment.parcels import ParcelPacked, ParcelUnpacked
from contracts.fulfillment.position import StockStanding
from contracts.fulfillment.stock import StockReserved
from contracts.service import CommandRejected
from tests.builders.orders import deleted
from tests.builders.shipments import dispatch, pack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, reduce, stock_of, ticket
from tests.fulfillment.counting import assert_counts_agree, level_of


def _units(lines: list[object]) -> dict[int, int]:
    return {part.line: part.quantity for part in lines}  # type: ignore[attr-defined]


async def test_units_in_no_parcel_are_stopped_and_go_back_to_the_shelf(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 3), ticket(2))
    await desk.deliver(order)
    request = reduce(order, {1: 2, 2: 2})
    (answer,) = (await desk.deliver(request)).messages_of(LinesReduced)
    assert (answer.request_id, _units(answer.stopped), answer.left) == (request.request_id, {1: 2, 2: 2}, [])
    assert [(line.ordered, line.cancelled) for line in answer.position.lines] == [(3, 2), (2, 2)]
    assert await level_of(desk, shop, "A") == (5, 1)
    await assert_counts_agree(desk)


async def test_the_same_request_again_changes_nothing(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 3))
    await desk.deliver(order)
    request = reduce(order, {1: 1})
    assert (await desk.deliver(request)).messages_of(LinesReduced)
    assert (await desk.deliver(request)).emitted == []
    assert await desk.fetchval("SELECT cancelled FROM order_line") == 1
    await assert_counts_agree(desk)


async def test_parcels_are_taken_apart_the_latest_first_and_only_as_many_as_needed(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=9))
    order = placed(shop, goods("A", 5))
    parcels = [pack(order, {1: 2}), pack(order, {1: 2})]
    for message in (order, *parcels):
        await desk.deliver(message)
    outcome = await desk.deliver(reduce(order, {1: 2}))
    (unpacked,) = outcome.messages_of(ParcelUnpacked)
    assert (unpacked.parcel_id, unpacked.number) == (parcels[1].parcel_id, 2)
    (answer,) = outcome.messages_of(LinesReduced)
    assert answer.position.version == unpacked.position.version + 1
    assert [(line.cancelled, line.packed) for line in answer.position.lines] == [(2, 2)]
    (again,) = (await desk.deliver(pack(order, {1: 1}))).messages_of(ParcelPacked)
    assert again.number == 3
    late = await desk.deliver(dispatch(order, [parcels[1].parcel_id]))
    assert [reason.code for reason in late.messages_of(CommandRejected)[0].reasons] == ["parcel_unpacked"]
    await assert_counts_agree(desk)


async def test_what_has_left_is_reported_and_stays_ordered(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=4, B=1))
    order = placed(shop, goods("A", 4), goods("B", 1))
    gone, here = pack(order, {1: 2}), pack(order, {1: 1, 2: 1})
    for message in (order, gone, dispatch(order, [gone.parcel_id]), here):
        await desk.deliver(message)
    (answer,) = (await desk.deliver(reduce(order, {1: 4, 2: 1}))).messages_of(LinesReduced)
    assert (_units(answer.stopped), _units(answer.left)) == ({1: 2, 2: 1}, {1: 2})
    assert await level_of(desk, shop, "A") == (2, 0)
    assert await level_of(desk, shop, "B") == (1, 0)
    await assert_counts_agree(desk)


async def test_orders_that_waited_get_the_released_stock_oldest_first(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=3))
    holder = placed(shop, goods("A", 3))
    await desk.deliver(holder)
    older = placed(shop, goods("A", 2), placed_at=holder.placed_at.replace(day=18))
    younger = placed(shop, goods("A", 2), placed_at=holder.placed_at.replace(day=19))
    for message in (younger, older):
        await desk.deliver(message)
    served = (await desk.deliver(reduce(holder, {1: 3}))).messages_of(StockReserved)
    assert [event.order_id for event in served] == [older.order_id]
    await assert_counts_agree(desk)


async def test_an_order_without_stock_that_is_reduced_to_what_there_is_gets_it(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=2))
    order = placed(shop, goods("A", 5))
    await desk.deliver(order)
    outcome = await desk.deliver(reduce(order, {1: 3}))
    assert [type(message) for _, message in outcome.emitted] == [StockReserved, LinesReduced]
    assert outcome.messages_of(LinesReduced)[0].position.stock is StockStanding.RESERVED
    await assert_counts_agree(desk)


async def test_an_order_without_stock_that_is_cancelled_waits_no_more(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A", 5))
    await desk.deliver(order)
    (answer,) = (await desk.deliver(reduce(order, {1: 5}))).messages_of(LinesReduced)
    assert answer.position.stock is StockStanding.NOT_REQUIRED
    assert (await desk.deliver(stock_of(shop, A=9))).messages_of(StockReserved) == []


async def test_a_request_before_its_order_waits_and_both_may_come_in_one_batch(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 3))
    assert (await desk.deliver(reduce(order, {1: 1}, uuid7()))).result == "waiting"
    await desk.deliver(order)
    assert LinesReduced in [type(message) for _, message in await desk.retry()]
    await assert_counts_agree(desk)


async def test_a_deleted_order_is_marked_once_and_keeps_its_movements(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 3))
    for message in (order, reduce(order, {1: 3}), deleted(order), deleted(order)):
        assert (await desk.deliver(message)).result == "handled"
    assert await desk.fetchval("SELECT deleted_at FROM fulfilment_order") == deleted(order).deleted_at
    assert await level_of(desk, shop, "A") == (5, 0)
    await assert_counts_agree(desk)
