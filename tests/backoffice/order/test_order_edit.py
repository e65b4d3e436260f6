"""Editing an order: the form holds all of it, what it would do is shown first, and it is carried out once."""

import re
from itertools import product
from typing import Any

import pytest

from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.formatting import typed_amount
from services.orders.backoffice.order.changes.editing import edit_request, typed_rate
from tests.backoffice.browser import Backoffice, Browser, Shown
from tests.orders.changing_orders import Merchant
from tests.orders.rest_client import place, sale

HOSTILE = "<script>alert(1)</script>\"'" + "W" * 200


async def _begun(backoffice: Backoffice, role: Role = Role.MANAGER) -> tuple[Browser, Merchant, str, Shown]:
    merchant = Merchant(backoffice.desk, await place(backoffice.desk, sale()))
    browser, path = await backoffice.signed_in(role), f"/orders/{merchant.order.code}/edit"
    return browser, merchant, path, await browser.get(path)


def _typed(shown: Shown, path: str, **typed: str) -> dict[str, str]:
    named = {name.replace("__", "-"): value for name, value in typed.items()}
    return {**dict(shown.form(path).fields), **named}


async def _saved(backoffice: Backoffice, browser: Browser, path: str, fields: dict[str, str]) -> Shown:
    preview = await browser.post(path, {**fields, "deed": "preview"})
    assert preview.status == 200, preview.words
    assert await backoffice.desk.fetchval("select count(*) from command") == 0
    return await browser.post(path, {**dict(preview.form(path).fields), "deed": "save"})


async def test_the_form_unchanged_requests_nothing(backoffice: Backoffice) -> None:
    browser, _, path, shown = await _begun(backoffice)
    for action, country in product(("preview", "save"), ("FR", "La France")):
        answer = await browser.post(path, _typed(shown, path, delivery__country=country, deed=action))
        assert answer.status == 422
        assert "No changes yet." in answer.words or "already has these values" in answer.words
    assert await backoffice.desk.fetchval("select count(*) from command") == 0


@pytest.mark.rows("A10", "A11")
async def test_customer_addresses_and_note_are_edited_at_once(backoffice: Backoffice) -> None:
    browser, _, path, shown = await _begun(backoffice)
    typed = {
        "customer__name": HOSTILE[:200],
        "customer__phone": "+33 6",
        "delivery__city": "Brest",
        "billing__name": "Martin SARL",
        "billing__street": "2 quai",
        "billing__postal_code": "29200",
        "billing__city": "Brest",
        "billing__country": "Allemagne",
        "note": "Au voisin",
        "shipping__amount": "7,50",
        "extra__label__0": "Emballage cadeau",
        "extra__amount__0": "-2",
    }
    fields = _typed(shown, path, **typed)
    preview = await browser.post(path, {**fields, "deed": "preview"})
    assert "€84.00 → €84.50" in preview.words
    assert "Delivery address · Town Quimper → Brest" in preview.words
    assert "<script>alert" not in preview.text
    for _ in range(2):
        assert (await _saved_again(browser, path, preview)).status == 303
    page = await browser.get(f"/orders/{path.split('/')[2]}")
    for text in ("Order edited.", "Brest", "2 quai", "Au voisin", "Emballage cadeau", "€84.50", "Germany"):
        assert text in page.words, text
    assert "Sonner deux fois." not in page.words
    assert await backoffice.desk.fetchval("select count(*) from command") == 1


async def _saved_again(browser: Browser, path: str, preview: Shown) -> Shown:
    return await browser.post(path, {**dict(preview.form(path).fields), "deed": "save"})


@pytest.mark.rows("A11")
async def test_fewer_units_wait_for_fulfillment_and_the_outcome_is_reported(backoffice: Backoffice) -> None:
    browser, merchant, path, shown = await _begun(backoffice)
    merchant.ship(1, 2)
    fields = _typed(shown, path, quantity__1="0")
    preview = await browser.post(path, {**fields, "deed": "preview"})
    assert "No longer due: €45.00" in preview.words
    assert "3 × Bougie" in preview.words
    waiting = await _saved(backoffice, browser, path, fields)
    assert (waiting.status, "In progress" in waiting.words) == (202, True)
    await backoffice.desk.deliver(await merchant.stopped(), sender="fulfillment")
    done = await browser.post(path, dict(waiting.form(path).fields))
    assert done.status == 303
    page = await browser.get(f"/orders/{merchant.order.code}")
    assert "Removed units that were already shipped and stay ordered: 2." in page.words
    assert await backoffice.desk.fetchval("select count(*) from command") == 1


async def test_what_an_edit_took_off_is_on_no_paper_and_counts_once(backoffice: Backoffice) -> None:
    browser, merchant, path, shown = await _begun(backoffice)
    waiting = await _saved(backoffice, browser, path, _typed(shown, path, quantity__1="2"))
    await backoffice.desk.deliver(await merchant.stopped(), sender="fulfillment")
    assert (await browser.post(path, dict(waiting.form(path).fields))).status == 303
    code = merchant.order.code
    assert "1 cancelled" not in (await browser.get(f"/orders/{code}")).words
    for paper in ("", "&as=slips"):
        words = (await browser.get(f"/orders/print?codes={code}{paper}")).words
        assert re.search(r"Bougie\S*( \S+)? 2\b", words), words


async def test_a_new_line_is_requested_and_errors_are_shown_beside_their_fields(
    backoffice: Backoffice,
) -> None:
    browser, merchant, path, shown = await _begun(backoffice)
    more = await browser.post(path, _typed(shown, path, deed="add", customer__name="Zoé M."))
    fields = dict(more.form(path).fields)
    assert (fields["new-rows"], fields["customer-name"]) == ("2", "Zoé M.")
    fields |= {"new-description-0": "Plume", "new-quantity-0": "2", "new-price-0": "5", "new-vat-0": "5,5"}
    fields |= {"new-kind-0": "ship", "customer-email": "nobody", "deed": "preview"}
    refused = await browser.post(path, fields)
    assert refused.status == 422
    assert "No mail can be sent to this address." in refused.words
    wrong = await browser.post(path, {**fields, "price-1": "douze", "delivery-country": "Elbonia"})
    assert (wrong.status, "Enter an amount such as 12.50." in wrong.words) == (422, True)
    kept = dict(wrong.form(path).fields)
    assert (kept["price-1"], kept["delivery-country"], kept["new-description-0"]) == (
        "douze",
        "Elbonia",
        "Plume",
    )
    fields |= {"new-sku-0": "PLUME", "customer-email": "zoe@example.org", "deed": ""}
    assert (await _saved(backoffice, browser, path, fields)).status == 202
    requested = await merchant.last_request()
    assert [(one.line, one.sku, one.quantity) for one in requested.lines] == [(3, "PLUME", 2)]
    busy = await browser.post(path, _typed(shown, path, deed="save", note="Plus tard"))
    assert busy.status in (409, 422)


async def test_a_stale_edit_states_what_differs_and_undoes_nothing(backoffice: Backoffice) -> None:
    browser, _, path, shown = await _begun(backoffice)
    other = await backoffice.signed_in()
    theirs = _typed(await other.get(path), path, customer__phone="+33 7", delivery__country="BE")
    assert (await _saved(backoffice, other, path, theirs)).status == 303
    mine = _typed(shown, path, deed="save", note=f"À l’étage {HOSTILE}", delivery__city="Brest")
    mine |= {"new-description-0": "Plume", "new-quantity-0": "2", "new-price-0": "5", "new-vat-0": "20"} | {
        "new-kind-0": "ship"
    }
    stale = await browser.post(path, mine)
    assert (stale.status, "Order edited" in stale.words) == (409, True)
    before, after = stale.words.split("Your changes")
    assert "Customer · Phone +33 7" in before
    assert re.search(r"Delivery address · Country .* → Belgium", before)
    assert "À l’étage <script>" in after
    assert re.search(r"Delivery address · Town \S+ → Brest", after)
    assert "New line: 2 × Plume" in after
    for label in ("Unit price", "Street", "Quantity", "Name"):
        assert label not in stale.words, "what is the same is not listed"
    preview = await browser.post(path, dict(stale.form(path).fields))
    assert preview.status == 200
    assert "Phone" not in preview.words, "what the colleague saved is not undone"
    saved = await browser.post(path, {**dict(preview.form(path).fields), "deed": "save"})
    assert saved.status in (202, 303)
    assert (await backoffice.desk.fetchval("select customer_phone from orders")) == "+33 7"


async def test_what_both_changed_is_shown_with_both_values(backoffice: Backoffice) -> None:
    browser, _, path, shown = await _begun(backoffice)
    other = await backoffice.signed_in()
    theirs = _typed(await other.get(path), path, customer__phone="+33 7")
    assert (await _saved(backoffice, other, path, theirs)).status == 303
    stale = await browser.post(path, _typed(shown, path, deed="preview", customer__phone="+33 8"))
    assert stale.status == 409
    assert "Customer · Phone +33 7 → +33 8" in stale.words
    preview = await browser.post(path, dict(stale.form(path).fields))
    assert "Customer · Phone +33 7 → +33 8" in preview.words
    same = await browser.post(path, _typed(shown, path, deed="save", customer__phone="+33 7"))
    assert (same.status, "No unsaved changes." in same.words) == (409, True)
    assert "Preview the changes" not in same.words, "there is nothing to save"


@pytest.mark.parametrize("seen", ["", "nonsense", "[1]", '{"note": 5}', "[" * 50_000])
async def test_a_stale_form_that_lost_what_it_showed_is_compared_with_the_order(
    backoffice: Backoffice, seen: str
) -> None:
    browser, _, path, shown = await _begun(backoffice)
    other = await backoffice.signed_in()
    theirs = _typed(await other.get(path), path, customer__phone="+33 7")
    assert (await _saved(backoffice, other, path, theirs)).status == 303
    stale = await browser.post(path, _typed(shown, path, deed="save", note="Au voisin", seen=seen))
    assert (stale.status, "Au voisin" in stale.words) == (409, True)


@pytest.mark.parametrize("role", [Role.FULFILMENT, Role.ACCOUNTANT])
async def test_not_everybody_edits(backoffice: Backoffice, role: Role) -> None:
    browser, merchant, path, shown = await _begun(backoffice, role)
    assert shown.status == 403
    assert (await browser.post(path, {"key": "key-12345678"})).status == 403
    assert path not in (await browser.get(f"/orders/{merchant.order.code}")).text
    stranger = await backoffice.signed_in(shop="atelier")
    assert (await stranger.get(path)).status == 404


def test_amounts_and_rates_are_typed_as_they_are_read() -> None:
    form: Any = Form([("extra-label-0", "Remise"), ("extra-amount-0", typed_amount(-250, "EUR"))])
    requested = edit_request("EUR", Form([*form.fields, ("extra-vat-0", typed_rate(550))]))
    assert requested.extra_lines is not None
    assert [(one.amount_minor, one.vat_rate) for one in requested.extra_lines] == [(-250, 550)]
    assert [typed_rate(rate) for rate in (0, 2000, 10_000)] == ["0", "20", "100"]
