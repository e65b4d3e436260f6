"""A shipment reaches its customer once, with the proof of it."""

from datetime import timedelta

from contracts.envelope import uuid7
from contracts.fulfillment.shipments import DeliveryRecorded, ProofKind
from contracts.orders.lifecycle import OrderPlaced
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk
from tests.builders.shipments import deliver, dispatch, pack
from tests.conftest import Desks
from tests.fulfillment.builders import PLACED_AT, a_shop, goods, placed, stock_of
from tests.fulfillment.patience import run_out_of_patience


async def _packed(desk: Desk, units: int = 2) -> tuple[OrderPlaced, list[object]]:
    shop = a_shop()
    await desk.deliver(stock_of(shop, A=5))
    order = placed(shop, goods("A", units))
    parcels = [pack(order, {1: 1}) for _ in range(units)]
    for message in (order, *parcels):
        await desk.deliver(message)
    return order, [parcel.parcel_id for parcel in parcels]


async def test_a_delivery_moves_the_units_of_its_shipment_only(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel_ids = await _packed(desk)
    shipments = [dispatch(order, [parcel_id]) for parcel_id in parcel_ids]  # type: ignore[list-item]
    for shipment in shipments:
        await desk.deliver(shipment)
    outcome = await desk.deliver(deliver(order, shipments[0].shipment_id))
    (event,) = outcome.messages_of(DeliveryRecorded)
    assert (event.parcel_ids, event.proof, event.proof_reference) == (
        [parcel_ids[0]],
        ProofKind.SIGNATURE,
        "S-77",
    )
    assert event.delivered_at == PLACED_AT + timedelta(days=2)
    assert [(line.shipped, line.delivered) for line in event.position.lines] == [(2, 1)]
    assert outcome.emitted[0][0].causation_id == outcome.envelope.id


async def test_the_same_delivery_again_is_done_and_another_refused(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel_ids = await _packed(desk, 1)
    shipment = dispatch(order, parcel_ids)  # type: ignore[arg-type]
    await desk.deliver(shipment)
    await desk.deliver(deliver(order, shipment.shipment_id))
    assert (await desk.deliver(deliver(order, shipment.shipment_id))).messages_of(CommandDone)
    later = deliver(order, shipment.shipment_id, delivered_at=PLACED_AT + timedelta(days=9))
    (answer,) = (await desk.deliver(later)).messages_of(CommandRejected)
    assert [reason.code for reason in answer.reasons] == ["already_delivered"]
    assert "2026-11-22" in answer.reasons[0].message
    assert "2026-11-29" in answer.reasons[0].message
    assert await desk.fetchval("SELECT delivered FROM order_line") == 1


async def test_a_delivery_before_its_shipment_waits_for_it(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel_ids = await _packed(desk, 1)
    shipment = dispatch(order, parcel_ids)  # type: ignore[arg-type]
    assert (await desk.deliver(deliver(order, shipment.shipment_id))).result == "waiting"
    await desk.deliver(shipment)
    assert [type(message) for _, message in await desk.retry()] == [DeliveryRecorded]


async def test_an_unknown_shipment_is_reported_after_a_minute(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order = placed(a_shop(), goods("A"))
    assert (await desk.deliver(deliver(order, uuid7()))).result == "waiting"
    ((_, answer),) = await run_out_of_patience(desk)
    assert isinstance(answer, CommandRejected)
    assert [reason.code for reason in answer.reasons] == ["unknown_shipment"]
