"""What fulfillment says of an order's goods, and what the order becomes by it."""

import json
from itertools import permutations

import pytest

from contracts.fulfillment.position import StockStanding
from contracts.fulfillment.stock import MissingStock, StockRejected
from contracts.orders.lifecycle import OrderStateChanged
from services.chassis.testing import envelope_for
from tests.conftest import Desks
from tests.orders.builders import a_life
from tests.orders.projections.test_paying import the_order


async def test_packed_shipped_delivered(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.balance(2, received=life.total))
    seen = []
    for fact in (life.reserved(), life.packed(), life.dispatched(), life.delivered()):
        outcome = await desk.deliver(fact)
        assert outcome.result == "handled"
        seen.append(await the_order(desk, "state", "fulfilment_status", "units_to_pack", "units_to_ship"))
    assert seen == [
        ("ready", "unfulfilled", 3, 0),
        ("ready", "packed", 0, 3),
        ("processing", "shipped", 0, 0),
        ("completed", "delivered", 0, 0),
    ]
    (parcel,) = await desk.fetch("SELECT * FROM parcel")
    (shipment,) = await desk.fetch("SELECT * FROM shipment")
    (delivery,) = await desk.fetch("SELECT * FROM delivery")
    assert json.loads(parcel["lines"]) == [{"line": 1, "quantity": 2}, {"line": 2, "quantity": 1}]
    assert shipment["parcel_ids"] == delivery["parcel_ids"] == [life.parcel_id]
    assert (shipment["tracking_number"], delivery["proof"]) == ("6A1234567890", "signature")
    positions = json.loads(await desk.fetchval("SELECT line_positions FROM orders"))
    assert [line["delivered"] for line in positions] == [2, 1]


async def test_a_delivery_received_before_its_shipment_ends_the_same(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.balance(2, received=life.total))
    for fact in (life.delivered(), life.packed(), life.dispatched(), life.reserved()):
        assert (await desk.deliver(fact)).result == "handled"
    assert await the_order(desk, "state", "fulfilment_status", "fulfilment_version") == (
        "completed",
        "delivered",
        4,
    )
    assert (
        await desk.fetchval("SELECT count(*) FROM shipment JOIN delivery USING (shop, order_id, shipment_id)")
        == 1
    )


async def test_missing_stock_is_a_flag_until_it_comes(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    missing = life.position(1).model_copy(update={"stock": StockStanding.MISSING})
    short = MissingStock(sku="MUG-BLEU", requested=2, available=1)
    rejected = StockRejected(
        shop=life.shop, order_id=life.order_id, code=life.code, missing=[short], position=missing
    )
    await desk.deliver(rejected)
    assert await the_order(desk, "flags", "stock") == (["stock_missing"], "missing")
    (note,) = await desk.fetch("SELECT data, actor FROM activity WHERE kind = 'stock_rejected'")
    assert json.loads(note["data"]) == {"missing": [{"sku": "MUG-BLEU", "requested": 2, "available": 1}]}
    reserved = life.reserved().model_copy(update={"position": life.position(2)})
    await desk.deliver(reserved)
    assert await the_order(desk, "flags", "stock") == ([], "reserved")


async def test_work_before_payment_makes_it_ready_and_shows_what_is_to_collect(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    outcome = await desk.deliver(life.packed())
    assert [message.state for message in outcome.messages_of(OrderStateChanged)] == ["ready"]
    assert await the_order(desk, "flags", "payment_status") == (["to_collect"], "unpaid")


async def test_delivered_but_unpaid_is_not_completed(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.delivered())
    assert await the_order(desk, "state") == ("processing",)
    outcome = await desk.deliver(life.balance(2, received=life.total))
    assert [message.state for message in outcome.messages_of(OrderStateChanged)] == ["completed"]


async def test_facts_of_an_unknown_order_wait_for_it(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.hub.pool.execute("DELETE FROM orders")
    for fact in (life.reserved(), life.packed(), life.dispatched(), life.delivered(), life.settled()):
        outcome = await desk.deliver(fact)
        assert (outcome.result, outcome.detail.split(":")[0]) == ("waiting", "order_unknown")
    assert await desk.fetchval("SELECT count(*) FROM parcel") == 0


@pytest.mark.parametrize("sequence", list(permutations(range(4))), ids=str)
async def test_corrections_end_the_same_in_whatever_sequence_they_are_received(
    desks: Desks, sequence: tuple[int, ...]
) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.packed())
    facts = [life.dispatched(), life.corrected(2), life.corrected(3, "UPS", "1Z9"), life.taken_back(4, "UPS")]
    for index in sequence:
        assert (await desk.deliver(facts[index])).result == "handled"
    (row,) = await desk.fetch(
        "SELECT carrier, tracking_number, version, cancelled_by, dispatched_by, cancel_reason FROM shipment"
    )
    assert tuple(row) == ("UPS", None, 4, "staff:zoe", "api:erp", "Jamais parti")
    assert await desk.fetchval("SELECT carriers FROM orders") == []
    shown = await desk.fetchval("SELECT ship_shipped FROM orders")
    assert (shown, await desk.fetchval("SELECT state FROM orders")) == (0, "ready")
    kinds = await desk.fetch("SELECT kind FROM activity WHERE kind LIKE 'shipment%' ORDER BY kind")
    assert [row["kind"] for row in kinds] == [
        "shipment_cancelled",
        "shipment_dispatched",
        "shipment_updated",
        "shipment_updated",
    ]


async def test_a_corrected_carrier_replaces_the_old_one_also_in_one_batch(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.packed())
    batch = [(envelope_for("orders", one), one, None) for one in (life.corrected(), life.dispatched())]
    await desk.deliver_all(batch)
    assert await desk.fetchval("SELECT carriers FROM orders") == ["DHL"]
    assert await desk.fetchval("SELECT tracking_number FROM shipment") == "JD01"
    await desk.deliver(life.corrected(3, number=None))
    assert await desk.fetchval("SELECT tracking_number FROM shipment") is None


async def test_a_lost_parcel_is_to_be_packed_again_and_may_be_received_first(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    for fact in (life.lost(), life.dispatched(), life.packed(), life.lost()):
        await desk.deliver(fact)
    row = await desk.fetch("SELECT lost_by, lost_reason FROM lost_parcel")
    assert [tuple(one) for one in row] == [("staff:zoe", "Enquête close")]
    assert await desk.fetchval("SELECT units_to_pack FROM orders") == sum(life.quantities)
    assert await desk.fetchval("SELECT units_to_ship FROM orders") == 0
