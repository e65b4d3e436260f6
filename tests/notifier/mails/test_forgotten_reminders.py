"""A reminder loses its reader after 30 days, for its order was never placed and nobody deletes it."""

from services.chassis.background.retention import forget_due
from services.chassis.testing import Desk
from services.notifier.mails.abandoned.retention import RULES
from services.notifier.sending.sending import Sender
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.mails.test_abandoned_checkouts import abandoned, run_timers, switch
from tests.notifier.sending.test_sending import a_desk, send_until, settled
from tests.notifier.test_erasing import traces

EVENTS = ("msg.event_log", "msg.dispatch")
"""What was published is kept for as long as events can be replayed."""


async def a_refused_reminder(desks: Desks, server: MailServer) -> tuple[Desk, Sender]:
    """A reminder that was refused by an answer that names its reader, and the alarm about it."""
    desk, sender = await a_desk(desks, server, inbound_domain="courrier.example")
    await switch(desk, on=True)
    await desk.deliver(abandoned(desk))
    await run_timers(desk)
    await desk.hub.pool.execute("DELETE FROM msg.timer")
    server.will("RCPT", "550 5.7.1 <Zoe@clients.example> blocked using a list")
    await send_until(desk, sender, settled)
    return desk, sender


async def remaining(desk: Desk, days: int) -> list[str]:
    """The tables that name the customer when mails are so many days older, and retention has run."""
    await desk.hub.pool.execute("UPDATE mail SET created_at = created_at - make_interval(days => $1)", days)
    desk.hub.is_clock_doubtful = False
    while await forget_due(desk.hub, RULES):
        pass
    return sorted({at for found in await traces(desk) if (at := found.partition(":")[0]) not in EVENTS})


async def test_a_reminder_its_refusal_and_the_alarm_about_it_lose_the_customer(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, _ = await a_refused_reminder(desks, mail_server)
    before = await remaining(desk, 29)
    assert {"public.mail", "public.bounce", "msg.effect"} <= set(before)
    assert await remaining(desk, 1) == []
    rows = await desk.fetch("SELECT template, state, recipient FROM mail_with_state ORDER BY template")
    assert [tuple(row) for row in rows] == [
        ("checkout_abandoned", "bounced", ""),
        ("sender_refused", "done", "commandes@atelier.example"),
    ]


async def test_a_reminder_that_waits_and_the_mails_of_an_order_stay(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    await send_until(desk, sender, settled)
    await switch(desk, on=True)
    await desk.deliver(abandoned(desk))
    await run_timers(desk)
    await remaining(desk, 400)
    assert await desk.fetchval("SELECT count(*) FROM mail WHERE recipient <> ''") == 3
