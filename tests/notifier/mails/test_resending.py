"""Staff's commands about mails: each ends in exactly one outcome."""

from uuid import UUID, uuid4

from contracts.notifier.bounces import MailBounced
from contracts.notifier.mails import ConfirmMail, MailSent, ResendMail
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk
from services.notifier.sending.sending import Sender
from tests.conftest import Desks
from tests.notifier.builders import SHOP, an_edit, an_order
from tests.notifier.mail_server import MailServer, ServerBehaviour
from tests.notifier.sending.test_sending import a_desk, send_until, settled


async def a_mixed_desk(desks: Desks, server: MailServer) -> tuple[Desk, Sender, UUID, UUID]:
    """A mail that is done and one that is uncertain, with their ids."""
    desk, sender = await a_desk(desks, server)
    server.will("DATA", ServerBehaviour.KEEP_AND_DROP)
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"done": 1, "uncertain": 1}
    rows = await desk.fetch("SELECT id FROM mail_with_state ORDER BY state")
    return desk, sender, rows[0]["id"], rows[1]["id"]


def again(mail_id: UUID, shop: str = SHOP) -> ResendMail:
    """The command of a person."""
    return ResendMail(shop=shop, mail_id=mail_id, actor="lea")


async def test_what_becomes_of_the_mail_is_the_commands_outcome(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender, done, uncertain = await a_mixed_desk(desks, mail_server)
    first = await desk.deliver(again(uncertain))
    assert first.emitted == []
    second = await desk.deliver(again(uncertain))
    (nothing,) = second.messages_of(CommandDone)
    assert nothing.command_id == second.envelope.id
    third = await desk.deliver(again(done))
    desk._units.clear()
    assert await send_until(desk, sender, settled) == {"done": 2}
    outcomes = {
        envelope.causation_id: [report.mail_id for report in message.mails]
        for envelope, message in desk.emitted()
        if isinstance(message, MailSent)
    }
    assert outcomes == {first.envelope.id: [uncertain], third.envelope.id: [done]}


async def test_a_mail_refused_again_is_the_outcome_too(desks: Desks, mail_server: MailServer) -> None:
    desk, sender, _, uncertain = await a_mixed_desk(desks, mail_server)
    mail_server.will("RCPT", "550 no such user")
    outcome = await desk.deliver(again(uncertain))
    desk._units.clear()
    assert await send_until(desk, sender, settled) == {"done": 1, "bounced": 1}
    (envelope,) = [envelope for envelope, message in desk.emitted() if isinstance(message, MailBounced)]
    assert envelope.causation_id == outcome.envelope.id


async def test_an_uncertain_mail_is_taken_as_arrived(desks: Desks, mail_server: MailServer) -> None:
    desk, _, done, uncertain = await a_mixed_desk(desks, mail_server)
    outcome = await desk.deliver(ConfirmMail(shop=SHOP, mail_id=uncertain, actor="lea"))
    (sent,) = outcome.messages_of(MailSent)
    assert [(report.mail_id, report.detail) for report in sent.mails] == [
        (uncertain, "taken as arrived by lea")
    ]
    assert outcome.emitted[0][0].causation_id == outcome.envelope.id
    for mail_id in (uncertain, done):
        assert (await desk.deliver(ConfirmMail(shop=SHOP, mail_id=mail_id, actor="lea"))).messages_of(
            CommandDone
        )


async def test_a_mail_of_nobody_or_of_another_shop_is_refused(desks: Desks, mail_server: MailServer) -> None:
    desk, _, done, _ = await a_mixed_desk(desks, mail_server)
    for command in (
        again(uuid4()),
        again(done, "elsewhere"),
        ConfirmMail(shop=SHOP, mail_id=uuid4(), actor="lea"),
    ):
        (refused,) = (await desk.deliver(command)).messages_of(CommandRejected)
        assert refused.reasons[0].code == "mail_unknown"
    assert await desk.fetchval("SELECT count(*) FROM resend") == 0


async def test_a_mail_sent_again_goes_to_the_address_of_now(desks: Desks, mail_server: MailServer) -> None:
    """The customer's address was mistyped and corrected; the recap and later mails about it go to the right one."""
    desk, sender = await a_desk(desks, mail_server)
    order = an_order(customer={"name": "Zoé", "email": "zoe@cleints.example"})
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    await desk.deliver(an_edit(order, customer={"name": "Zoé", "email": "zoe@clients.example"}))
    recap = await desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")
    await desk.deliver(again(recap))
    desk._units.clear()
    await send_until(desk, sender, settled)
    assert mail_server.envelopes[-1] == ("boutique@atelier.example", ["zoe@clients.example"])
    assert mail_server.journal[-1]["To"] == "Zoé <zoe@clients.example>"
    ((_, message),) = desk.emitted()
    assert isinstance(message, MailSent)
    assert [(report.mail_id, report.recipient) for report in message.mails] == [
        (recap, "zoe@clients.example")
    ]
    assert await desk.fetchval("SELECT resent_to FROM mail_with_state WHERE id = $1", recap)


async def test_a_mail_to_the_shop_sent_again_goes_to_the_shop(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    await send_until(desk, sender, settled)
    mail_id = await desk.fetchval("SELECT id FROM mail WHERE template = 'new_order'")
    await desk.deliver(again(mail_id))
    await send_until(desk, sender, settled)
    assert mail_server.envelopes[-1][1] == ["commandes@atelier.example"]


async def test_a_mail_that_was_set_aside_can_be_sent(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    await desk.fetch("UPDATE msg.effect SET state = 'discarded' RETURNING key")
    mail_id = await desk.fetchval("SELECT id FROM mail LIMIT 1")
    await desk.deliver(again(mail_id))
    assert await send_until(desk, sender, settled) == {"discarded": 1, "done": 1}
