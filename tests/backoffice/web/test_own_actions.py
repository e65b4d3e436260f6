"""What is orders' own: once per form, refused in words, and a stale form keeps its text."""

import asyncio
from uuid import UUID, uuid4

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.translating import N_
from services.orders.backoffice.web.actions.action import carry_out, content_hash, key_of
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Page
from services.orders.order.history import require_revision
from services.orders.order.unit.actions import open_orders
from services.orders.staff import commenting
from tests.backoffice.browser import Backoffice
from tests.orders.rest_client import place, sale


async def _order_with_page(backoffice: Backoffice) -> UUID:
    """An order, and a page that comments on it when the form's revision is the order's."""
    placed = await place(backoffice.desk, sale(shop="maison"))

    async def comment(context: PageContext) -> Response:
        form = await context.form()
        context.field_labels = {"text": N_("Comment added")}

        async def act(unit: Unit) -> None:
            work = await open_orders(unit, context.shop, [placed.order_id])
            await require_revision(unit.connection, work.orders[context.shop, placed.order_id], form.revision)
            await commenting.comment(unit, context.shop, placed.order_id, form["text"], context.actor)

        return await carry_out(context, act, to="/", flash="Commented.")

    backoffice.add(Page("/order/comment", "POST", Permission.ORDERS_COMMENT, comment, "order.comment"))
    return placed.order_id


async def _revision(backoffice: Backoffice) -> str:
    return str(await backoffice.desk.fetchval("select revision from orders"))


def _fields(text: str, revision: str) -> dict[str, str]:
    return {"key": str(uuid4()), "revision": revision, "text": text}


async def _comments(backoffice: Backoffice) -> list[str]:
    return [row["text"] for row in await backoffice.desk.fetch("select text from comment order by 1")]


async def test_a_form_counts_once_however_often_it_is_sent(backoffice: Backoffice) -> None:
    await _order_with_page(backoffice)
    browser = await backoffice.signed_in()
    fields = _fields("Rappeler la cliente.", await _revision(backoffice))
    answers = await asyncio.gather(*(browser.post("/order/comment", fields) for _ in range(4)))
    assert [answer.status for answer in answers] == [303] * 4
    assert await _comments(backoffice) == ["Rappeler la cliente."]
    changed = await browser.post("/order/comment", {**fields, "text": "Autre chose."})
    assert changed.status == 409
    assert await _comments(backoffice) == ["Rappeler la cliente."]
    outcomes = [row["outcome"] for row in await backoffice.audit() if row["action"] == "order.comment"]
    assert sorted(outcomes) == ["done", "repeated", "repeated", "repeated", "stale"]


async def test_two_people_on_one_order(backoffice: Backoffice) -> None:
    await _order_with_page(backoffice)
    first, second = await backoffice.signed_in(), await backoffice.signed_in()
    seen = await _revision(backoffice)
    await first.post("/order/comment", _fields("Je m’en occupe.", seen))
    typed = _fields("Moi aussi <b>je</b> m’en occupe.", seen)
    refused = await second.post("/order/comment", typed)
    assert refused.status == 409
    assert "owner-" in refused.words, "who changed it"
    assert "Comment added" in refused.words, "what they did"
    assert "Moi aussi <b>je</b> m’en occupe." in refused.words
    assert "<b>je" not in refused.text
    assert await _comments(backoffice) == ["Je m’en occupe."]
    sent = await second.post("/order/comment", refused.form("/order/comment").fields)
    assert sent.status == 303
    assert len(await _comments(backoffice)) == 2


async def test_a_refusal_is_a_page_in_the_readers_words_and_leaves_the_key(backoffice: Backoffice) -> None:
    await _order_with_page(backoffice)
    browser = await backoffice.signed_in(language="fr")
    fields = _fields("   ", await _revision(backoffice))
    refused = await browser.post("/order/comment", fields)
    assert refused.status == 422
    assert "Écrivez quelque chose" in refused.words
    assert (await browser.post("/order/comment", {**fields, "text": "Bien."})).status == 303


def test_a_form_keeps_the_key_and_the_hash_that_earlier_releases_stored() -> None:
    fields = [("key", "0192f3c5-7b1e-7000"), ("admin_comment", "Rappeler la cliente."), ("csrf", "x")]
    form = Form([*fields, ("revision", "4")])
    assert key_of(form) == "form:0192f3c5-7b1e-7000"
    stored = "b52f2bdb2578fbb78890bfbbd4e7c062b67c96decc9fd59b1325a9695db66b2f"
    assert content_hash(form).hex() == stored
    assert content_hash(Form([("revision", "5"), *fields])).hex() == stored, "in any order, at any revision"
    assert content_hash(Form([*fields, ("name", "VIP")])).hex() != stored


async def test_a_form_that_an_earlier_release_processed_is_recognized(backoffice: Backoffice) -> None:
    await _order_with_page(backoffice)
    browser = await backoffice.signed_in()
    fields = {"key": "0192f3c5-7b1e-7000", "text": "Rappeler la cliente."}
    stored = "dd2a2511e33f0ebcd7c14cfc2d95a703f680ebd12da71267c95c4bbd02a8d14e"
    async with backoffice.desk.unit() as unit:
        await unit.connection.execute(
            "INSERT INTO form_sent (shop, key, content_hash, sent_at) VALUES ('maison', $1, $2, now())",
            *("form:0192f3c5-7b1e-7000", bytes.fromhex(stored)),
        )
    assert (await browser.post("/order/comment", fields)).status == 303
    assert await _comments(backoffice) == []
    assert (await browser.post("/order/comment", {**fields, "text": "Autre chose."})).status == 409
