"""Deleting leaves a tombstone. Money, a tracking number or completion ask for force; late facts change nothing."""

import json
from datetime import UTC, date, datetime

import pytest

from contracts.envelope import uuid7
from contracts.fulfillment.lines import LinesReduced
from contracts.message import LineUnits, Message
from contracts.orders.changes import LinesReductionRequested, OrderEdited
from contracts.orders.lifecycle import OrderDeleted
from contracts.payments.invoices import InvoiceIssued, InvoiceTotals
from contracts.service import CommandRejected
from contracts.storefront import OrderAccepted, OrderRefused
from services.chassis.testing import envelope_for
from services.orders.changes.changing import ChangeRefused
from tests.conftest import Desks
from tests.orders.builders import Life
from tests.orders.changing_orders import Merchant, a_merchant
from tests.orders.rest_client import place, sale


def life_of(merchant: Merchant) -> Life:
    """What the others may say of the merchant's order."""
    order = merchant.order
    return Life(order.order_id, order.code, 8400, [line.quantity for line in order.lines])


async def test_an_unpaid_order_goes_with_all_its_rows(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    desk, life = merchant.desk, life_of(merchant)
    for message in (life.balance(1), life.mailed("recap")):
        await desk.deliver(message)
    command_id = await merchant.delete()
    assert merchant.messages_of(LinesReductionRequested)
    (deleted,) = (await desk.deliver(await merchant.stopped())).messages_of(OrderDeleted)
    assert (deleted.reason, deleted.code) == ("Commande de test", merchant.order.code)
    for table in ("orders", "order_line", "activity", "mail", "order_edit", "ledger_entry", "state_change"):
        assert await desk.fetchval(f"select count(*) from {table}") == 0, table  # noqa: S608
    assert await desk.fetchval("select count(*) from submission where body::text <> '{}'") == 0
    assert (await merchant.command(command_id))["state"] == "done"
    tombstone = (await desk.fetch("select code, actor, reason from deleted_order"))[0]
    assert tuple(tombstone) == (merchant.order.code, "staff:zoe", "Commande de test")


async def test_what_is_received_later_changes_nothing_and_waits_nowhere(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    desk, life = merchant.desk, life_of(merchant)
    await merchant.delete()
    await desk.deliver(await merchant.stopped())
    refused = CommandRejected(
        shop=life.shop,
        order_id=life.order_id,
        command_id=life.entry_id,
        command_type="orders.parcel.pack.v1",
        reasons=[{"code": "order_deleted", "message": "x"}],
    )
    messages = (life.balance(2, 100), life.settled(100), life.packed(), life.mailed("recap"))
    for message in messages:
        outcome = await desk.deliver(message)
        assert (outcome.result, outcome.emitted) == ("handled", [])
    assert (await desk.deliver(refused, sender="fulfillment")).result == "handled"
    for table in ("orders", "activity", "mail", "parcel", "ledger_entry", "msg.parked"):
        assert await desk.fetchval(f"select count(*) from {table}") == 0, table  # noqa: S608


async def test_the_same_sale_again_is_refused_as_deleted(desks: Desks) -> None:
    desk = await desks("orders")
    sold = sale()
    merchant = Merchant(desk, await place(desk, sold))
    await merchant.delete()
    await desk.deliver(await merchant.stopped())
    outcome = await desk.deliver(sold)
    assert outcome.messages_of(OrderAccepted) == []
    assert [reason.code for reason in outcome.messages_of(OrderRefused)[0].reasons] == ["order_deleted"]


async def test_every_guard_is_named_and_force_goes_past(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    desk, life = merchant.desk, life_of(merchant)
    for message in (life.balance(1, 8400), life.packed(), life.dispatched(), life.delivered()):
        await desk.deliver(message)
    with pytest.raises(ChangeRefused) as refused:
        await merchant.delete()
    assert [reason.code for reason in refused.value.reasons] == [
        "money_moved",
        "order_completed",
        "tracking_number_exists",
    ]
    await merchant.delete(force=True)
    answer = await all_had_left(merchant, life)
    assert (await desk.deliver(answer)).messages_of(OrderDeleted)


async def test_an_invoiced_order_is_not_deleted(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    life = life_of(merchant)
    issued = InvoiceIssued(
        shop=life.shop,
        order_id=life.order_id,
        code=life.code,
        invoice_id=uuid7(),
        number="F2026-00001",
        issued_on=date(2026, 11, 29),
        issued_at=datetime(2026, 11, 29, tzinfo=UTC),
        currency="EUR",
        totals=InvoiceTotals(net_minor=7000, tax_minor=1400, total_minor=8400),
        locale="fr",
        mails_customer=False,
    )
    await merchant.desk.deliver(issued)
    with pytest.raises(ChangeRefused) as refused:
        await merchant.delete()
    assert [reason.code for reason in refused.value.reasons] == ["invoice_issued"]


async def all_had_left(merchant: Merchant, life: Life) -> LinesReduced:
    """Fulfillment's answer to the last question when nothing could be stopped."""
    request = await merchant.last_request()
    return LinesReduced(
        shop=life.shop,
        order_id=life.order_id,
        code=life.code,
        request_id=request.request_id,
        stopped=[],
        left=[LineUnits(line=1, quantity=3), LineUnits(line=2, quantity=1)],
        position=life.position(9, packed=10, shipped=10, delivered=10),
    )


@pytest.mark.parametrize("in_one_batch", [True, False])
async def test_a_correction_that_was_on_its_way_brings_no_tracking_back(
    desks: Desks, in_one_batch: bool
) -> None:
    merchant = await a_merchant(await desks("orders"))
    desk, life = merchant.desk, life_of(merchant)
    for message in (life.balance(1, 8400), life.packed(), life.dispatched(), life.delivered()):
        await desk.deliver(message)
    await merchant.delete(force=True)
    answer = await all_had_left(merchant, life)
    url = {"tracking_url": "https://suivi.example/colis?cp=44000"}
    late: list[Message] = [life.corrected().model_copy(update=url), answer]
    if in_one_batch:
        outcomes = await desk.deliver_all([(envelope_for("orders", one), one, None) for one in late])
        assert [outcome.result for outcome in outcomes] == ["handled", "handled"]
    else:
        assert (await desk.deliver(answer)).messages_of(OrderDeleted)
    outcome = await desk.deliver(life.corrected(version=3).model_copy(update=url))
    assert (outcome.result, outcome.emitted) == ("handled", [])
    assert await desk.fetchval("select count(*) from deleted_order") == 1
    for table in ("shipment", "delivery", "activity", "orders", "msg.parked"):
        assert await desk.fetchval(f"select count(*) from {table}") == 0, table  # noqa: S608


async def test_if_some_had_left_it_is_cancelled_and_the_deletion_rejected(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    command_id = await merchant.delete()
    merchant.ship(1, 1)
    outcome = await merchant.desk.deliver(await merchant.stopped())
    (edited,) = outcome.messages_of(OrderEdited)
    assert (edited.cause, edited.due_change_minor) == ("cancelled", -6400)
    assert outcome.messages_of(OrderDeleted) == []
    command = await merchant.command(command_id)
    assert (command["state"], json.loads(command["outcome"])["reasons"][0]["code"]) == (
        "rejected",
        "already_shipped",
    )


async def test_money_that_came_meanwhile_keeps_the_order(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    command_id = await merchant.delete()
    answer = await merchant.stopped()
    await merchant.desk.deliver(life_of(merchant).balance(1, 8400))
    assert (await merchant.desk.deliver(answer)).messages_of(OrderDeleted) == []
    command = await merchant.command(command_id)
    assert json.loads(command["outcome"])["reasons"][0]["code"] == "money_moved"
    assert await merchant.desk.fetchval("select state from orders") == "cancelled"


async def test_a_cancelled_order_is_deleted_immediately(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders"))
    await merchant.cancel()
    await merchant.desk.deliver(await merchant.stopped())
    await merchant.delete()
    assert merchant.messages_of(OrderDeleted)
    assert await merchant.desk.fetchval("select count(*) from orders") == 0
