"""The conversation in the back office: the inbox, a thread, and its state."""

import json
from uuid import uuid4

import pytest

from contracts.notifier.conversation import AuthorRole, Channel
from services.notifier.conversation import queries
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import SHOP as OTHER_SHOP
from tests.backoffice.conversation.mail_system import MailSystem

pytestmark = pytest.mark.rows("B17")
HOSTILE = '<script>alert(1)</script>"</textarea>'


async def test_a_customers_message_shows_in_the_inbox_and_its_thread(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    await mail_system.customer_writes(order, f"Où est mon colis ? {HOSTILE}")
    browser = await mail_system.signed_in(Role.FULFILMENT)
    inbox = await browser.get("/conversation")
    assert order.code in inbox.words
    assert "Où est mon colis ?" in inbox.words
    assert "1 unread" in inbox.words
    thread = await browser.get(f"/orders/{order.code}/conversation")
    assert "Où est mon colis ?" in thread.words
    assert "<script>alert" not in thread.text
    assert "1 unread message" in thread.words


async def test_the_menu_counts_what_waits_for_an_answer(mail_system: MailSystem) -> None:
    browser = await mail_system.signed_in()
    assert "to answer" not in (await browser.get("/conversation/count")).words
    for _ in range(2):
        await mail_system.customer_writes(await mail_system.order(), "Bonjour")
    await mail_system.receives(b"From: x@y.example\n\nBonjour")
    assert ", 3 to answer" in (await browser.get("/conversation/count")).words
    accountant = await mail_system.signed_in(Role.ACCOUNTANT)
    assert (await accountant.get("/conversation/count")).status == 403


async def test_tabs_show_whose_turn_it_is(mail_system: MailSystem) -> None:
    waiting, answered, closed = [await mail_system.order() for _ in range(3)]
    browser = await mail_system.signed_in()
    for order in (waiting, answered, closed):
        await mail_system.customer_writes(order, "Une question")
    form = (await browser.get(f"/orders/{answered.code}/conversation")).form(
        f"/orders/{answered.code}/conversation"
    )
    done = await mail_system.carry_out(browser.post(form.action, form.filled(text="Voici")))
    assert done.status == 303
    form = (await browser.get(f"/orders/{closed.code}/conversation")).form(
        f"/orders/{closed.code}/conversation/close"
    )
    assert (await mail_system.carry_out(browser.post(form.action, form.fields))).status == 303
    shown = {
        tab: (await browser.get(f"/conversation?tab={tab}")).words
        for tab in ("", "customer", "closed", "all")
    }
    codes = {"": waiting.code, "customer": answered.code, "closed": closed.code}
    for tab, words in shown.items():
        assert {code for code in codes.values() if code in words} == (
            set(codes.values()) if tab == "all" else {codes[tab]}
        )


async def test_a_thread_is_found_by_its_words_its_code_and_its_customer(mail_system: MailSystem) -> None:
    order, other = await mail_system.order(), await mail_system.order()
    await mail_system.customer_writes(order, "La bougie au figuier est cassée")
    await mail_system.customer_writes(other, "Merci")
    browser = await mail_system.signed_in()
    for text in ("figuier", order.code):
        found = (await browser.get(f"/conversation?tab=all&q={text}")).words
        assert (order.code in found, other.code in found) == (True, False)
    assert "No matching conversations" in (await browser.get("/conversation?tab=all&q=nowhere")).words


async def test_messages_state_who_wrote_them_how_and_what_proves_it(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    await mail_system.customer_writes(
        order,
        "",
        via=Channel.MAIL,
        verified="dmarc",
        segments=[
            {"kind": "shown", "text": "Oui"},
            {"kind": "quote", "text": "Taille ?"},
            {"kind": "folded", "text": "Le 3 novembre, la boutique a écrit :"},
        ],
    )
    await mail_system.customer_writes(
        order,
        "Je réponds pour elle",
        author_role=AuthorRole.OTHER,
        via=Channel.MAIL,
        author="Partenaire",
        address="partner@elsewhere.example",
    )
    await mail_system.customer_writes(order, "Je suis en congé", via=Channel.MAIL, is_automatic=True)
    page = await (await mail_system.signed_in()).get(f"/orders/{order.code}/conversation")
    assert "The sender is verified by their domain." in page.words
    assert "The sender is not verified." in page.words
    assert "Not the customer’s address partner@elsewhere.example" in page.words
    assert "<blockquote" in page.text
    assert "Earlier text" in page.words
    assert page.text.count("<details") == 2, "the folded text and the automatic reply"


async def test_an_address_is_recognised_as_the_customers_with_one_click(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    other = {"author_role": AuthorRole.OTHER, "via": Channel.MAIL, "author": "Paul"}
    await mail_system.customer_writes(order, "C’est moi", address="paul@partner.example", **other)
    browser = await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(f"{path}/participants")
    done = await mail_system.carry_out(browser.post(form.action, form.fields))
    assert (done.status, done.headers["location"]) == (303, path)
    page = await browser.get(path)
    assert "The customer’s other address paul@partner.example Recognised by Camille owner" in page.words
    assert "Not the customer’s address" not in page.words
    assert await mail_system.notifier.fetchval("SELECT added_by FROM customer_address")
    assert (
        "paul@partner.example recognised as the customer’s"
        in (await browser.get(f"/orders/{order.code}")).words
    )
    unknown = await mail_system.carry_out(
        browser.post(form.action, [("key", str(uuid4())), ("address", "x@y.example")])
    )
    assert (unknown.status, "No message in this conversation came from" in unknown.words) == (422, True)
    refused = await browser.post(form.action, [("key", str(uuid4())), ("address", "")])
    assert refused.status == 422
    accountant = await mail_system.signed_in(Role.ACCOUNTANT)
    assert (await accountant.post(form.action, form.fields)).status == 403
    back = page.form(f"{path}/participants/remove")
    assert (await accountant.post(back.action, back.fields)).status == 403
    assert (await browser.post(back.action, [("key", str(uuid4())), ("address", "")])).status == 422
    done = await mail_system.carry_out(browser.post(back.action, back.fields))
    assert (done.status, done.headers["location"]) == (303, path)
    page = await browser.get(path)
    assert "Mails from paul@partner.example no longer count as the customer’s." in page.words
    assert "Not the customer’s address paul@partner.example This is the customer" in page.words
    assert await mail_system.notifier.fetchval("SELECT count(*) FROM customer_address") == 0
    assert (
        "paul@partner.example no longer counts as the customer’s"
        in (await browser.get(f"/orders/{order.code}")).words
    )


async def test_a_thread_is_given_to_a_person_and_to_nobody(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    await mail_system.customer_writes(order, "Bonjour")
    colleague = await mail_system.backoffice.hire(Role.MANAGER, order.shop, name="Malik")
    accountant = await mail_system.backoffice.hire(Role.ACCOUNTANT, order.shop)
    browser = await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(f"{path}/assign")
    assert accountant not in (await browser.get(path)).text
    done = await mail_system.carry_out(browser.post(form.action, form.filled(assignee=colleague)))
    assert done.status == 303
    assert "Malik" in (await browser.get(path)).words
    stranger = await browser.post(form.action, [("key", "0190-another"), ("assignee", accountant)])
    assert stranger.status == 422
    form = (await browser.get(path)).form(f"{path}/assign")
    await mail_system.carry_out(browser.post(form.action, form.filled(assignee="")))
    assert await mail_system.notifier.fetchval("SELECT assignee FROM thread") is None


async def test_opening_changes_nothing_and_marking_as_read_is_a_post(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    await mail_system.customer_writes(order, "Bonjour")
    browser = await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    for part in ("", "/panel", "/messages"):
        assert (await browser.get(f"{path}{part}")).status == 200
    assert await mail_system.backoffice.desk.fetchval("select count(*) from command") == 0
    form = (await browser.get(path)).form(f"{path}/read")
    assert (await mail_system.carry_out(browser.post(form.action, form.fields))).status == 303
    assert await mail_system.notifier.fetchval("SELECT unread FROM thread") == 0
    assert "unread message" not in (await browser.get(path)).words


async def test_an_unavailable_notifier_is_reported_with_what_is_known(
    mail_system: MailSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await mail_system.order()
    await mail_system.customer_writes(order, "Où est mon colis ?")
    monkeypatch.setattr(mail_system.backoffice.app_state.settings, "notifier_url", None)
    browser = await mail_system.signed_in()
    page = await browser.get(f"/orders/{order.code}/conversation")
    assert page.status == 200
    assert "Mail service: not connected" in page.words
    assert "Où est mon colis ?" in page.words
    assert page.form(f"/orders/{order.code}/conversation").fields
    assert "Mail service: not connected" in (await browser.get("/conversation")).words


async def test_another_shops_threads_are_not_there(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    await mail_system.customer_writes(order, "Bonjour")
    browser = await mail_system.backoffice.signed_in(Role.OWNER, OTHER_SHOP)
    assert (await browser.get(f"/orders/{order.code}/conversation")).status == 404
    assert order.code not in (await browser.get("/conversation?tab=all")).words


async def test_the_activity_names_the_conversation(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    await mail_system.customer_writes(order, "Bonjour")
    kinds = await mail_system.backoffice.desk.fetch(
        "select kind, data from activity where kind = 'message_posted'"
    )
    assert [json.loads(row["data"])["author_role"] for row in kinds] == ["customer"]
    page = await (await mail_system.signed_in()).get(f"/orders/{order.code}")
    assert "Message from Zoé Lefèvre" in page.words
    assert f"/orders/{order.code}/conversation/panel" in page.text


async def test_a_notifier_before_the_upgrade_is_named_in_the_tab_that_it_can_not_answer(
    mail_system: MailSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "NOT_CLOSED", "a filter of later")
    order = await mail_system.order()
    await mail_system.customer_writes(order, "Une question")
    browser = await mail_system.signed_in()
    shown = await browser.get("/conversation?tab=mine")
    assert shown.status == 200
    assert (
        "Mail service is still running an older version. This is shown once the upgrade has finished."
        in shown.words
    )
    assert order.code in (await browser.get("/conversation")).words
    assert (await browser.get("/conversation?tab=mine&before=moon")).status == 404
