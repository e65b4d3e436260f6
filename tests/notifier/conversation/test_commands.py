"""The staff's commands about a thread: each ends once, and a message is mailed to the customer once."""

import pytest

from contracts.envelope import uuid7
from contracts.message import Reason
from contracts.notifier.conversation import MessagePosted, ThreadChanged
from contracts.orders.lifecycle import Buyer
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk
from tests.builders.orders import deleted
from tests.conftest import Desks
from tests.notifier.builders import an_edit, an_order
from tests.notifier.conversation.builders import DOMAIN, a_change, a_filing, a_message, reply_address
from tests.notifier.made_up_mails import text_of
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import a_desk, send_until, settled
from tests.notifier.test_api import a_client

pytestmark = pytest.mark.rows("B17")


def reasons(rejected: CommandRejected) -> list[str]:
    return [Reason.model_validate(reason).code for reason in rejected.reasons]


async def mails_of(desk: Desk, template: str) -> list[str]:
    rows = await desk.fetch("SELECT recipient FROM mail WHERE template = $1 ORDER BY created_at", template)
    return [row["recipient"] for row in rows]


async def test_a_message_of_staff_is_published_and_mailed_to_the_customer(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server, inbound_domain=DOMAIN)
    order = an_order()
    await desk.deliver(order)
    message = a_message(order.order_id)
    outcome = await desk.deliver(message)
    (posted,) = outcome.messages_of(MessagePosted)
    assert (posted.message_id, posted.author_role, posted.author) == (message.message_id, "staff", "Léa")
    assert (posted.thread.version, posted.thread.state, posted.thread.unread) == (1, "waiting_customer", 0)
    assert posted.excerpt == "Bonjour Zoé, quelle taille vous faut-il pour la bougie ? Léa"
    assert await send_until(desk, sender, settled) == {"done": 3}
    (letter,) = [one for one in mail_server.journal if "taille" in text_of(one)]
    assert "quelle taille vous faut-il" in text_of(letter)
    assert letter["Reply-To"] == reply_address(order)
    assert "Auto-Submitted" not in letter
    assert "lea@atelier.example" not in str(letter)
    recap = await desk.fetchval("SELECT message_id FROM mail WHERE template = 'order_recap'")
    assert letter["In-Reply-To"] == recap
    second = a_message(order.order_id, text="Nous avons aussi la 44.")
    await desk.deliver(second)
    await send_until(desk, sender, settled)
    (last,) = [one for one in mail_server.journal if "aussi la 44" in text_of(one)]
    assert last["In-Reply-To"] == letter["Message-ID"]
    assert str(last["References"]).split() == [recap, letter["Message-ID"]]


async def test_automatic_mails_request_no_automatic_answer(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server, inbound_domain=DOMAIN)
    order = an_order()
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    letters = {one["To"].addresses[0].username: one for one in mail_server.journal}
    assert letters["zoe"]["Reply-To"] == reply_address(order)
    assert letters["zoe"]["Auto-Submitted"] == "auto-generated"
    assert letters["zoe"]["X-Auto-Response-Suppress"] == "All"
    assert letters["commandes"]["Reply-To"] == "bonjour@atelier.example"
    kept = await desk.fetch("SELECT role, address FROM participant ORDER BY role")
    assert [tuple(row) for row in kept] == [("customer", None)]


async def test_a_message_handled_thrice_is_one_message_and_one_mail(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    await desk.deliver(order)
    message = a_message(order.order_id)
    first, again = await desk.deliver(message), await desk.deliver(message)
    assert len(first.messages_of(MessagePosted)) == 1
    assert [len(again.messages_of(kind)) for kind in (MessagePosted, CommandDone)] == [0, 1]
    assert await desk.fetchval("SELECT count(*) FROM message") == 1
    assert await mails_of(desk, "message_posted") == ["zoe@clients.example"]


async def test_a_message_waits_for_its_order_and_goes_to_the_address_of_now(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    assert (await desk.deliver(a_message(order.order_id))).result == "waiting"
    await desk.deliver(order)
    await desk.retry()
    await desk.deliver(an_edit(order))
    await desk.deliver(a_message(order.order_id, text="Encore un mot."))
    assert await mails_of(desk, "message_posted") == ["zoe@clients.example", "zoe@nouvelle.example"]


async def test_a_customer_without_an_address_has_a_thread_and_gets_no_mail(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order(customer=Buyer(name="Zoé Lefèvre"))
    await desk.deliver(order)
    outcome = await desk.deliver(a_message(order.order_id))
    assert len(outcome.messages_of(MessagePosted)) == 1
    assert await mails_of(desk, "message_posted") == []


async def test_a_thread_is_closed_reopened_assigned_and_a_repeat_changes_nothing(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    await desk.deliver(order)
    (empty,) = (await desk.deliver(a_change(order.order_id, "close"))).messages_of(CommandRejected)
    assert reasons(empty) == ["thread_empty"]
    await desk.deliver(a_message(order.order_id))
    states = []
    for change, assignee in (("assign", "paul"), ("close", None), ("reopen", None), ("assign", None)):
        (changed,) = (await desk.deliver(a_change(order.order_id, change, assignee=assignee))).messages_of(
            ThreadChanged
        )
        states.append((changed.thread.version, changed.thread.state, changed.thread.assignee))
    assert states == [
        (2, "waiting_customer", "paul"),
        (3, "closed", "paul"),
        (4, "waiting_staff", "paul"),
        (5, "waiting_staff", None),
    ]
    assert len((await desk.deliver(a_change(order.order_id, "reopen"))).messages_of(CommandDone)) == 1


async def test_blank_text_and_unknown_mail_are_refused_with_the_reason(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    await desk.deliver(order)
    (blank,) = (await desk.deliver(a_message(order.order_id, text=" \n\u200b"))).messages_of(CommandRejected)
    (unknown,) = (await desk.deliver(a_filing(uuid7(), order_id=order.order_id))).messages_of(CommandRejected)
    assert [reasons(blank), reasons(unknown)] == [["text_blank"], ["inbound_unknown"]]


async def test_nothing_is_left_of_the_thread_of_a_deleted_order(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    await desk.deliver(order)
    await desk.deliver(a_message(order.order_id))
    await desk.deliver(deleted(order))
    for table in ("thread", "message", "participant"):
        assert await desk.fetchval(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608
    (rejected,) = (await desk.deliver(a_message(order.order_id))).messages_of(CommandRejected)
    assert reasons(rejected) == ["order_deleted"]


async def test_the_routes_show_threads_and_mark_nothing_as_read(desks: Desks) -> None:
    desk = await desks("notifier")
    order, other = an_order(), an_order(code="AAAA-BBBB", customer=Buyer(name="Ana", email="ana@b.example"))
    for one in (order, other):
        await desk.deliver(one)
        await desk.deliver(a_message(one.order_id, text=f"Au sujet de {one.code} : 100 %"))
    async with a_client(desk) as client:
        everything = (await client.get("/internal/threads", params={"shop": order.shop})).json()
        assert [one["code"] for one in everything["threads"]] == ["AAAA-BBBB", order.code]
        assert everything["threads"][0]["customer"] == "Ana"
        first = (await client.get("/internal/threads", params={"limit": 1})).json()
        rest = (await client.get("/internal/threads", params={"limit": 1, "before": first["next"]})).json()
        assert [one["code"] for one in rest["threads"]] == [order.code]
        for text, found in (("aaaa-bbbb", 1), ("zoe@", 1), ("lefèv", 1), ("100 %", 2), ("100_%", 0)):
            listed = (await client.get("/internal/threads", params={"text": text})).json()["threads"]
            assert len(listed) == found, text
        sought = {"text": "100 %", "limit": "1"}
        first = (await client.get("/internal/threads", params=sought)).json()
        rest = (await client.get("/internal/threads", params={**sought, "before": first["next"]})).json()
        assert [one["code"] for one in (*first["threads"], *rest["threads"])] == ["AAAA-BBBB", order.code]
        await desk.deliver(an_edit(order, customer={"name": "Inès", "email": "ines@clients.example"}))
        for text, found in (("lefèv", 0), ("inès", 1), ("ines@", 1)):
            listed = (await client.get("/internal/threads", params={"text": text})).json()["threads"]
            assert len(listed) == found, text
        assert (await client.get("/internal/threads", params={"state": "open"})).status_code == 422
        shown = (await client.get(f"/internal/threads/{order.shop}/{order.order_id}")).json()
        assert shown["messages"][0]["segments"] == [
            {"kind": "shown", "text": f"Au sujet de {order.code} : 100 %"}
        ]
        assert shown["summary"] == everything["threads"][1]["summary"]
        empty = (await client.get(f"/internal/threads/{order.shop}/{uuid7()}")).json()
        assert (empty["summary"], empty["messages"]) == (None, [])
        inbound = (await client.get("/internal/inbound", params={"shop": order.shop})).json()
        assert inbound == {"mails": [], "counts": {}, "next": None}
        assert (await client.get(f"/internal/inbound/{uuid7()}/raw")).status_code == 404
