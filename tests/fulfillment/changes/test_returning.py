"""Refunded units: not yet gone they are cancelled, gone and ticked they are on the shelf again; each once."""

from datetime import UTC, datetime
from typing import Any

from contracts.envelope import uuid7
from contracts.fulfillment.stock import StockReserved, StockRestocked
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.refunds import (
    Refund,
    RefundCause,
    RefundLine,
    RefundMarked,
    RefundMode,
    RefundSent,
    RefundState,
)
from tests.builders.shipments import dispatch, pack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, stock_of
from tests.fulfillment.counting import assert_counts_agree, level_of


def refunded(
    order: OrderPlaced, units: dict[int, int], *restock: int, word: Any = RefundMarked, **more: Any
) -> Any:
    """A word about a refund of units; those of the lines in `restock` are ticked."""
    lines = [RefundLine(line=line, quantity=q, restock=line in restock) for line, q in units.items()]
    values: dict[str, Any] = {
        "refund_id": uuid7(),
        "version": 3,
        "mode": RefundMode.RECORDED,
        "state": RefundState.MARKED,
        "amount_minor": 100,
        "currency": "EUR",
        "lines": lines,
        "cause": RefundCause.CREDIT,
        "actor": "marie",
        "asked_at": datetime(2026, 11, 22, tzinfo=UTC),
        **more,
    }
    return word(shop=order.shop, order_id=order.order_id, code=order.code, refund=Refund(**values))


def units(lines: list[Any]) -> dict[int, int]:
    return {part.line: part.quantity for part in lines}


async def test_units_that_have_not_left_are_cancelled_and_serve_who_waits(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=3))
    order, waiting = placed(shop, goods("A", 3)), placed(shop, goods("A", 2))
    for one in (order, waiting):
        await desk.deliver(one)
    outcome = await desk.deliver(refunded(order, {1: 2}, 1))
    (message,) = outcome.messages_of(StockRestocked)
    assert (units(message.cancelled), message.restocked) == ({1: 2}, [])
    assert [event.order_id for event in outcome.messages_of(StockReserved)] == [waiting.order_id]
    assert await level_of(desk, shop, "A") == (3, 3)
    await assert_counts_agree(desk)


async def test_ticked_units_that_had_left_are_restocked_once_whatever_is_answered(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=4, B=2))
    order = placed(shop, goods("A", 2), goods("B", 2))
    parcel = pack(order, {1: 2, 2: 2})
    for message in (order, parcel, dispatch(order, [parcel.parcel_id])):
        await desk.deliver(message)
    first = refunded(order, {1: 1, 2: 2}, 1)
    (event,) = (await desk.deliver(first)).messages_of(StockRestocked)
    assert (event.cancelled, units(event.restocked)) == ([], {1: 1})
    assert (await desk.deliver(first)).emitted == []
    as_sent = RefundSent.model_validate(first.model_dump())
    assert (await desk.deliver(as_sent)).emitted == []
    (second,) = (await desk.deliver(refunded(order, {1: 2}, 1))).messages_of(StockRestocked)
    assert units(second.restocked) == {1: 1}
    assert await level_of(desk, shop, "A") == (4, 0)
    assert await level_of(desk, shop, "B") == (0, 0)
    await assert_counts_agree(desk)


async def test_money_paid_twice_leaves_the_order_as_it_is(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=3))
    order = placed(shop, goods("A", 3))
    await desk.deliver(order)
    await desk.deliver(refunded(order, {1: 2}, 1, cause=RefundCause.OVERPAID))
    assert await desk.fetchval("SELECT cancelled FROM order_line") == 0
    assert (await desk.deliver(refunded(order, {}))).emitted == []
    await assert_counts_agree(desk)


async def test_a_refund_may_come_before_its_order(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=3))
    order = placed(shop, goods("A", 3))
    assert (await desk.deliver(refunded(order, {1: 1}))).result == "waiting"
    await desk.deliver(order)
    assert await level_of(desk, shop, "A") == (3, 3)
