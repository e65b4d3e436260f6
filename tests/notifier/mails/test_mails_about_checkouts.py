"""What happens to the mail about an abandoned checkout happens to no other: its order was never placed."""

from contracts.envelope import uuid7
from contracts.notifier.mail_texts import TextPart
from services.chassis.testing import Desk
from services.notifier.mails.recent import recent
from services.notifier.sending.sending import Sender
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.mails.test_abandoned_checkouts import abandoned, run_timers, switch
from tests.notifier.sending.test_sending import a_desk, send_until, settled
from tests.notifier.texts.test_commands import setting

MERCHANT = "Atelier Lumière <commandes@atelier.example>"


async def a_reminder(desk: Desk) -> None:
    await switch(desk, on=True)
    await desk.deliver(abandoned(desk))
    await run_timers(desk)


async def send_the_warning(desk: Desk, sender: Sender, template: str) -> None:
    """Send what is planned, read as another process does, until the warning to the merchant is done."""
    await send_until(desk, sender, settled)
    recent.clear()
    await send_until(desk, sender, settled)
    rows = await desk.fetch("SELECT state, code, order_id FROM mail_with_state WHERE template = $1", template)
    assert [tuple(row) for row in rows] == [("done", "K7F3-QD9M", None)]


async def test_the_merchant_gets_the_alarm_about_a_refused_reminder(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(
        desks, mail_server, inbound_domain="courrier.example", inbound_authserv_id="mx"
    )
    await a_reminder(desk)
    mail_server.will("RCPT", "550 5.7.1 blocked using a list")
    await send_the_warning(desk, sender, "sender_refused")
    assert [letter["To"] for letter in mail_server.journal] == [MERCHANT]


async def test_the_merchant_is_warned_of_a_damaged_text_of_a_reminder(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(
        desks, mail_server, inbound_domain="courrier.example", inbound_authserv_id="mx"
    )
    await desk.deliver(setting("Hello!", template="checkout_abandoned", locale="en", part=TextPart.SUBJECT))
    await desk.hub.pool.execute("UPDATE template_text SET text = '{{ gone }}'")
    await a_reminder(desk)
    await send_the_warning(desk, sender, "text_damaged")
    assert [letter["To"] for letter in mail_server.journal][1:] == [MERCHANT]


async def test_a_mail_whose_order_is_unknown_fails_no_other(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    await desk.hub.pool.execute("UPDATE mail SET order_id = $1 WHERE template = 'new_order'", uuid7())
    recent.clear()
    assert await send_until(desk, sender, settled) == {"done": 1, "failed": 1}
