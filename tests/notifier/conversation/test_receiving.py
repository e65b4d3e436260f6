"""Mails over real LMTP into a real PostgreSQL: each is stored before its 250 and ends exactly once."""

from typing import Any
from uuid import UUID

import pytest

from contracts.notifier.conversation import MessagePosted
from contracts.orders.lifecycle import OrderPlaced
from services.chassis.testing import Desk
from services.notifier.conversation.participant_store import insert_participants
from services.notifier.conversation.reply_addresses import AddressMaker
from services.notifier.mails import store as mail_store
from tests.builders.orders import deleted
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.notifier.conversation.builders import DOMAIN, a_change, a_filing, a_message, reply_address
from tests.notifier.conversation.receiving import a_receiver, a_receiving_desk, an_answer, hand_over, read_all
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.bounces.letters import a_report
from tests.notifier.sending.test_sending import a_desk, send_until, settled
from tests.notifier.test_api import a_client

pytestmark = pytest.mark.rows("B17", "C23")


async def an_open_thread(desk: Desk, **changes: Any) -> OrderPlaced:
    """An order whose customer was written to, and may answer."""
    order = an_order(**changes)
    await desk.deliver(order)
    await desk.deliver(a_message(order.order_id))
    await with_addresses(desk)
    return order


async def with_addresses(desk: Desk) -> None:
    """Make the reply addresses of all mails, as sending them does."""
    ids = [row["id"] for row in await desk.fetch("SELECT id FROM mail")]
    await addresses_of(desk, ids)


async def addresses_of(desk: Desk, ids: list[UUID]) -> list[str]:
    """Make the reply addresses of these mails, as sending them does."""
    maker = AddressMaker(desk.hub)
    async with desk.hub.acquire() as connection:
        mails = await mail_store.read_mails(connection, ids)
        made = [one for one in map(maker.reply_address, mails) if one is not None]
        await insert_participants(connection, {one.row.token_hash: one.row for one in made}.values())
    return [one.address for one in made]


async def ends(desk: Desk) -> list[tuple[str, str | None]]:
    rows = await desk.fetch("SELECT outcome, reason FROM inbound_mail ORDER BY inbound_id")
    return [(row["outcome"], row["reason"]) for row in rows]


async def messages(desk: Desk, order: OrderPlaced) -> list[tuple[str, str, bool]]:
    """Role, shown text and whether automatic, of the answers in a thread."""
    async with a_client(desk) as client:
        thread = (await client.get(f"/internal/threads/{order.shop}/{order.order_id}")).json()
    return [
        (
            one["author_role"],
            "".join(part["text"] for part in one["segments"] if part["kind"] == "shown").strip(),
            one["is_automatic"],
        )
        for one in thread["messages"]
        if one["via"] == "mail"
    ]


async def notified(desk: Desk) -> int:
    return await desk.fetchval("SELECT count(*) FROM mail WHERE template = 'message_received'")


async def test_an_answer_is_posted_as_the_customers_and_the_merchant_is_notified(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    quoted = "> quelle taille vous faut-il pour la bougie ?"
    above = "La 42.\n\nLe lun. 30 nov. 2026 à 09:12, Atelier <b@a.example>\na écrit :\n\n"
    text = f"{above}> Bonjour Zoé,\n>\n{quoted}\n>\n> Léa\n"
    async with a_receiver(desk) as port:
        assert await hand_over(port, an_answer(text), reply_address(order).upper()) == [250, 250]
        assert await desk.fetchval("SELECT count(*) FROM inbound_mail WHERE outcome IS NULL") == 1
        await read_all(desk)
    assert await ends(desk) == [("posted", None)]
    assert await messages(desk, order) == [("customer", "La 42.", False)]
    assert await notified(desk) == 1
    (thread,) = await desk.fetch("SELECT state, unread FROM thread")
    assert tuple(thread) == ("waiting_staff", 1)
    types = await desk.fetch("SELECT type FROM msg.event_log ORDER BY id DESC LIMIT 2")
    assert {row["type"] for row in types} == {"notifier.message.posted.v1", "notifier.mail.received.v1"}


async def test_a_mail_delivered_twice_is_one_message(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    async with a_receiver(desk) as port:
        for server in ("a", "b"):
            again = f"Received: by {server}.example\r\nReturn-Path: <{server}>\r\n".encode() + an_answer()
            assert await hand_over(port, again, reply_address(order)) == [250, 250]
        await read_all(desk)
        await read_all(desk)
    assert await messages(desk, order) == [("customer", "Oui", False)]


async def test_recipients_that_are_nobody_are_refused_and_each_gets_its_answer(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    one, other = await an_open_thread(desk), await an_open_thread(desk)
    unknown = f"r-{'a' * 26}@{DOMAIN}"
    async with a_receiver(desk) as port:
        both = await hand_over(port, an_answer(), reply_address(one), unknown, reply_address(other))
        assert both == [250, 550, 250, 250, 250]
        assert await hand_over(port, an_answer(), f"b-{'a' * 26}@{DOMAIN}") == [550]
        assert await hand_over(port, an_answer(), "zoe@clients.example") == [550]
        await read_all(desk)
        assert await messages(desk, one) == await messages(desk, other) == [("customer", "Oui", False)]
        await desk.deliver(deleted(one))
        assert await hand_over(port, an_answer("Encore"), reply_address(one)) == [550]
    assert await desk.fetchval("SELECT count(*) FROM inbound_mail") == 1


async def test_a_mail_that_is_too_large_is_refused_before_it_is_sent(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    async with a_receiver(desk) as port:
        assert await hand_over(port, an_answer(), reply_address(order), size=26 * 1024 * 1024) == [552]
        assert await hand_over(port, an_answer(), reply_address(order), size=25 * 1024 * 1024) == [250, 250]


async def test_without_its_database_the_receiver_has_the_sender_try_again(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    async with a_receiver(desk) as port:
        assert await hand_over(port, an_answer("Avant"), reply_address(order)) == [250, 250]
        await read_all(desk)
        await desk.hub.pool.close()
        assert await hand_over(port, an_answer(), reply_address(order)) == [451]


async def test_somebody_else_with_the_address_is_shown_with_theirs_and_never_becomes_the_customer(
    desks: Desks,
) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    async with a_receiver(desk) as port:
        await hand_over(
            port, an_answer("C’est moi", From="Paul <paul@partner.example>"), reply_address(order)
        )
        await read_all(desk)
    assert await messages(desk, order) == [("other", "C’est moi", False)]
    assert (
        await desk.fetchval("SELECT address FROM message WHERE author_role = 'other'")
        == "paul@partner.example"
    )
    assert await desk.fetchval("SELECT email FROM addressee") == "zoe@clients.example"
    assert await notified(desk) == 1


async def a_staff_address(desk: Desk, order: OrderPlaced) -> str:
    """The address to which the merchant answers, made as sending a mail to them makes it."""
    (address,) = await addresses_of(
        desk, [await desk.fetchval("SELECT id FROM mail WHERE template = 'new_order'")]
    )
    return address


@pytest.mark.parametrize(
    ("results", "sender", "is_posted"),
    [
        ("mx.atelier.example; dmarc=pass header.from=atelier.example", "commandes@atelier.example", True),
        ("mx.atelier.example; dmarc=fail", "commandes@atelier.example", False),
        ("mx.evil.example; dmarc=pass", "commandes@atelier.example", False),
        ("mx.atelier.example; dmarc=pass", "mallory@evil.example", False),
    ],
)
async def test_staff_are_believed_only_when_our_own_server_vouches_for_them(
    desks: Desks, results: str, sender: str, is_posted: bool
) -> None:
    desk = await a_receiving_desk(desks, inbound_authserv_id="mx.atelier.example")
    order = await an_open_thread(desk)
    address = await a_staff_address(desk, order)
    mail = an_answer("Nous remplaçons.", From=sender, Authentication_Results=results)
    before = await desk.fetchval("SELECT count(*) FROM mail WHERE template = 'message_posted'")
    async with a_receiver(desk) as port:
        assert await hand_over(port, mail, address, sender=sender) == [250, 250]
        await read_all(desk)
    after = await desk.fetchval("SELECT count(*) FROM mail WHERE template = 'message_posted'")
    assert (await ends(desk), after - before) == (
        ([("posted", None)], 1) if is_posted else ([("to_file", "staff_unverified")], 0)
    )


@pytest.mark.parametrize(
    ("headers", "sender", "is_automatic"),
    [
        ({"Auto-Submitted": "auto-replied"}, "zoe@clients.example", True),
        ({"X-Autoreply": "yes"}, "zoe@clients.example", True),
        ({}, "", True),
        ({"Subject": "Réponse automatique : absente", "In-Reply-To": "<a@b>"}, "zoe@clients.example", True),
        ({"Subject": "Réponse automatique ?"}, "zoe@clients.example", False),
        ({"Precedence": "bulk", "X-Auto-Response-Suppress": "DR"}, "zoe@clients.example", False),
        ({"Auto-Submitted": "no"}, "zoe@clients.example", False),
    ],
)
async def test_automatic_mails_are_folded_and_reopen_nothing(
    desks: Desks, headers: dict[str, str], sender: str, is_automatic: bool
) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    await desk.deliver(a_change(order.order_id, "close"))
    async with a_receiver(desk) as port:
        await hand_over(port, an_answer("Je suis absente.", **headers), reply_address(order), sender=sender)
        await read_all(desk)
    state = await desk.fetchval("SELECT state FROM thread")
    assert (await ends(desk))[0][0] == ("automatic" if is_automatic else "posted")
    assert state == ("closed" if is_automatic else "waiting_staff")
    assert await notified(desk) == (0 if is_automatic else 1)
    shown = "" if is_automatic else "Je suis absente."
    assert await messages(desk, order) == [("customer", shown, is_automatic)]


async def test_our_own_mail_that_comes_back_is_not_posted(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    ours = await desk.fetchval("SELECT message_id FROM mail WHERE template = 'message_posted'")
    async with a_receiver(desk) as port:
        await hand_over(port, an_answer(**{"Message-ID": ours}), reply_address(order))
        await read_all(desk)
    assert (await ends(desk), await messages(desk, order)) == ([("own", None)], [])


async def test_of_a_flood_ten_are_notified_the_rest_is_filed_and_one_alarm_goes(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    async with a_receiver(desk) as port:
        for number in range(14):
            await hand_over(port, an_answer(f"Message {number}"), reply_address(order))
        await read_all(desk)
    assert len(await messages(desk, order)) == 14
    assert [reason for _, reason in await ends(desk)] == [None] * 10 + ["flood"] * 4
    floods = "SELECT count(*) FROM mail WHERE context ? 'is_flood'"
    assert (await notified(desk), await desk.fetchval(floods)) == (11, 1)


async def test_the_subject_finds_no_thread_and_references_only_for_the_customer(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    ours = await desk.fetchval("SELECT message_id FROM mail WHERE template = 'message_posted'")
    shop = "bonjour@atelier.example"
    async with a_receiver(desk) as port:
        await hand_over(port, an_answer("Et ?", Subject=f"Commande {order.code}", From="x@y.example"), shop)
        await hand_over(port, an_answer("Moi !", From="x@y.example", **{"In-Reply-To": ours}), shop)
        await hand_over(port, an_answer("Bien reçu.", References=ours), shop)
        await read_all(desk)
    assert await ends(desk) == [
        ("to_file", "sender_unknown"),
        ("to_file", "sender_unknown"),
        ("posted", None),
    ]
    assert await messages(desk, order) == [("customer", "Bien reçu.", False)]
    inbound_id: UUID = (await desk.fetch("SELECT inbound_id FROM inbound_mail ORDER BY inbound_id"))[0][
        "inbound_id"
    ]
    mails = await notified(desk)
    filed = await desk.deliver(a_filing(inbound_id, order_id=order.order_id))
    assert filed.messages_of(MessagePosted) == []
    await read_all(desk)
    assert await messages(desk, order) == [("other", "Et ?", False), ("customer", "Bien reçu.", False)]
    assert await notified(desk) == mails
    await desk.deliver(a_filing(inbound_id, reason="Publicité"))
    async with a_client(desk) as client:
        listed = (await client.get("/internal/inbound", params={"shop": order.shop, "filed": "no"})).json()
        assert len(listed["mails"]) == 2
        assert sum(listed["counts"].values()) == 3
        raw = await client.get(f"/internal/inbound/{inbound_id}/raw")
        assert raw.headers["content-disposition"].startswith("attachment")
        assert b"Et ?" in raw.content


async def test_a_bounce_is_read_and_a_persons_answer_to_its_address_is_posted(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server, inbound_domain=DOMAIN, inbound_port=0)
    order = an_order()
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    (address,) = [sender for sender, to in mail_server.envelopes if to == ["zoe@clients.example"]]
    assert address.startswith("b-")
    async with a_receiver(desk) as port:
        assert await hand_over(port, a_report("zoe@clients.example"), address, sender="") == [250, 250]
        assert await hand_over(port, a_report("paul@clients.example"), address, sender="") == [250, 250]
        assert await hand_over(port, an_answer("Bien reçu !"), address) == [250, 250]
        await read_all(desk)
    assert [outcome for outcome, _ in await ends(desk)] == ["bounce", "parked", "posted"]
    async with a_client(desk) as client:
        thread = (await client.get(f"/internal/threads/{order.shop}/{order.order_id}")).json()
        listed = (await client.get("/internal/inbound", params={"shop": order.shop, "waiting": "yes"})).json()
    assert [one["outcome"] for one in thread["waiting"]] == ["parked"]
    assert [one["id"] for one in listed["mails"]] == [one["id"] for one in thread["waiting"]]
    assert await messages(desk, order) == [("customer", "Bien reçu !", False)]
