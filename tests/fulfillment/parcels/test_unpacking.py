"""A packed parcel is taken apart on request as long as it has not left; its units are to be packed again."""

from contracts.envelope import uuid7
from contracts.fulfillment.parcels import ParcelPacked, ParcelUnpacked
from contracts.message import Message
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk, Outcome
from tests.builders.shipments import dispatch, pack, unpack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, stock_of
from tests.fulfillment.counting import assert_counts_agree
from tests.fulfillment.patience import run_out_of_patience


async def _deliver(desk: Desk, *messages: Message) -> Outcome:
    for message in messages:
        outcome = await desk.deliver(message)
    return outcome


async def test_its_units_are_left_to_pack_again_and_its_number_stays_its_own(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A", 3))
    parcel = pack(order, {1: 2})
    outcome = await _deliver(desk, stock_of(shop, A=5), order, parcel, unpack(order, parcel.parcel_id))
    (event,) = outcome.messages_of(ParcelUnpacked)
    assert (event.parcel_id, event.number, event.unpacked_by) == (parcel.parcel_id, 1, "staff:max")
    assert event.position.lines[0].packed == 0
    assert outcome.emitted[0][0].causation_id == outcome.envelope.id
    (again,) = (await desk.deliver(pack(order, {1: 3}))).messages_of(ParcelPacked)
    assert (again.number, again.position.version) == (2, event.position.version + 1)
    await assert_counts_agree(desk)


async def test_a_second_request_is_done_already(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A", 3))
    parcel = pack(order, {1: 2})
    command = unpack(order, parcel.parcel_id)
    outcome = await _deliver(desk, stock_of(shop, A=5), order, parcel, command, command)
    assert outcome.messages_of(CommandDone)
    assert outcome.messages_of(ParcelUnpacked) == []


async def test_what_left_can_not_be_taken_apart_and_what_is_apart_can_not_leave(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order = placed(shop, goods("A", 3))
    gone, apart = pack(order, {1: 1}), pack(order, {1: 2})
    await _deliver(desk, stock_of(shop, A=5), order, gone, apart, dispatch(order, [gone.parcel_id]))
    (answer,) = (await desk.deliver(unpack(order, gone.parcel_id))).messages_of(CommandRejected)
    assert [reason.code for reason in answer.reasons] == ["parcel_already_shipped"]
    assert "left on 2026-11-21 with Colissimo" in answer.reasons[0].message
    outcome = await _deliver(desk, unpack(order, apart.parcel_id), dispatch(order, [apart.parcel_id]))
    assert [reason.code for reason in outcome.messages_of(CommandRejected)[0].reasons] == ["parcel_unpacked"]
    await assert_counts_agree(desk)


async def test_a_request_waits_for_its_parcel_and_not_for_ever(desks: Desks) -> None:
    desk, shop = await desks("fulfillment"), a_shop()
    order, parcel_id = placed(shop, goods("A", 3)), uuid7()
    await _deliver(desk, stock_of(shop, A=5), order)
    assert (await desk.deliver(unpack(order, parcel_id))).result == "waiting"
    await desk.deliver(pack(order, {1: 2}, parcel_id))
    assert [type(message) for _, message in await desk.retry()] == [ParcelUnpacked]
    await desk.deliver(unpack(order, uuid7()))
    ((_, answer),) = await run_out_of_patience(desk)
    assert isinstance(answer, CommandRejected)
    assert [reason.code for reason in answer.reasons] == ["unknown_parcel"]
