"""The ends of an order: a cancellation taken back; a deletion that takes its code and a reason and spares the books."""

import pytest

from contracts.envelope import uuid7
from contracts.fulfillment.stock import StockRestocked
from contracts.message import LineUnits
from contracts.orders.changes import OrderEdited
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Backoffice
from tests.backoffice.ledger_messages import receive
from tests.orders.changing_orders import Merchant
from tests.orders.rest_client import place, sale

HOSTILE = "<script>alert(1)</script>\"'" + "W" * 200


async def _merchant(backoffice: Backoffice) -> Merchant:
    return Merchant(backoffice.desk, await place(backoffice.desk, sale()))


@pytest.mark.rows("B13")
async def test_a_cancelled_order_is_reinstated_after_a_look(backoffice: Backoffice) -> None:
    merchant, browser = await _merchant(backoffice), await backoffice.signed_in(Role.MANAGER)
    page, path = f"/orders/{merchant.order.code}", f"/orders/{merchant.order.code}/reinstatement"
    assert path not in (await browser.get(page)).text
    assert (await browser.get(path)).status == 303
    await merchant.cancel()
    busy = await browser.get(f"{page}/cancellation")
    assert "Another change to this order is still in progress." in busy.words
    await backoffice.desk.deliver(await merchant.stopped(), sender="fulfillment")
    shown = await browser.get(page)
    assert path in shown.text
    assert f"{page}/edit" not in shown.text
    preview = await browser.get(path)
    assert "Additional amount due: €84.00" in preview.words
    assert "3 × Bougie" in preview.words
    fields = {**dict(preview.form(path).fields), "reason": HOSTILE}
    for _ in range(2):
        assert (await browser.post(path, fields)).status == 202
    await backoffice.desk.deliver(await merchant.added(missing={1: 0}), sender="fulfillment")
    refused = await browser.post(path, fields)
    assert (refused.status, "There is not enough stock." in refused.words) == (422, True)
    again = {**dict(refused.form(path).fields)}
    assert (again["reason"], again["key"] != fields["key"]) == (HOSTILE, True)
    assert (await browser.post(path, again)).status == 202
    await backoffice.desk.deliver(await merchant.added(), sender="fulfillment")
    assert (await browser.post(path, again)).status == 303
    shown = await browser.get(page)
    assert "Order reinstated." in shown.words
    assert f"{page}/edit" in shown.text
    packer = await backoffice.signed_in(Role.FULFILMENT)
    assert (await packer.post(path, {"key": "key-12345678"})).status == 403


@pytest.mark.parametrize("is_ticked", [True, False])
async def test_a_cancellation_notifies_the_customer_only_if_that_is_ticked(
    backoffice: Backoffice, is_ticked: bool
) -> None:
    merchant, browser = await _merchant(backoffice), await backoffice.signed_in(Role.MANAGER)
    path = f"/orders/{merchant.order.code}/cancellation"
    form = (await browser.get(path)).form(path)
    assert "notify_customer" not in dict(form.fields), "nobody is told by accident"
    typed = {**dict(form.fields), "public_comment": HOSTILE, "reason": "Rupture"}
    typed |= {"notify_customer": "on"} if is_ticked else {}
    shown = await browser.post(f"{path[: -len('cancellation')]}cancellation-mail", typed)
    assert (shown.status, dict(shown.form(path).fields)["public_comment"]) == (200, HOSTILE)
    assert (await browser.post(path, typed)).status == 202
    outcome = await backoffice.desk.deliver(await merchant.stopped(), sender="fulfillment")
    (edited,) = outcome.messages_of(OrderEdited)
    assert edited.notify_customer is is_ticked
    assert edited.public_comment == (HOSTILE if is_ticked else None)


@pytest.mark.rows("A12")
async def test_a_deletion_takes_the_code_and_ends_on_the_list_however_often_it_is_sent(
    backoffice: Backoffice,
) -> None:
    merchant, browser = await _merchant(backoffice), await backoffice.signed_in(Role.MANAGER)
    path = f"/orders/{merchant.order.code}/deletion"
    shown = await browser.get(path)
    fields = {**dict(shown.form(path).fields), "reason": HOSTILE}
    refused = await browser.post(path, {**fields, "code": "AAAA-AAAA"})
    assert (refused.status, "Enter the code of this order" in refused.words) == (422, True)
    assert dict(refused.form(path).fields)["reason"] == HOSTILE
    fields["code"] = merchant.order.code.lower()
    assert (await browser.post(path, {**fields, "reason": " "})).status == 422
    waiting = await browser.post(path, fields)
    assert waiting.status == 202
    await backoffice.desk.deliver(await merchant.stopped(), sender="fulfillment")
    for _ in range(2):
        done = await browser.post(path, dict(waiting.form(path).fields))
        assert (done.status, done.headers["location"]) == (303, "/orders")
    assert f"Order {merchant.order.code} deleted." in (await browser.get("/orders")).words
    assert (await browser.get(f"/orders/{merchant.order.code}")).status == 404
    assert (await browser.post(path, {**fields, "key": "another-key-1"})).status == 404


@pytest.mark.rows("A12")
async def test_an_order_with_money_goes_only_by_a_right_of_its_own(backoffice: Backoffice) -> None:
    merchant = await _merchant(backoffice)
    await receive(backoffice.desk, merchant.order)
    path = f"/orders/{merchant.order.code}/deletion"
    manager, owner = await backoffice.signed_in(Role.MANAGER), await backoffice.signed_in()
    shown = await manager.get(path)
    assert "cancel and refund it instead" in shown.words
    assert path not in [form.action for form in shown.forms]
    ours = await owner.get(path)
    fields = {**dict(ours.form(path).fields), "reason": "Essai", "code": merchant.order.code}
    assert (await owner.post(path, fields)).status == 422
    assert (await manager.post(path, {**fields, "force": "on"})).status == 422
    assert await backoffice.desk.fetchval("select count(*) from command") == 0
    assert (await owner.post(path, {**fields, "force": "on"})).status == 202
    await backoffice.desk.deliver(await merchant.stopped(), sender="fulfillment")
    assert (await owner.post(path, {**fields, "force": "on"})).status == 303
    accountant = await backoffice.signed_in(Role.ACCOUNTANT)
    assert (await accountant.get(path)).status == 403


async def test_only_what_can_be_done_is_offered(backoffice: Backoffice) -> None:
    merchant = await _merchant(backoffice)
    manager, owner = await backoffice.signed_in(Role.MANAGER), await backoffice.signed_in()
    page = f"/orders/{merchant.order.code}"
    assert f"{page}/deletion" in (await manager.get(page)).text
    await receive(backoffice.desk, merchant.order)
    assert f"{page}/deletion" not in (await manager.get(page)).text
    assert f"{page}/deletion" in (await owner.get(page)).text
    merchant.units[1]["cancelled"], merchant.units[2]["cancelled"] = 3, 1
    await backoffice.desk.deliver(
        StockRestocked(
            shop="maison",
            order_id=merchant.order.order_id,
            code=merchant.order.code,
            cause_id=uuid7(),
            cancelled=[LineUnits(line=1, quantity=3)],
            actor="camille",
            position=merchant.position(),
        )
    )
    shown = await manager.get(page)
    assert "Cancelled" in shown.words
    assert f"{page}/reinstatement" not in shown.text, "refunds cancelled it, which stand"
