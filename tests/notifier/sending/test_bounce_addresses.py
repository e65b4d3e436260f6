"""Each mail has a sender address of its own, whose token leads back to it and is stored as a hash only."""

import pytest
from prometheus_client import REGISTRY

from services.chassis.testing import Desk
from services.notifier.conversation.reply_addresses import AddressMaker
from services.notifier.links.making import LinkMaker
from services.notifier.mails import store as mail_store
from services.notifier.mails.mail import Mail
from services.notifier.sending.bounces.addresses import (
    BounceAddresses,
    RecipientGone,
    hash_of,
    new_token,
    token_of,
)
from tests.builders.orders import deleted
from tests.conftest import Desks
from tests.notifier.builders import an_edit, an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.mails.test_resending import again
from tests.notifier.sending.test_sending import a_desk, send_until, settled

DOMAIN = "courrier.atelier.example"


async def owners(desk: Desk, server: MailServer) -> list[tuple[str, str]]:
    """Template and recipient to which each envelope's sender leads back, in the sequence of sending."""
    found = []
    for sender, _ in server.envelopes:
        token = token_of(sender)
        assert token is not None
        assert sender == f"b-{token}@{DOMAIN}"
        (row,) = await desk.fetch(
            "SELECT template, b.recipient FROM bounce_address b JOIN mail ON mail.id = b.mail_id WHERE token_hash = $1",
            hash_of(token),
        )
        found.append(tuple(row))
    return found


async def test_the_envelopes_sender_leads_back_to_the_mail(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server, inbound_domain=DOMAIN)
    mail_server.will("RCPT", "451 greylisted")
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"done": 2}
    assert sorted(await owners(desk, mail_server)) == [
        ("new_order", "commandes@atelier.example"),
        ("order_recap", "zoe@clients.example"),
    ]
    assert {str(mail["From"]) for mail in mail_server.journal} == {
        "Atelier Lumière <boutique@atelier.example>"
    }
    assert await desk.fetchval("SELECT count(*) FROM bounce_address") == 2


async def test_a_mail_sent_again_gets_another_address(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server, inbound_domain=DOMAIN)
    order = an_order()
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    await desk.deliver(an_edit(order))
    await desk.deliver(again(await desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")))
    await send_until(desk, sender, settled)
    assert (await owners(desk, mail_server))[-1] == ("order_recap", "zoe@nouvelle.example")
    assert len({sender for sender, _ in mail_server.envelopes}) == 3


async def test_without_a_domain_the_shop_is_the_sender(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    await send_until(desk, sender, settled)
    assert {sender for sender, _ in mail_server.envelopes} == {"boutique@atelier.example"}
    assert await desk.fetchval("SELECT count(*) FROM bounce_address") == 0


def statements() -> float:
    return REGISTRY.get_sample_value("comptoir_database_statements_total", {"service": "notifier"}) or 0.0


async def a_recap(desk: Desk) -> Mail:
    (identifier,) = [
        row["id"] for row in await desk.fetch("SELECT id FROM mail WHERE template = 'order_recap'")
    ]
    async with desk.hub.acquire() as connection:
        (mail,) = await mail_store.read_mails(connection, [identifier])
    return mail


async def test_a_link_and_a_reply_address_cost_no_statement_of_their_own(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, _ = await a_desk(desks, mail_server, inbound_domain=DOMAIN, page_url="https://suivi.example")
    await desk.deliver(an_order())
    mail, addresses = await a_recap(desk), BounceAddresses(desk.hub, DOMAIN)
    link, reply = LinkMaker(desk.hub).link_of(mail), AddressMaker(desk.hub).reply_address(mail)
    assert link is not None
    assert reply is not None
    costs = []
    for rows in ((), (link.row, reply.row)):
        before = statements()
        await addresses.of(mail, mail.recipient, *rows)
        costs.append(statements() - before)
    assert costs == [4, 4]  # begin, the order, all addresses, commit
    assert await desk.fetchval("SELECT count(*) FROM page_link") == 1
    assert await desk.fetchval("SELECT count(*) FROM participant") == 1
    assert await desk.fetchval("SELECT count(*) FROM bounce_address") == 1


async def test_an_order_deleted_while_its_mail_is_composed_leaves_nothing(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, _ = await a_desk(desks, mail_server, inbound_domain=DOMAIN, page_url="https://suivi.example")
    order = an_order()
    await desk.deliver(order)
    mail, addresses = await a_recap(desk), BounceAddresses(desk.hub, DOMAIN)
    link, reply = LinkMaker(desk.hub).link_of(mail), AddressMaker(desk.hub).reply_address(mail)
    assert link is not None
    assert reply is not None
    await desk.deliver(deleted(order))
    with pytest.raises(RecipientGone):
        await addresses.of(mail, mail.recipient, link.row, reply.row)
    for table in ("page_link", "participant", "bounce_address"):
        assert await desk.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608


async def test_a_mail_is_withdrawn_when_its_order_is_deleted_before_it_is_handed_over(
    desks: Desks, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, sender = await a_desk(desks, mail_server, inbound_domain=DOMAIN)
    order = an_order()
    await desk.deliver(order)

    async def none_after_a_deletion(_: Mail) -> None:
        if not await desk.fetchval("SELECT count(*) FROM addressee WHERE deleted_at IS NOT NULL"):
            await desk.deliver(deleted(order))

    monkeypatch.setattr(sender._attachments, "of", none_after_a_deletion)
    await sender.effects.run(desk.hub)
    assert mail_server.journal == []
    assert await desk.fetchval("SELECT count(*) FROM bounce_address") == 0
    assert {row["state"] for row in await desk.fetch("SELECT state FROM msg.effect")} == {"discarded"}


async def test_mails_over_the_rate_are_postponed_without_counting_as_tried(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server, smtp_mails_per_minute=1)
    await desk.deliver(an_order())
    await sender.effects.run(desk.hub)
    waiting = await desk.fetch(
        "SELECT attempts, detail, next_at > now() FROM msg.effect WHERE state = 'planned'"
    )
    assert [tuple(row) for row in waiting] == [(0, "COMPTOIR_SMTP_MAILS_PER_MINUTE is reached", True)]
    assert len(mail_server.journal) == 1


@pytest.mark.parametrize("address", [
    "boutique@atelier.example", "r-aaaaaaaaaaaaaaaaaaaaaaaaaa@x.example", "b-short@x.example", "", "b-@x",
    "b-aaaaaaaaaaaaaaaaaaaaaaaaa.@x.example",
])  # fmt: skip
def test_other_addresses_have_no_token(address: str) -> None:
    assert token_of(address) is None


def test_a_token_is_found_in_capitals_too() -> None:
    token = new_token()
    assert len(token) == 26
    found = token_of(f"B-{token.upper()}@COURRIER.EXAMPLE")
    assert found is not None
    assert hash_of(found) == hash_of(token)
