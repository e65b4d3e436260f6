"""Payments pages: what is listed and to whom, filters, and money that a person gives to an order once."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.envelope import uuid7
from contracts.message import Message, Reason
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import (
    BalanceChanged,
    PaymentReassigned,
    PaymentUnmatched,
    Position,
    ReassignPayment,
)
from contracts.payments.refunds import Refund, RefundConfirmed, RefundSent
from contracts.sale import PaymentMethod
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.payments.unmatched_pages import href_of
from tests.backoffice.browser import Backoffice, Browser, Shown
from tests.backoffice.ledger_messages import entry, receive
from tests.orders.rest_client import patiently, place, rejected, sale, sent

HOSTILE = '<img src=x onerror="alert(1)">' + "W" * 120
REFERENCE = "pi_'/&?=\u202e1"


async def _paid(backoffice: Backoffice, reference: str = "CHQ 1", **more: Any) -> OrderPlaced:
    """An order of 84.00 EUR of whose ledger 50.00 came by cheque and 10.00 went back."""
    placed = await place(backoffice.desk, sale(**more))
    by_hand = {"method": PaymentMethod.CHEQUE, "actor": "camille@maison.example", "reference": reference}
    entries = [
        entry(1, "order_total", 8400, 8400),
        entry(2, "payment_received", 5000, 3400, **by_hand, note=HOSTILE),
        entry(3, "refund_paid", 1000, 4400, **by_hand),
    ]
    position = Position(
        version=3,
        currency="EUR",
        due_minor=8400,
        received_minor=5000,
        refunded_minor=1000,
        balance_minor=4400,
    )
    await backoffice.desk.deliver(
        BalanceChanged(
            shop=placed.shop, order_id=placed.order_id, code=placed.code, position=position, entries=entries
        )
    )
    return placed


async def _unmatched(backoffice: Backoffice, **changes: Any) -> str:
    """Money of 84.00 EUR that no order has; its page."""
    payment = PaymentUnmatched.model_validate(
        {
            "shop": "maison",
            "provider": "stripe",
            "provider_reference": REFERENCE,
            "amount_minor": 8400,
            "currency": "EUR",
            "received_at": datetime.now(UTC),
            "reason": "order_unknown",
            **changes,
        }
    )
    await backoffice.desk.deliver(payment)
    return href_of("stripe", payment.provider_reference)


@pytest.mark.rows("A17")
async def test_every_entry_is_listed_with_its_sign(backoffice: Backoffice) -> None:
    placed = await _paid(backoffice)
    shown = await (await backoffice.signed_in(Role.ACCOUNTANT)).get("/payments")
    words = shown.words
    assert (shown.status, words.count(placed.code)) == (200, 3)
    for text in ("+ €50.00", "−€10.00", "€84.00", "Refund paid", "CHQ 1", "camille@maison.example", HOSTILE):
        assert text in words
    assert "<img src=x" not in shown.text
    assert f'href="/orders/{placed.code}"' in shown.text


async def test_the_filters_hold_together(backoffice: Backoffice) -> None:
    placed, other = await _paid(backoffice), await _paid(backoffice, "CHQ 2")
    browser, today = await backoffice.signed_in(), datetime.now(UTC).date()
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)

    async def rows(query: str) -> int:
        return (await browser.get(f"/payments?{query}")).text.count("<tr data-row>")

    assert await rows("") == 6
    assert await rows("kind=refund_paid") == 2
    assert await rows(f"method=cheque&order={placed.code.lower().replace('-', '')}") == 2
    assert await rows("method=card") == 0
    assert await rows(f"from={yesterday}&to={tomorrow}") == 6, "Paris may be in another day"
    assert await rows("to=2020-01-01") == 0
    assert await rows(f"kind=order_total&order={other.code}") == 1


async def test_what_was_typed_wrong_stays_and_is_reported(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    shown = await browser.get("/payments?order=K7F3-QD9M&from=2026-11-22")
    assert "No order has this code." in shown.words
    assert {("order", "K7F3-QD9M"), ("from", "2026-11-22")} <= set(shown.form("/payments").fields)
    assert "Enter a date" in (await browser.get("/payments?from=soon")).words
    assert "Enter a date" in (await browser.get("/payments?to=9999-12-31")).words
    assert "No entries yet" in (await browser.get("/payments")).words
    assert (await browser.get("/payments?after=nonsense")).status == 404


async def test_a_refund_is_shown_as_paid_once_its_provider_confirmed_it(backoffice: Backoffice) -> None:
    placed = await place(backoffice.desk, sale())
    await receive(backoffice.desk, placed)
    about = {"shop": placed.shop, "order_id": placed.order_id, "code": placed.code}
    back = entry(3, "refund_paid", 1000, 1000, provider="stripe", provider_reference="re_1")
    position = Position(
        version=3,
        currency="EUR",
        due_minor=8400,
        received_minor=8400,
        refunded_minor=1000,
        balance_minor=1000,
    )
    await backoffice.desk.deliver(BalanceChanged(**about, position=position, entries=[back]))
    refund = {
        "refund_id": uuid7(),
        "mode": "sent",
        "amount_minor": 1000,
        "currency": "EUR",
        "cause": "overpaid",
        "provider": "stripe",
        "provider_reference": "re_1",
        "actor": "stripe",
        "asked_at": datetime.now(UTC),
    }
    browser = await backoffice.signed_in()
    words: list[tuple[type[Message], str, str]] = [
        (RefundSent, "sent", "Refund sent, not confirmed yet"),
        (RefundConfirmed, "confirmed", "Refund paid"),
    ]
    for version, (kind, state, text) in enumerate(words, 4):
        fields = Refund.model_validate({**refund, "version": version, "state": state})
        await backoffice.desk.deliver(kind(**about, refund=fields))
        row = (await browser.get("/payments")).text.split("<tr data-row>")[1]
        assert text in row
        file = (await browser.get("/payments/export.csv")).response.content.decode("utf-8-sig")
        assert text in file.splitlines()[1]
        assert text in (await browser.get(f"/orders/{placed.code}")).words


async def test_pages_of_the_ledger_meet_without_a_gap(backoffice: Backoffice) -> None:
    for _ in range(18):
        await _paid(backoffice)
    browser = await backoffice.signed_in()
    first = await browser.get("/payments")
    assert first.text.count("<tr data-row>") == 50
    following = first.text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    assert (await browser.get(following.replace("&amp;", "&"))).text.count("<tr data-row>") == 4


async def test_the_ledger_is_a_file_with_its_filters(backoffice: Backoffice) -> None:
    placed = await _paid(backoffice, reference="0012345")
    browser = await backoffice.signed_in(Role.ACCOUNTANT, language="fr")
    assert "/payments/export.csv" in (await browser.get("/payments")).text
    answer = await browser.get(f"/payments/export.csv?kind=payment_received&order={placed.code}")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    text = answer.response.content.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text, newline=""), delimiter=";")
    amounts = (row["Montant encaissé ou versé"], row["Sans mouvement d’argent"], row["Devise"])
    assert amounts == ("50,00", "", "EUR")
    assert (row["Commande"], row["Moyen de paiement"], row["Référence"]) == (
        placed.code,
        "Chèque",
        "'0012345",
    )
    assert row["Note"] == HOSTILE
    every = (await browser.get("/payments/export.csv?numbers=en")).response.content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(every, newline=""), delimiter=","))
    moved = [(row["Money in or out"], row["Without money movement"]) for row in rows]
    assert moved == [("-10.00", ""), ("50.00", ""), ("", "84.00")]
    audited = await backoffice.desk.fetch("select * from audit where action = 'payments.export'")
    assert len(audited) == 2
    assert (await browser.get("/payments/export.csv?from=never")).status == 303
    packer = await backoffice.signed_in(Role.FULFILMENT)
    assert (await packer.get("/payments/export.csv")).status == 403


async def test_who_may_see_and_who_may_assign(backoffice: Backoffice) -> None:
    page = await _unmatched(backoffice)
    fulfilment = await backoffice.signed_in(Role.FULFILMENT)
    assert [(await fulfilment.get(path)).status for path in ("/payments", "/payments/unmatched", page)] == [
        403
    ] * 3
    accountant = await backoffice.signed_in(Role.ACCOUNTANT)
    assert "Which order is it for?" not in (await accountant.get(page)).words
    assert (await accountant.post(page, {"key": str(uuid7())})).status == 403
    elsewhere = await backoffice.signed_in(Role.OWNER, shop="atelier")
    assert REFERENCE not in (await elsewhere.get("/payments/unmatched")).text
    assert (await elsewhere.get(page)).status == 404


@pytest.mark.rows("C02")
async def test_an_order_that_waits_for_the_sum_is_suggested_and_previewed(backoffice: Backoffice) -> None:
    placed = await place(backoffice.desk, sale(customer={"name": HOSTILE, "email": "zoe@example.org"}))
    page, browser = await _unmatched(backoffice), await backoffice.signed_in()
    listed = await browser.get("/payments/unmatched")
    assert "No matching order" in listed.words
    assert "Payments service: not connected" in listed.words, "the copy stands in, and the page says so"
    suggested = await browser.get(page)
    assert placed.code in suggested.words
    assert "<img src=x" not in suggested.text
    previewed = await browser.get(f"{page}&order={placed.code}")
    assert "Balance afterwards Settled" in previewed.words
    assert "No order has this code." in (await browser.get(f"{page}&order=<b>")).words


async def _assigned(
    backoffice: Backoffice, browser: Browser, page: str, fields: Any, reply: Callable[[UUID, Any], Message]
) -> Shown:
    pending = patiently(browser.post(page, fields))
    command_id, command = (await sent(backoffice.desk))[-1]
    await backoffice.desk.deliver(reply(command_id, command), causation_id=command_id, sender="payments")
    return await pending


def _done(code: str) -> Callable[[UUID, ReassignPayment], PaymentReassigned]:
    def reply(_: UUID, request: ReassignPayment) -> PaymentReassigned:
        return PaymentReassigned(
            shop=request.shop,
            order_id=request.order_id,
            code=code,
            direction="in",
            provider=request.provider,
            provider_reference=request.provider_reference,
            currency="EUR",
            note=request.note,
            recorded_by=request.actor,
        )

    return reply


@pytest.mark.rows("C02")
async def test_it_is_given_to_the_order_once_and_shows_as_found(backoffice: Backoffice) -> None:
    placed = await place(backoffice.desk, sale())
    page, browser = await _unmatched(backoffice), await backoffice.signed_in()
    here = f"{page}&order={placed.code}"
    (form,) = [one for one in (await browser.get(here)).forms if "note" in dict(one.fields)]
    fields = form.filled(note="Virement de Zoé")
    twice = patiently(browser.post(form.action, fields))
    first = await _assigned(backoffice, browser, form.action, fields, _done(placed.code))
    assert (first.status, (await twice).status) == (303, 303)
    ((_, command),) = await sent(backoffice.desk)
    assert (command.order_id, command.provider_reference, command.note) == (
        placed.order_id,
        REFERENCE,
        "Virement de Zoé",
    )
    listed = (await browser.get("/payments/unmatched")).words
    assert f"Payment assigned to order {placed.code}." in listed
    assert "Nothing to identify" in listed
    assert "Matched payments" in listed
    assert "Matched" in (await browser.get(page)).words


@pytest.mark.rows("C02")
async def test_a_refusal_keeps_the_text_and_an_old_page_gives_nothing_away(backoffice: Backoffice) -> None:
    placed, other = await place(backoffice.desk, sale()), await place(backoffice.desk, sale())
    page, browser = await _unmatched(backoffice), await backoffice.signed_in()
    here = f"{page}&order={placed.code}"
    fields = {"key": str(uuid7()), "note": HOSTILE}
    reason = Reason(code="payment_unknown", message="in English", field="provider_reference")
    shown = await _assigned(backoffice, browser, here, fields, rejected(reason))
    assert shown.status == 422
    assert "not reported a payment with this reference" in shown.words
    (form,) = [one for one in shown.forms if "note" in dict(one.fields)]
    assert dict(form.fields)["note"] == HOSTILE

    async def to_the_other(requested: UUID, command: ReassignPayment) -> None:
        event = _done(other.code)(requested, command.model_copy(update={"order_id": other.order_id}))
        await backoffice.desk.deliver(event, sender="payments")

    await to_the_other(*(await sent(backoffice.desk))[0])
    late = await browser.post(here, {"key": str(uuid7()), "note": ""})
    assert (late.status, len(await sent(backoffice.desk))) == (422, 1)
    assert f"Order {other.code} has received this payment in the meantime." in late.words
