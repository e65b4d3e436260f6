"""Packed parcels leave once, and their units leave the stock with them."""

from datetime import date

from contracts.envelope import uuid7
from contracts.fulfillment.shipments import ShipmentDispatched
from contracts.service import CommandDone, CommandRejected
from tests.builders.shipments import dispatch, pack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, stock_at, stock_of
from tests.fulfillment.counting import assert_counts_agree, level_of
from tests.fulfillment.patience import run_out_of_patience


async def test_units_leave_the_stock_with_the_shipment(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5, B=2))
    order = placed(shop, goods("A", 3), goods("B", 2))
    await desk.deliver(order)
    parcels = [pack(order, {1: 1, 2: 2}), pack(order, {1: 1})]
    for parcel in parcels:
        await desk.deliver(parcel)
    ids = [parcel.parcel_id for parcel in parcels]
    outcome = await desk.deliver(
        dispatch(
            order,
            ids,
            notify_customer=True,
            expected_on=date(2026, 11, 24),
            cost_minor=690,
            cost_currency="EUR",
        )
    )
    (event,) = outcome.messages_of(ShipmentDispatched)
    assert [(part.line, part.quantity) for part in event.lines] == [(1, 2), (2, 2)]
    assert event.parcel_ids == sorted(ids)
    assert event.tracking_url == "https://www.laposte.fr/outils/suivre-vos-envois?code=6A12345678901"
    assert (event.notify_customer, event.expected_on) == (True, date(2026, 11, 24))
    assert [(line.packed, line.shipped) for line in event.position.lines] == [(2, 2), (2, 2)]
    assert event.position.version == 5
    assert await level_of(desk, shop, "A") == (3, 1)
    assert await level_of(desk, shop, "B") == (0, 0)
    await assert_counts_agree(desk)


async def test_the_same_shipment_again_is_done_and_another_of_its_id_refused(desks: Desks) -> None:
    desk, shop, shipment_id = await desks("fulfillment"), a_shop(), uuid7()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 2))
    parcels = [pack(order, {1: 1}), pack(order, {1: 1})]
    for message in (order, *parcels):
        await desk.deliver(message)
    ids = [parcel.parcel_id for parcel in parcels]
    await desk.deliver(dispatch(order, ids[:1], shipment_id))
    assert (await desk.deliver(dispatch(order, ids[:1], shipment_id))).messages_of(CommandDone)
    for other in (dispatch(order, ids, shipment_id), dispatch(order, ids[:1], shipment_id, carrier="UPS")):
        (answer,) = (await desk.deliver(other)).messages_of(CommandRejected)
        assert [reason.code for reason in answer.reasons] == ["shipment_id_taken"]
    assert await level_of(desk, shop, "A") == (4, 1)


async def test_a_parcel_that_left_cannot_leave_again(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 2))
    parcel = pack(order, {1: 2})
    left = dispatch(order, [parcel.parcel_id])
    for message in (order, parcel, left):
        await desk.deliver(message)
    (answer,) = (await desk.deliver(dispatch(order, [parcel.parcel_id]))).messages_of(CommandRejected)
    assert [reason.code for reason in answer.reasons] == ["parcel_already_shipped"]
    assert str(left.shipment_id) in answer.reasons[0].message
    assert await level_of(desk, shop, "A") == (3, 0)


async def test_a_shipment_before_its_parcels_waits_for_each(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 2))
    parcels = [pack(order, {1: 1}), pack(order, {1: 1})]
    early = await desk.deliver(dispatch(order, [parcel.parcel_id for parcel in parcels]))
    assert early.result == "waiting"
    for message in (order, parcels[0]):
        await desk.deliver(message)
        assert await desk.retry() == []
    await desk.deliver(parcels[1])
    assert [type(message) for _, message in await desk.retry()] == [ShipmentDispatched]
    await assert_counts_agree(desk)


async def test_an_unknown_parcel_is_reported_after_a_minute(desks: Desks) -> None:
    desk, shop, parcel_id = await desks("fulfillment"), a_shop(), uuid7()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", 2))
    await desk.deliver(order)
    assert (await desk.deliver(dispatch(order, [parcel_id]))).result == "waiting"
    assert (await desk.deliver(dispatch(placed(shop, goods("A")), [parcel_id]))).result == "waiting"
    answers = [message for _, message in await run_out_of_patience(desk)]
    assert [reason.code for a in answers if isinstance(a, CommandRejected) for reason in a.reasons] == [
        "unknown_parcel",
        "unknown_parcel",
    ]
    assert await desk.fetchval("SELECT count(*) FROM msg.parked WHERE state IN ('waiting', 'dead')") == 0


async def test_units_reserved_at_two_places_leave_from_both(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    await desk.deliver(stock_at(shop, ("A", "main", 2), ("A", "attic", 3)))
    order = placed(shop, goods("A", 4))
    parcel = pack(order, {1: 3})
    for message in (order, parcel, dispatch(order, [parcel.parcel_id])):
        await desk.deliver(message)
    levels = [await level_of(desk, shop, "A", place) for place in ("main", "attic")]
    assert sum(on_hand for on_hand, _ in filter(None, levels)) == 2
    assert sum(reserved for _, reserved in filter(None, levels)) == 1
    await assert_counts_agree(desk)
