"""From a form to a command and back: once per form, waited for, in progress, refused with the text kept."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response

from contracts.message import Message, Reason
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.web.actions.action import Errors, carry_out, command, shown_again
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Page
from services.orders.order.requests import OrderFacts, PaymentRequest
from tests.backoffice.browser import Backoffice, Browser, Shown
from tests.orders.rest_client import patiently, place, rejected, sale, sent, settled

FORM = """{% extends "base.html" %}{% block main %}{% call form("/record", key=typed.key, errors=errors) %}
{{ field("reference", "Reference", typed["reference"], error=errors["reference"]|default("")) }}
{{ field("received_on", "Day", typed["received_on"]) }}{% endcall %}{% endblock %}"""


async def _order_with_page(backoffice: Backoffice) -> tuple[UUID, str]:
    """An order, and a page that records 84.00 EUR for it; the order's id and code."""
    placed = await place(backoffice.desk, sale(shop="maison"))
    facts = OrderFacts("maison", placed.order_id, placed.code, "EUR", frozenset({1, 2}))

    async def again(context: PageContext, errors: Errors) -> Response:
        return context.render("form", typed=context.form_read, errors=errors)

    async def record(context: PageContext) -> Response:
        form = context.form_read
        asked = form.model(PaymentRequest, method="cheque", amount_minor=8400, currency="EUR")
        payment = command(context, placed.order_id, lambda _: asked.command(facts, context.actor))
        return await carry_out(context, payment, to="/", flash="Payment recorded.")

    backoffice.add(
        Page("/record", "POST", Permission.PAYMENTS_RECORD, shown_again(record, again), "payment.record"),
        form=FORM,
    )
    return placed.order_id, placed.code


def _fields(**more: str) -> dict[str, str]:
    return {"key": str(uuid4()), "received_on": "2026-11-22", "reference": "CHQ 1", **more}


async def _replied(
    backoffice: Backoffice, browser: Browser, fields: Any, reply: Callable[[UUID, Any], Message]
) -> Shown:
    """Send the form, have payments answer its command, and give what the person then sees."""
    pending = patiently(browser.post("/record", fields))
    command_id, command = (await sent(backoffice.desk))[-1]
    await backoffice.desk.deliver(reply(command_id, command), causation_id=command_id, sender="payments")
    return await pending


async def test_done_leads_on_with_a_message(backoffice: Backoffice) -> None:
    order_id, code = await _order_with_page(backoffice)
    browser = await backoffice.signed_in()
    shown = await _replied(backoffice, browser, _fields(), settled(code))
    assert (shown.status, shown.headers["location"]) == (303, "/")
    assert "Payment recorded." in (await browser.get("/")).words
    assert "Payment recorded." not in (await browser.get("/")).words, "a message is shown once"
    row = (await backoffice.audit())[-1]
    assert (row["outcome"], row["order_id"]) == ("done", order_id)


async def test_a_double_click_is_one_command_with_one_answer(backoffice: Backoffice) -> None:
    _, code = await _order_with_page(backoffice)
    browser = await backoffice.signed_in()
    fields = _fields()
    second = patiently(browser.post("/record", fields))
    first = await _replied(backoffice, browser, fields, settled(code))
    assert [first.status, (await second).status, (await browser.post("/record", fields)).status] == [303] * 3
    assert len(await sent(backoffice.desk)) == 1


async def test_the_back_button_and_another_text_are_distinguished(backoffice: Backoffice) -> None:
    _, code = await _order_with_page(backoffice)
    browser = await backoffice.signed_in()
    fields = _fields()
    await _replied(backoffice, browser, fields, settled(code))
    shown = await browser.post("/record", {**fields, "reference": "CHQ 2"})
    assert shown.status == 409
    assert "already sent" in shown.words
    assert len(await sent(backoffice.desk)) == 1


async def test_a_refusal_shows_the_form_with_reasons_and_text(backoffice: Backoffice) -> None:
    await _order_with_page(backoffice)
    browser = await backoffice.signed_in(language="fr")
    reasons = [
        Reason(code="currency_differs", message="in English", field="reference"),
        Reason(code="order_deleted", message="in English"),
    ]
    typed = 'CHQ <b>"1"</b>'
    shown = await _replied(backoffice, browser, _fields(reference=typed), rejected(*reasons))
    assert shown.status == 422
    assert "La commande est dans une autre devise." in shown.words
    assert "Cette commande a été effacée." in shown.words
    assert dict(shown.form("/record").fields)["reference"] == typed
    assert "<b>" not in shown.text


async def test_what_is_wrong_on_the_face_of_it_is_not_sent(backoffice: Backoffice) -> None:
    await _order_with_page(backoffice)
    browser = await backoffice.signed_in()
    shown = await browser.post("/record", _fields(received_on="yesterday", reference="CHQ 7"))
    assert shown.status == 422
    assert dict(shown.form("/record").fields)["reference"] == "CHQ 7"
    shown = await browser.post("/record", {"received_on": "2026-11-22"})
    assert "This form is incomplete" in shown.words
    assert await backoffice.desk.fetchval("select count(*) from command") == 0


async def test_without_an_outcome_the_page_waits_and_goes_on_by_itself(backoffice: Backoffice) -> None:
    _, code = await _order_with_page(backoffice)
    browser = await backoffice.signed_in()
    waiting = await browser.post("/record", _fields())
    assert waiting.status == 202
    assert "is being carried out" in waiting.words
    ((command_id, command),) = await sent(backoffice.desk)
    state = f"/commands/{command_id}"
    assert f'data-progress="{state}"' in waiting.text
    assert (await browser.get(state)).response.json() == {"state": "pending"}
    again = await browser.post("/record", waiting.form("/record").fields)
    assert again.status == 202
    await backoffice.desk.deliver(
        settled(code)(command_id, command), causation_id=command_id, sender="payments"
    )
    assert (await browser.get(state)).response.json() == {"state": "done"}
    on = await browser.post("/record", waiting.form("/record").fields)
    assert (on.status, on.headers["location"]) == (303, "/")
    assert len(await sent(backoffice.desk)) == 1


async def test_a_command_of_another_shop_does_not_exist(backoffice: Backoffice) -> None:
    _, code = await _order_with_page(backoffice)
    await _replied(backoffice, await backoffice.signed_in(), _fields(), settled(code))
    ((command_id, _),) = await sent(backoffice.desk)
    stranger = await backoffice.signed_in(shop="atelier")
    assert (await stranger.get(f"/commands/{command_id}")).status == 404
