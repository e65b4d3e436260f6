"""What left can be corrected: another tracking number, a shipment taken back, a parcel said to be lost."""

from datetime import date
from uuid import UUID

import pytest

from contracts.envelope import uuid7
from contracts.fulfillment.parcels import ParcelPacked
from contracts.fulfillment.position import StockStanding
from contracts.fulfillment.shipments import (
    DeliveryRecorded,
    ParcelLost,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
)
from contracts.fulfillment.stock import StockReserved
from contracts.message import Message
from contracts.orders.lifecycle import OrderPlaced
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk, Outcome, envelope_for
from tests.builders.orders import deleted
from tests.builders.shipments import call_off, correct, deliver, dispatch, lose, pack, unpack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, reduce, stock_at, stock_of
from tests.fulfillment.counting import assert_counts_agree, level_of
from tests.fulfillment.patience import run_out_of_patience


async def _deliver(desk: Desk, *messages: Message) -> Outcome:
    for message in messages:
        outcome = await desk.deliver(message)
    return outcome


async def _shipped(desk: Desk, units: int = 3, on_hand: int = 5) -> tuple[OrderPlaced, UUID, UUID]:
    """An order whose goods all left in one parcel: the order, the parcel, the shipment."""
    order = placed(a_shop(), goods("A", units))
    parcel = pack(order, {1: units})
    left = dispatch(order, [parcel.parcel_id])
    await _deliver(desk, stock_of(order.shop, A=on_hand), order, parcel, left)
    return order, parcel.parcel_id, left.shipment_id


def _codes(outcome: Outcome) -> list[str]:
    return [reason.code for answer in outcome.messages_of(CommandRejected) for reason in answer.reasons]


async def test_a_number_is_corrected_and_the_customer_notified_only_on_request(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel_id, shipment_id = await _shipped(desk)
    outcome = await desk.deliver(correct(order, shipment_id, carrier="Mondial Relay", postal_code="44000"))
    (event,) = outcome.messages_of(ShipmentUpdated)
    assert (event.version, event.notify_customer, event.updated_by) == (2, False, "staff:max")
    assert event.tracking_url == (
        "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition=6A99999999999&codePostal=44000"
    )
    assert (event.parcel_ids, event.dispatched_by) == ([parcel_id], "staff:zoe")
    assert event.position.lines[0].shipped == 3
    again = correct(order, shipment_id, carrier="Mondial Relay", postal_code="44000")
    for nothing in (again, again.model_copy(update={"notify_customer": True})):
        outcome = await desk.deliver(nothing)
        assert (_codes(outcome), outcome.messages_of(ShipmentUpdated)) == (["shipment_unchanged"], [])
    dated = again.model_copy(update={"expected_on": date(2026, 11, 23), "notify_customer": True})
    (message,) = (await desk.deliver(dated)).messages_of(ShipmentUpdated)
    assert (message.version, message.notify_customer) == (3, True)
    removed = correct(order, shipment_id, tracking_number=None)
    (event,) = (await desk.deliver(removed)).messages_of(ShipmentUpdated)
    assert (event.tracking_number, event.tracking_url) == (None, None)
    await assert_counts_agree(desk)


async def test_a_cancelled_shipment_gives_its_parcels_and_stock_back_where_they_were(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A", 4))
    first, second = pack(order, {1: 1}), pack(order, {1: 3})
    one, other = dispatch(order, [first.parcel_id]), dispatch(order, [second.parcel_id])
    await _deliver(
        desk, stock_at(shop, ("A", "main", 2), ("A", "attic", 3)), order, first, second, one, other
    )
    assert (await level_of(desk, shop, "A"), await level_of(desk, shop, "A", "attic")) == ((0, 0), (1, 0))
    (event,) = (await desk.deliver(call_off(order, other.shipment_id, reason="Jamais parti"))).messages_of(
        ShipmentCancelled
    )
    assert (event.version, event.reason, event.position.lines[0].shipped) == (2, "Jamais parti", 1)
    assert (await level_of(desk, shop, "A"), await level_of(desk, shop, "A", "attic")) == ((2, 2), (2, 1))
    assert (await desk.deliver(call_off(order, other.shipment_id))).messages_of(CommandDone)
    for late in (correct(order, other.shipment_id), deliver(order, other.shipment_id)):
        assert _codes(await desk.deliver(late)) == ["shipment_cancelled"]
    await assert_counts_agree(desk)
    (left,) = (await desk.deliver(dispatch(order, [second.parcel_id], carrier="DHL"))).messages_of(
        ShipmentDispatched
    )
    assert left.position.lines[0].shipped == 4
    assert (await level_of(desk, shop, "A"), await level_of(desk, shop, "A", "attic")) == ((0, 0), (1, 0))
    await assert_counts_agree(desk)


async def test_a_parcel_of_a_cancelled_shipment_can_be_taken_apart(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel_id, shipment_id = await _shipped(desk)
    await _deliver(desk, call_off(order, shipment_id), unpack(order, parcel_id))
    (packed,) = (await desk.deliver(pack(order, {1: 3}))).messages_of(ParcelPacked)
    assert packed.position.lines[0].packed == 3
    await assert_counts_agree(desk)


async def test_a_shipment_and_its_correction_in_one_batch_end_as_one_by_one(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order = placed(a_shop(), goods("A", 2))
    parcel = pack(order, {1: 2})
    gone, again = dispatch(order, [parcel.parcel_id]), dispatch(order, [parcel.parcel_id], carrier="DHL")
    await _deliver(desk, stock_of(order.shop, A=2), order, parcel)
    corrected, taken_back = correct(order, gone.shipment_id), call_off(order, gone.shipment_id)
    batch = [(envelope_for("fulfillment", one), one, None) for one in (gone, corrected, taken_back, again)]
    await desk.deliver_all(batch)
    rows = await desk.fetch(
        "SELECT carrier, version, cancelled_at IS NULL AS stands FROM shipment ORDER BY carrier"
    )
    assert [tuple(row) for row in rows] == [("Colissimo", 3, False), ("DHL", 1, True)]
    assert await level_of(desk, order.shop, "A") == (0, 0)
    await assert_counts_agree(desk)


async def test_what_arrived_stays_and_its_number_can_still_be_corrected(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel_id, shipment_id = await _shipped(desk)
    await desk.deliver(deliver(order, shipment_id))
    assert _codes(await desk.deliver(call_off(order, shipment_id))) == ["already_delivered"]
    assert _codes(await desk.deliver(lose(order, parcel_id))) == ["already_delivered"]
    assert (await desk.deliver(correct(order, shipment_id))).messages_of(ShipmentUpdated)
    await assert_counts_agree(desk)


@pytest.mark.parametrize("on_hand", [8, 3])
async def test_a_lost_parcel_is_packed_again_with_stock_of_its_own(desks: Desks, on_hand: int) -> None:
    desk = await desks("fulfillment")
    order, parcel_id, shipment_id = await _shipped(desk, on_hand=on_hand)
    (event,) = (await desk.deliver(lose(order, parcel_id, reason="Enquête"))).messages_of(ParcelLost)
    line = event.position.lines[0]
    assert (line.lost, line.packed, line.shipped) == (3, 3, 3)
    has_stock = on_hand == 8
    assert event.position.stock is (StockStanding.RESERVED if has_stock else StockStanding.MISSING)
    assert (await desk.deliver(lose(order, parcel_id))).messages_of(CommandDone)
    assert _codes(await desk.deliver(deliver(order, shipment_id))) == ["parcels_lost"]
    assert _codes(await desk.deliver(call_off(order, shipment_id))) == ["parcels_lost"]
    if not has_stock:
        assert _codes(await desk.deliver(pack(order, {1: 3}))) == ["stock_missing"]
        outcome = await desk.deliver(stock_of(order.shop, A=4))
        assert [events.position.stock for events in outcome.messages_of(StockReserved)] == [
            StockStanding.RESERVED
        ]
    parcel = pack(order, {1: 3})
    left = dispatch(order, [parcel.parcel_id])
    (arrived,) = (await _deliver(desk, parcel, left, deliver(order, left.shipment_id))).messages_of(
        DeliveryRecorded
    )
    assert arrived.position.lines[0].delivered == 3
    assert await level_of(desk, order.shop, "A") == ((2, 0) if has_stock else (1, 0))
    await assert_counts_agree(desk)


async def test_of_two_parcels_the_other_one_arrives(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A", 3))
    lost, other = pack(order, {1: 1}), pack(order, {1: 2})
    left = dispatch(order, [lost.parcel_id, other.parcel_id])
    await _deliver(desk, stock_of(shop, A=9), order, lost, other, left, lose(order, lost.parcel_id))
    (arrived,) = (await desk.deliver(deliver(order, left.shipment_id))).messages_of(DeliveryRecorded)
    assert (arrived.position.lines[0].delivered, arrived.position.lines[0].lost) == (2, 1)
    await assert_counts_agree(desk)


@pytest.mark.parametrize("on_hand", [9, 5])
async def test_lost_units_can_be_refunded_and_the_packed_ones_still_leave(desks: Desks, on_hand: int) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A", 5))
    lost, here = pack(order, {1: 2}), pack(order, {1: 3})
    gone = dispatch(order, [lost.parcel_id])
    await _deliver(
        desk,
        stock_of(shop, A=on_hand),
        order,
        lost,
        here,
        gone,
        lose(order, lost.parcel_id),
        reduce(order, {1: 2}),
    )
    (left,) = (await desk.deliver(dispatch(order, [here.parcel_id]))).messages_of(ShipmentDispatched)
    assert (left.position.lines[0].cancelled, left.position.lines[0].shipped) == (2, 5)
    assert left.position.stock is StockStanding.RESERVED
    assert await level_of(desk, shop, "A") == (on_hand - 5, 0)
    await assert_counts_agree(desk)


async def test_a_parcel_that_has_not_left_is_not_lost(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order = placed(a_shop(), goods("A", 1))
    parcel = pack(order, {1: 1})
    await _deliver(desk, stock_of(order.shop, A=1), order, parcel)
    outcome = await desk.deliver(lose(order, parcel.parcel_id))
    assert _codes(outcome) == ["parcel_not_shipped"]
    assert "take it apart" in outcome.messages_of(CommandRejected)[0].reasons[0].message


async def test_what_is_not_known_is_waited_for_and_not_for_ever(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order, shipment_id = placed(shop, goods("A", 1)), uuid7()
    parcel = pack(order, {1: 1})
    await _deliver(desk, stock_of(shop, A=1), order, parcel)
    assert (await desk.deliver(correct(order, shipment_id))).result == "waiting"
    await desk.deliver(dispatch(order, [parcel.parcel_id], shipment_id))
    assert [type(message) for _, message in await desk.retry()] == [ShipmentUpdated]
    for command in (call_off(order, uuid7()), correct(order, uuid7()), lose(order, uuid7())):
        assert (await desk.deliver(command)).result == "waiting"
    answers = [message for _, message in await run_out_of_patience(desk)]
    codes = [reason.code for one in answers if isinstance(one, CommandRejected) for reason in one.reasons]
    assert sorted(codes) == ["unknown_parcel", "unknown_shipment", "unknown_shipment"]


async def test_a_tracking_address_goes_with_its_order_for_it_may_hold_a_postal_code(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, _, shipment_id = await _shipped(desk)
    kept, _, _ = await _shipped(desk)
    await desk.deliver(correct(order, shipment_id, carrier="Mondial Relay", postal_code="44000"))
    assert (await desk.deliver(deleted(order))).result == "handled"
    rows = await desk.fetch("SELECT order_id, tracking_number FROM shipment WHERE tracking_url IS NOT NULL")
    assert [row["order_id"] for row in rows] == [kept.order_id]
    assert await desk.fetchval("SELECT count(*) FROM shipment WHERE tracking_number IS NOT NULL") == 2


async def test_nothing_of_a_customer_comes_back_after_the_deletion(desks: Desks) -> None:
    """A command that was on its way when its order was deleted, in a batch of its own or in the same."""
    desk = await desks("fulfillment")
    order, parcel_id, shipment_id = await _shipped(desk)
    late = [
        correct(order, shipment_id, carrier="Mondial Relay", postal_code="44000"),
        deliver(order, shipment_id, proof_reference="É. Faure"),
        lose(order, parcel_id),
        call_off(order, shipment_id),
        pack(order, {1: 1}),
    ]
    before = [(envelope_for("fulfillment", message), message, None) for message in late[:2]]
    deletion = deleted(order)
    outcomes = await desk.deliver_all([*before, (envelope_for("fulfillment", deletion), deletion, None)])
    assert [outcome.result for outcome in outcomes] == ["handled"] * 3
    for command in late:
        (refused,) = (await desk.deliver(command)).messages_of(CommandRejected)
        assert [reason.code for reason in refused.reasons] == ["order_deleted"]
    rows = await desk.fetch("SELECT tracking_url, proof_reference FROM shipment")
    assert [tuple(row) for row in rows] == [(None, None)]
