"""Quick replies: texts in both languages whose placeholders are checked when they are saved."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.conversation.quick_replies import (
    PLACEHOLDERS,
    QuickReply,
    filled,
    objection,
)
from services.orders.backoffice.language.translating import PageLocale, using_locale
from tests.backoffice.browser import Backoffice, Browser, Shown

HERE = "/settings/replies"
VALUES = {"customer_name": "Odile Martin", "code": "K7Q2"}


async def _send(browser: Browser, path: str, **fields: str) -> Shown:
    return await browser.post(path, {"key": str(uuid4()), **fields})


async def test_a_reply_is_added_changed_and_deleted(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    added = await _send(
        browser, HERE, name="Late parcel", text_fr="Bonjour {{ customer_name }}", text_en="Hello {{code}}"
    )
    assert (added.status, added.headers["location"]) == (303, HERE)
    [row] = await backoffice.desk.fetch("select reply_id, text_fr, text_en, changed_by from quick_reply")
    assert (row["text_fr"], row["text_en"]) == ("Bonjour {{ customer_name }}", "Hello {{code}}")
    assert "Late parcel" in (await browser.get(HERE)).words
    one = f"{HERE}/{row['reply_id']}"
    assert (await _send(browser, one, name="Late", text_fr="", text_en="Sorry")).status == 303
    assert await backoffice.desk.fetchval("select text_en from quick_reply") == "Sorry"
    assert (await _send(browser, f"{one}/delete")).status == 303
    assert (await browser.get(one)).status == 404


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Bonjour\n{{ custmer_name }}", "Line 2: there is no placeholder {{ custmer_name }}"),
        ("Bonjour {{ customer_name", "Line 1: close the placeholder"),
        ("{{ customer_name\n}}", "Line 1: close the placeholder"),
        ("{{ }}", "Line 1: there is no placeholder"),
        ("", "Enter the text in at least one language"),
    ],
)
async def test_a_text_with_a_wrong_placeholder_is_refused_and_comes_back(
    backoffice: Backoffice, text: str, why: str
) -> None:
    browser = await backoffice.signed_in()
    refused = await _send(browser, HERE, name="Late", text_fr=text, text_en="")
    assert refused.status == 422
    assert why in refused.words
    assert ("text_fr", text) in refused.form(HERE).fields
    assert await backoffice.desk.fetchval("select count(*) from quick_reply") == 0


async def test_a_name_is_used_once_in_a_shop(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    assert (await _send(browser, HERE, name="Retard", text_fr="a", text_en="")).status == 303
    taken = await _send(browser, HERE, name="RETARD", text_fr="b", text_en="")
    assert (taken.status, "already a quick reply with this name" in taken.words) == (422, True)
    other = await backoffice.signed_in(shop="autre")
    assert "Retard" not in (await other.get(HERE)).words
    assert (await _send(other, HERE, name="Retard", text_fr="a", text_en="")).status == 303


async def test_only_those_who_change_settings_may(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(Role.FULFILMENT)
    assert (await browser.get(HERE)).status == 403
    assert (await _send(browser, HERE, name="x", text_fr="x", text_en="")).status == 403


def test_a_reply_is_offered_in_the_orders_language_or_the_other() -> None:
    reply = QuickReply(uuid4(), "Late", {"fr": "Bonjour {{ customer_name }}", "en": ""})
    assert reply.text("fr", VALUES) == "Bonjour Odile Martin"
    assert reply.text("en", VALUES) == "Bonjour Odile Martin"


@given(st.text(alphabet="{} \nabcode_", max_size=60))
def test_what_can_be_stored_reaches_a_customer_without_braces(text: str) -> None:
    with using_locale(PageLocale("en")):
        why = objection(text)
    if why is None:
        assert not {"{{", "}}"} & set(filled(text, dict.fromkeys(PLACEHOLDERS, "x")).split())
        assert "{{" not in filled(text, dict.fromkeys(PLACEHOLDERS, "x"))
