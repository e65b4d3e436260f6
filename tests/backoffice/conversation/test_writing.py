"""Writing to a customer: sent once, and the typed text is never lost."""

from uuid import uuid4

import pytest

from contracts.notifier.conversation import PostMessage
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Browser
from tests.backoffice.conversation.mail_system import MailSystem
from tests.notifier.builders import a_shop
from tests.orders.rest_client import sent

pytestmark = pytest.mark.rows("B17")
TYPED = 'Bonjour,\n\nvotre colis part demain. <b>&amp;</b> "\N{GRINNING FACE}"'


async def _text_in_box(browser: Browser, path: str) -> str:
    return dict((await browser.get(path)).form(path).fields)["text"]


async def test_a_message_is_posted_once_however_often_it_is_sent(mail_system: MailSystem) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(path)
    fields = form.filled(text=TYPED)
    first = await mail_system.carry_out(browser.post(path, fields))
    assert (first.status, first.headers["location"]) == (303, path)
    again = await browser.post(path, fields)
    assert again.status == 303
    assert await mail_system.notifier.fetchval("SELECT count(*) FROM message") == 1
    page = await browser.get(path)
    assert "votre colis part demain." in page.words
    assert await _text_in_box(browser, path) == ""
    assert await mail_system.backoffice.desk.fetchval("select count(*) from message_draft") == 0


async def test_the_customer_sees_the_shop_and_colleagues_see_the_person(mail_system: MailSystem) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(path)
    await mail_system.carry_out(browser.post(path, form.filled(text="Bonjour")))
    [(_, command)] = [
        one for one in await sent(mail_system.backoffice.desk) if isinstance(one[1], PostMessage)
    ]
    assert "@" not in command.author_name
    assert await mail_system.notifier.fetchval("SELECT author FROM message") == command.author_name
    mails = await mail_system.notifier.fetch(
        "SELECT context::text AS context FROM mail WHERE template = 'message_posted'"
    )
    assert mails
    assert all(command.actor not in row["context"] for row in mails)
    assert "Camille owner" in (await browser.get(path)).words


async def test_typed_text_stays_while_the_notifier_is_down_and_goes_once(mail_system: MailSystem) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(path)
    fields = form.filled(text=TYPED)
    sent_now = await browser.post(path, fields)
    assert (sent_now.status, sent_now.headers["location"]) == (303, path)
    page = await browser.get(path)
    assert "On its way: it is sent as soon as the mail service responds." in page.words
    assert "votre colis part demain." in page.words
    assert await _text_in_box(browser, path) == "", "nothing is left to send"
    await mail_system.carry_out_all()
    page = await browser.get(path)
    assert "On its way" not in page.words
    assert page.words.count("votre colis part demain.") == 1
    assert (await browser.post(path, fields)).status == 303
    assert await mail_system.notifier.fetchval("SELECT count(*) FROM message") == 1


@pytest.mark.parametrize("text", ["", "   \n \u200b", "x" * 10_001], ids=["empty", "blank", "too long"])
async def test_a_text_that_cannot_be_sent_comes_back(mail_system: MailSystem, text: str) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(path)
    refused = await browser.post(path, form.filled(text=text))
    assert refused.status == 422
    assert dict(refused.form(path).fields)["text"] == text
    assert await mail_system.backoffice.desk.fetchval("select count(*) from command") == 0


async def test_a_refused_message_comes_back_into_the_box(mail_system: MailSystem) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    await mail_system.notifier.hub.pool.execute("UPDATE addressee SET deleted_at = now()")
    form = (await browser.get(path)).form(path)
    refused = await mail_system.carry_out(browser.post(path, form.filled(text=TYPED)))
    assert refused.status == 422
    assert "This order was deleted." in refused.words
    assert dict(refused.form(path).fields)["text"] == TYPED
    assert await _text_in_box(browser, path) == TYPED


async def test_a_draft_belongs_to_its_person_and_survives_a_reload(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    mine, theirs = await mail_system.signed_in(), await mail_system.signed_in(Role.MANAGER)
    path = f"/orders/{order.code}/conversation"
    form = (await mine.get(path)).form(path)
    kept = await mine.post(f"{path}/draft", form.filled(text=TYPED), hx_request_type="partial")
    assert kept.status == 204
    assert await _text_in_box(mine, path) == TYPED
    assert await _text_in_box(theirs, path) == ""
    await mine.post(f"{path}/draft", form.filled(text=""))
    assert await _text_in_box(mine, path) == ""


async def test_a_draft_that_arrives_after_its_message_is_none(mail_system: MailSystem) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(path)
    fields = form.filled(text=TYPED)
    await mail_system.carry_out(browser.post(path, fields))
    assert (await browser.post(f"{path}/draft", fields)).status == 303
    assert await _text_in_box(browser, path) == ""


async def test_another_text_sent_with_a_used_form_is_kept_and_not_sent(mail_system: MailSystem) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(path)
    await mail_system.carry_out(browser.post(path, form.filled(text="Premier")))
    other = await browser.post(path, form.filled(text="Second"))
    assert other.status == 422
    assert "This one was not" in other.words
    again = other.form(path)
    assert dict(again.fields)["text"] == "Second"
    assert await _text_in_box(browser, path) == "Second"
    await mail_system.carry_out(browser.post(path, again.fields))
    assert await mail_system.notifier.fetchval("SELECT count(*) FROM message") == 2


async def test_a_lost_session_keeps_the_text_in_the_sign_in_page(mail_system: MailSystem) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(path)
    await mail_system.backoffice.desk.hub.pool.execute(
        "update staff_session set expires_at = now() - interval '1 s'"
    )
    door = await browser.post(path, form.filled(text=TYPED))
    assert door.status == 401
    assert ("kept.text", TYPED) in door.form("/sign-in").fields


async def test_a_quick_reply_goes_behind_what_was_typed_in_the_orders_language(
    mail_system: MailSystem,
) -> None:
    order, browser = await mail_system.order(), await mail_system.signed_in()
    text = "Bonjour {{ customer_name }}, au sujet de {{ code }} :"
    await browser.post(
        "/settings/replies", {"key": str(uuid4()), "name": "Accueil", "text_fr": text, "text_en": "Hello"}
    )
    path = f"/orders/{order.code}/conversation"
    form = (await browser.get(path)).form(path)
    reply = await mail_system.backoffice.desk.fetchval("select reply_id from quick_reply")
    chosen = await browser.post(f"{path}/draft", form.filled(text="Déjà tapé", reply=str(reply)))
    assert chosen.status == 303
    name = await mail_system.backoffice.desk.fetchval("select customer_name from orders")
    assert await _text_in_box(browser, path) == f"Déjà tapé\n\nBonjour {name}, au sujet de {order.code} :"


async def test_who_may_only_look_sees_no_box(mail_system: MailSystem) -> None:
    order = await mail_system.order()
    accountant = await mail_system.signed_in(Role.ACCOUNTANT)
    path = f"/orders/{order.code}/conversation"
    assert (await accountant.get(path)).status == 403
    assert "conversation/panel" not in (await accountant.get(f"/orders/{order.code}")).text
    assert (await accountant.post(path, {"key": str(uuid4()), "text": "x"})).status == 403


def test_the_shops_name_is_no_address() -> None:
    assert "@" not in a_shop().name
