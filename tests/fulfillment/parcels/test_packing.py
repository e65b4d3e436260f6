"""Parcels take units that are left, once, and only with stock behind them."""

from contracts.envelope import uuid7
from contracts.fulfillment.parcels import ParcelPacked
from contracts.service import CommandDone, CommandRejected
from tests.builders.shipments import pack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, stock_of, ticket
from tests.fulfillment.patience import run_out_of_patience


async def test_a_parcel_takes_units_and_gets_a_number(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 3), goods("A", 2))
    await desk.deliver(order)
    first = await desk.deliver(pack(order, {2: 1, 1: 2}, weight_grams=640))
    (event,) = first.messages_of(ParcelPacked)
    assert (event.number, event.weight_grams, event.packed_by) == (1, 640, "staff:zoe")
    assert [(part.line, part.quantity) for part in event.lines] == [(1, 2), (2, 1)]
    assert [line.packed for line in event.position.lines] == [2, 1]
    assert first.emitted[0][0].causation_id == first.envelope.id
    (second,) = (await desk.deliver(pack(order, {1: 1, 2: 1}))).messages_of(ParcelPacked)
    assert (second.number, second.position.version) == (2, event.position.version + 1)


async def test_the_same_parcel_again_is_done_and_another_of_its_id_refused(desks: Desks) -> None:
    desk, shop, parcel_id = await desks("fulfillment"), a_shop(), uuid7()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 3))
    await desk.deliver(order)
    await desk.deliver(pack(order, {1: 2}, parcel_id))
    assert (await desk.deliver(pack(order, {1: 2}, parcel_id))).messages_of(CommandDone)
    for other in (pack(order, {1: 1}, parcel_id), pack(order, {1: 2}, parcel_id, weight_grams=3)):
        (answer,) = (await desk.deliver(other)).messages_of(CommandRejected)
        assert [reason.code for reason in answer.reasons] == ["parcel_id_taken"]
        assert "2 of line 1" in answer.reasons[0].message
    assert await desk.fetchval("SELECT packed FROM order_line") == 2


async def test_a_quantity_above_what_is_left_changes_nothing(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 2), ticket())
    await desk.deliver(order)
    outcome = await desk.deliver(pack(order, {1: 3, 2: 1, 8: 1}))
    (answer,) = outcome.messages_of(CommandRejected)
    assert [reason.code for reason in answer.reasons] == [
        "quantity_above_left",
        "not_shippable",
        "unknown_line",
    ]
    assert "3 to pack, 2 left to pack" in answer.reasons[0].message
    assert (answer.command_id, answer.order_id) == (outcome.envelope.id, order.order_id)
    assert await desk.fetchval("SELECT max(packed) FROM order_line") == 0
    assert await desk.fetchval("SELECT version FROM fulfilment_order") == 2


async def test_nothing_is_packed_while_stock_is_missing(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A"))
    await desk.deliver(order)
    (answer,) = (await desk.deliver(pack(order, {1: 1}))).messages_of(CommandRejected)
    assert [reason.code for reason in answer.reasons] == ["stock_missing"]


async def test_a_parcel_before_its_order_waits_for_it(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A"))
    early = await desk.deliver(pack(order, {1: 1}))
    assert (early.result, early.emitted) == ("waiting", [])
    await desk.deliver(order)
    assert [type(message) for _, message in await desk.retry()] == [ParcelPacked]


async def test_an_order_that_never_comes_is_reported_after_a_minute(desks: Desks) -> None:
    desk = await desks("fulfillment")
    command = pack(placed(a_shop(), goods("A")), {1: 1})
    outcome = await desk.deliver(command)
    assert outcome.result == "waiting"
    assert await desk.retry() == []
    ((envelope, answer),) = await run_out_of_patience(desk)
    assert isinstance(answer, CommandRejected)
    assert [reason.code for reason in answer.reasons] == ["unknown_order"]
    assert (answer.command_id, envelope.causation_id) == (outcome.envelope.id, outcome.envelope.id)
