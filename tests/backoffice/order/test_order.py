"""The page of one order: who may see and do what, hostile text, stale forms, double clicks, refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from contracts.message import Reason
from contracts.payments.accounts import BalanceChanged, Position
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Backoffice, Browser, FormShown, Shown
from tests.backoffice.ledger_messages import BY_CHEQUE, receive
from tests.builders.submissions import a_line, a_sale
from tests.orders.builders import a_life
from tests.orders.rest_client import patiently, place, rejected, sale, sent, settled

HOSTILE = "<script>alert(1)</script>\"'" + "W" * 200


def _filled(form: FormShown, **typed: str) -> list[tuple[str, str]]:
    """The form's fields with some typed over."""
    return [*(field for field in form.fields if field[0] not in typed), *typed.items()]


async def _page(backoffice: Backoffice, browser: Browser, **changes: Any) -> tuple[str, Shown]:
    placed = await place(backoffice.desk, sale(**changes))
    return placed.code, await browser.get(f"/orders/{placed.code}")


async def test_an_order_is_found_by_code_and_id_by_its_own_shop_alone(backoffice: Backoffice) -> None:
    placed = await place(backoffice.desk, sale())
    browser = await backoffice.signed_in()
    for name in (placed.code, placed.code.lower(), str(placed.order_id)):
        shown = await browser.get(f"/orders/{name}")
        assert (shown.status, placed.code in shown.words) == (200, True)
    stranger = await backoffice.signed_in(shop="atelier")
    assert (await stranger.get(f"/orders/{placed.code}")).status == 404
    assert (await browser.get("/orders/nothing")).status == 404


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (Role.OWNER, {"payment", "other-payment", "invoice", "parcels", "status", "comment", "tagging"}),
        (Role.FULFILMENT, {"parcels", "status", "comment", "tagging"}),
        (Role.ACCOUNTANT, {"payment", "other-payment", "invoice"}),
    ],
)
async def test_everybody_sees_the_forms_they_may_send(
    backoffice: Backoffice, role: Role, actions: set[str]
) -> None:
    browser = await backoffice.signed_in(role)
    code, shown = await _page(backoffice, browser)
    found = {form.action.removeprefix(f"/orders/{code}/") for form in shown.forms if code in form.action}
    assert found == actions
    assert ("192.0.2.7" in shown.words) == (role is Role.OWNER)
    for action in {"payment", "other-payment", "parcels", "status", "comment", "tagging"} - actions:
        assert (await browser.post(f"/orders/{code}/{action}", {"key": "key-12345678"})).status == 403


async def test_the_page_states_what_an_order_lacks_and_what_follows(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    whole = sale().shipping_address
    assert whole is not None
    address = whole.model_copy(update={"city": "", "street": None, "postal_code": None})
    customer = sale().customer.model_copy(update={"email": None, "vat_number": "FRXX"})
    bare = [line.model_copy(update={"sku": None}) for line in sale().lines]
    _, shown = await _page(backoffice, browser, customer=customer, shipping_address=address, lines=bare)
    for sentence in (
        "No mail address: the customer receives no mails.",
        "Missing from the delivery address: street, postal code, town. Check it before you ship.",
        "Stock is not tracked without an article number:",
        "The customer’s VAT number is invalid, so it exempts no invoice from VAT. A VAT number that begins with FR",
    ):
        assert sentence in shown.words
    _, shown = await _page(backoffice, browser)
    assert "No mail address" not in shown.words
    assert "VAT number is invalid" not in shown.words
    unmailable = sale().customer.model_copy(update={"email": "zoe@localhost"})
    _, shown = await _page(backoffice, browser, customer=unmailable)
    assert "No mail can be sent to zoe@localhost: correct the address." in shown.words


async def test_a_city_state_and_a_country_without_postal_codes_lack_nothing(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    whole = sale().shipping_address
    assert whole is not None
    address = whole.model_copy(update={"city": "", "postal_code": None, "country": "HK"})
    _, shown = await _page(backoffice, browser, shipping_address=address)
    assert "Missing from the delivery address" not in shown.words


@pytest.mark.parametrize("stored", ["0001-01-01T00:00:01+00:00", "9999-12-31T23:59:59+00:00"])
async def test_a_date_at_the_calendars_edge_breaks_no_page(backoffice: Backoffice, stored: str) -> None:
    placed = await place(backoffice.desk, sale())
    await backoffice.desk.fetch("UPDATE orders SET placed_at = $1", datetime.fromisoformat(stored))
    timestamps = "UPDATE order_line SET starts_at = $1, ends_at = $1"
    await backoffice.desk.fetch(timestamps, datetime.fromisoformat(stored))
    browser = await backoffice.signed_in()
    for path in ("/orders?sort=oldest", f"/orders/{placed.code}", f"/orders/{placed.code}/edit", "/"):
        assert (await browser.get(path)).status == 200, path


async def test_what_customers_write_is_shown_as_text(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    customer = {"name": HOSTILE[:200], "email": "zoe@example.org", "browser": HOSTILE}
    _, shown = await _page(backoffice, browser, customer=customer, note=HOSTILE)
    assert "<script>alert" not in shown.text
    assert shown.words.count("<script>alert(1)</script>") == 4


async def test_prices_and_taxes_are_shown_as_the_sender_gave_them(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    taxes = [
        {"label": "GST", "rate_ppm": 50_000, "tax_minor": 193},
        {"label": "QST", "rate_ppm": 99_750, "tax_minor": 384},
    ]
    line = a_line(
        quantity=1000, unit_price_minor=4, unit_price_exact="0.03848", total_minor=3848, taxes=taxes
    )
    totals = {"lines_minor": 3848, "tax_minor": 577, "total_minor": 4425}
    placed = await place(
        backoffice.desk,
        a_sale(line, currency="CAD", prices_include_tax=False, shipping=None, totals=totals),
    )
    shown = await browser.get(f"/orders/{placed.code}")
    for expected in ("CA$0.03848", "GST 5 % + QST 9.975 %", "CA$1.93", "CA$3.84", "CA$44.25"):
        assert expected in shown.words
    paper = await browser.get(f"/orders/{placed.code}/print")
    assert "GST 5 % + QST 9.975 %" in paper.words


async def test_a_comment_is_written_once_and_shown_with_its_author(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    code, shown = await _page(backoffice, browser)
    fields = _filled(shown.form(f"/orders/{code}/comment"), admin_comment=f"À rappeler {HOSTILE}")
    for _ in range(2):
        assert (await browser.post(f"/orders/{code}/comment", fields)).status == 303
    assert await backoffice.desk.fetchval("select count(*) from comment") == 1
    shown = await browser.get(f"/orders/{code}?show=comments")
    assert "À rappeler <script>" in shown.words
    assert "Order placed" not in shown.words


async def test_a_cheque_is_recorded_once_for_the_balance(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(Role.ACCOUNTANT)
    code, shown = await _page(backoffice, browser)
    fields = _filled(shown.form(f"/orders/{code}/payment"), reference="CHQ 7")
    assert dict(fields)["amount"] == "84.00"
    clicks = [patiently(browser.post(f"/orders/{code}/payment", fields)) for _ in range(2)]
    ((command_id, command),) = await sent(backoffice.desk)
    assert (command.amount_minor, command.method, command.reference) == (8400, "cheque", "CHQ 7")
    await backoffice.desk.deliver(
        settled(code)(command_id, command), causation_id=command_id, sender="payments"
    )
    assert [(await click).status for click in clicks] == [303, 303]
    assert (await browser.post(f"/orders/{code}/payment", fields)).status == 303, "the back button"
    assert len(await sent(backoffice.desk)) == 1


@pytest.mark.parametrize("method", ["card", "cheque", "transfer"])
async def test_money_that_came_another_way_than_chosen_is_recorded(
    backoffice: Backoffice, method: str
) -> None:
    browser = await backoffice.signed_in(Role.ACCOUNTANT)
    code, shown = await _page(backoffice, browser, payment={"method": method})
    path = f"/orders/{code}/other-payment"
    form = shown.form(path)
    without = await browser.post(path, _filled(form, amount="50"))
    assert (without.status, "Choose how the money was received." in without.words) == (422, True)
    assert (await browser.post(path, _filled(form, method="card", amount="50"))).status == 422
    assert (await browser.post(path, _filled(form, method="cash", amount="50"))).status == 202
    ((_, command),) = await sent(backoffice.desk)
    assert (command.method, command.amount_minor) == ("cash", 5000)


@pytest.mark.parametrize(
    ("typed", "is_asked"), [("84", False), ("168", False), ("168.01", True), ("8400", True)]
)
async def test_an_amount_far_above_what_is_due_is_confirmed_once(
    backoffice: Backoffice, typed: str, is_asked: bool
) -> None:
    browser = await backoffice.signed_in(Role.ACCOUNTANT)
    code, shown = await _page(backoffice, browser)
    path = f"/orders/{code}/payment"
    answer = await browser.post(path, _filled(shown.form(path), amount=typed))
    assert (answer.status, "€84.00 is still to be paid." in answer.words) == (
        (422, True) if is_asked else (202, False)
    )
    if is_asked:
        assert await backoffice.desk.fetchval("select count(*) from command") == 0
        assert (await browser.post(path, _filled(answer.form(path), meant="on"))).status == 202


async def test_an_order_that_was_free_takes_the_money_it_comes_to_owe(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(Role.ACCOUNTANT)
    gift: dict[str, Any] = {
        "payment": {"method": "free"},
        "extra_lines": [{"label": "Offert", "amount_minor": -8400}],
        "totals": {"lines_minor": 7900, "shipping_minor": 500, "extras_minor": -8400, "total_minor": 0},
    }
    placed = await place(backoffice.desk, sale(**gift))
    path = f"/orders/{placed.code}"
    assert "Receive the money" not in (await browser.get(path)).words
    due = Position(version=2, currency="EUR", due_minor=1000, balance_minor=1000)
    about = {"shop": placed.shop, "order_id": placed.order_id, "code": placed.code}
    await backoffice.desk.deliver(BalanceChanged(**about, position=due))
    shown = await browser.get(path)
    assert "Receive the money" in shown.words
    form = shown.form(f"{path}/other-payment")
    assert dict(form.fields)["amount"] == "10.00"
    answer = await browser.post(f"{path}/other-payment", _filled(form, method="transfer"))
    assert answer.status == 202


async def test_the_ledger_shows_when_money_came_and_which_way_it_went(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await place(backoffice.desk, sale())
    day = datetime.now(UTC).date() - timedelta(days=4)
    await receive(backoffice.desk, placed, **BY_CHEQUE, received_on=day)
    for path in (f"/orders/{placed.code}", "/payments"):
        shown = await browser.get(path)
        assert "+ €84.00" in shown.words
        assert f"{day.day} {day:%B} {day.year}" in shown.words


async def test_a_refusal_keeps_what_was_typed(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    code, shown = await _page(backoffice, browser)
    form = shown.form(f"/orders/{code}/payment")
    shown = await browser.post(f"/orders/{code}/payment", _filled(form, amount="douze", note=HOSTILE))
    assert shown.status == 422
    assert dict(shown.form(f"/orders/{code}/payment").fields)["note"] == HOSTILE
    pending = patiently(browser.post(f"/orders/{code}/payment", _filled(form, amount="12", note=HOSTILE)))
    command_id, command = (await sent(backoffice.desk))[-1]
    refused = rejected(Reason(code="received_in_the_future", message="m", field="received_on"))
    await backoffice.desk.deliver(refused(command_id, command), causation_id=command_id, sender="payments")
    shown = await pending
    assert (shown.status, "in the future" in shown.words) == (422, True)
    fields = dict(shown.form(f"/orders/{code}/payment").fields)
    assert (fields["note"], fields["amount"]) == (HOSTILE, "12")


async def test_a_stale_form_does_nothing_and_states_what_changed(backoffice: Backoffice) -> None:
    browser, other = await backoffice.signed_in(), await backoffice.signed_in(Role.MANAGER)
    code, shown = await _page(backoffice, browser)
    theirs = (await other.get(f"/orders/{code}")).form(f"/orders/{code}/comment")
    await other.post(f"/orders/{code}/comment", _filled(theirs, admin_comment="Déjà reçu."))
    fields = _filled(shown.form(f"/orders/{code}/payment"), note="Par la poste")
    stale = await browser.post(f"/orders/{code}/payment", fields)
    assert stale.status == 409
    assert "Comment added" in stale.words
    assert "Par la poste" in stale.words
    fields = _filled(shown.form(f"/orders/{code}/status"), public_comment="Bientôt", label="processing")
    stale = await browser.post(f"/orders/{code}/status", fields)
    assert (stale.status, "Bientôt" in stale.words) == (409, True)
    assert await backoffice.desk.fetchval("select count(*) from command") == 0


async def test_one_parcel_per_unit_is_a_command_each(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(Role.FULFILMENT)
    code, shown = await _page(backoffice, browser)
    fields = _filled(shown.form(f"/orders/{code}/parcels"), way="each", kind="box")
    assert (await browser.post(f"/orders/{code}/parcels", fields)).status == 202
    commands = [command for _, command in await sent(backoffice.desk, 3)]
    assert [[(one.line, one.quantity) for one in each.lines] for each in commands] == [[(1, 1)]] * 3
    await browser.post(f"/orders/{code}/parcels", fields)
    assert len(await sent(backoffice.desk, 3)) == 3


async def test_quantities_that_were_typed_are_never_ignored(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(Role.FULFILMENT)
    code, shown = await _page(backoffice, browser)
    path, form = f"/orders/{code}/parcels", shown.form(f"/orders/{code}/parcels")
    for typed in ("2", "0", ""):
        page = await browser.post(path, _filled(form, way="one", **{"quantity-1": typed}))
        assert (page.status, "quantities were changed" in page.words) == (422, True)
        again = dict(page.form(path).fields)
        assert (again["way"], again["quantity-1"]) == ("chosen", typed)
    assert await backoffice.desk.fetchval("select count(*) from command") == 0
    page = await browser.post(path, _filled(form, way="one", **{"quantity-1": "2"}))
    assert (await browser.post(path, page.form(path).fields)).status == 202
    form = (await browser.get(f"/orders/{code}")).form(path)
    assert (await browser.post(path, _filled(form, way="each", **{"quantity-1": "1"}))).status == 202
    commands = [command for _, command in await sent(backoffice.desk, 2)]
    assert sorted((one.line, one.quantity) for each in commands for one in each.lines) == [(1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("back", "to"), [("/parcels?q=Bougie", "/parcels?q=Bougie"), ("//evil.example", None), ("", None)]
)
async def test_packing_leads_back_to_the_queue_it_was_opened_from(
    backoffice: Backoffice, back: str, to: str | None
) -> None:
    browser = await backoffice.signed_in(Role.FULFILMENT)
    life = await a_life(backoffice.desk)
    shown = await browser.get(f"/orders/{life.code}?back={quote(back)}")
    path = f"/orders/{life.code}/parcels"
    assert dict(shown.form(path).fields).get("back") == to
    pending = patiently(browser.post(path, [*shown.form(path).fields]))
    made, command = (await sent(backoffice.desk))[-1]
    await backoffice.desk.deliver(
        life.packed().model_copy(update={"parcel_id": command.parcel_id}), causation_id=made
    )
    answer = await pending
    assert (answer.status, answer.headers["location"]) == (303, to or f"/orders/{life.code}#parcels")


async def test_a_status_is_given_and_a_refused_one_gives_the_reason(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(Role.FULFILMENT, language="fr")
    code, shown = await _page(backoffice, browser)
    form = shown.form(f"/orders/{code}/status")
    refused = await browser.post(
        f"/orders/{code}/status", _filled(form, label="completed", admin_comment="Reçu")
    )
    assert refused.status == 422
    assert dict(refused.form(f"/orders/{code}/status").fields)["admin_comment"] == "Reçu"
    fields = _filled(form, label="awaiting_payment", admin_comment="Le client rappelle")
    assert (await browser.post(f"/orders/{code}/status", fields)).status == 303
    assert "Le client rappelle" in (await browser.get(f"/orders/{code}")).words


async def test_cancelling_is_shown_first_and_confirmed_once(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(Role.MANAGER)
    code, shown = await _page(backoffice, browser)
    path = f"/orders/{code}/cancellation"
    assert f'href="{path}"' in shown.text
    preview = await browser.get(path)
    assert "No longer due: €84.00" in preview.words
    assert "3 × Bougie" in preview.words
    assert await backoffice.desk.fetchval("select count(*) from command") == 0
    fields = _filled(preview.form(path), reason=HOSTILE)
    for _ in range(2):
        assert (await browser.post(path, fields)).status == 202
    assert await backoffice.desk.fetchval("select count(*) from command") == 1
    other = await backoffice.signed_in(Role.FULFILMENT)
    assert (await other.get(path)).status == 403
    assert path not in (await other.get(f"/orders/{code}")).text
