"""An order's page about mails and on paper: the preview while its owner is unavailable, notes kept off the paper."""

from typing import Any

import pytest

from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Backoffice, Browser
from tests.backoffice.ledger_messages import BY_CHEQUE, receive
from tests.orders.rest_client import place, sale

HOSTILE = "<script>alert(1)</script>\"'" + "W" * 200


async def _comment(browser: Browser, page: str, text: str, **query: Any) -> None:
    shown = await browser.get(page + ("?correct=" + query["correct"] if query else ""))
    fields = {**dict(shown.form(f"{page}/comment").fields), "admin_comment": text}
    assert (await browser.post(f"{page}/comment", fields)).status == 303


@pytest.mark.rows("A21", "A22")
async def test_a_preview_whose_owner_is_unavailable_reports_it_and_keeps_the_input(
    backoffice: Backoffice,
) -> None:
    placed, browser = await place(backoffice.desk, sale()), await backoffice.signed_in(Role.FULFILMENT)
    path, page = f"/orders/{placed.code}/status-preview", f"/orders/{placed.code}"
    form = (await browser.get(page)).form(f"{page}/status")
    fields = {**dict(form.fields), "label": "processing", "public_comment": HOSTILE}
    shown = await browser.post(path, fields)
    assert (shown.status, "not connected" in shown.words) == (200, True)
    assert dict(shown.form(f"{page}/status").fields)["public_comment"] == HOSTILE
    assert "<script>alert" not in shown.text
    part = await browser.post(path, fields, HX_Request_Type="partial", HX_Target="div#mail-preview")
    assert (part.status, "<html" in part.text, "not connected" in part.words) == (200, False, True)
    assert await backoffice.desk.fetchval("select count(*) from state_change where label = 'processing'") == 0
    accountant = await backoffice.signed_in(Role.ACCOUNTANT)
    assert (await accountant.post(path, fields)).status == 403


async def test_notes_stay_off_the_paper_unless_requested(backoffice: Backoffice) -> None:
    placed, browser = await place(backoffice.desk, sale()), await backoffice.signed_in()
    page = f"/orders/{placed.code}"
    await receive(backoffice.desk, placed, **BY_CHEQUE, note="Chèque froissé")
    await _comment(browser, page, HOSTILE)
    whole = await browser.get(f"{page}/print?notes=yes")
    for text in ("Sonner deux fois.", "Chèque froissé", "<script>alert(1)", "Zoé Martin", "€84.00"):
        assert text in whole.words
    assert "<script>alert" not in whole.text
    assert "192.0.2.7" not in whole.words
    assert [form for form in whole.forms if placed.code in form.action] == []
    plain = await browser.get(f"{page}/print")
    assert "today at" not in plain.words, "paper is read on other days"
    assert "France" in plain.words
    for text in ("Sonner deux fois.", "Chèque froissé", "<script>alert(1)"):
        assert text not in plain.words
    assert "Zoé Martin" in plain.words
    stranger = await backoffice.signed_in(shop="atelier")
    assert (await stranger.get(f"{page}/print")).status == 404


async def test_a_wrong_comment_is_countered_by_another_that_names_it(backoffice: Backoffice) -> None:
    placed, browser = await place(backoffice.desk, sale()), await backoffice.signed_in()
    page = f"/orders/{placed.code}"
    await _comment(browser, page, "Déjà parti")
    first = await backoffice.desk.fetchval("select comment_id from comment")
    assert f"{page}?correct={first}#activity" in (await browser.get(page)).text
    await _comment(browser, page, "Pas encore parti", correct=str(first))
    shown = await browser.get(page)
    assert "Corrects an earlier comment: Pas encore parti" in shown.words
    assert "Déjà parti" in shown.words
    fields = {**dict(shown.form(f"{page}/comment").fields), "admin_comment": "x", "counters": "nonsense"}
    assert (await browser.post(f"{page}/comment", fields)).status == 422
