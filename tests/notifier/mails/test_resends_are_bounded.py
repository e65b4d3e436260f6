"""A process that dies again and again does not send one mail without end."""

from services.chassis.background.effects import Effect
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import RESEND, a_desk

DEATHS = 8
MOST_MAILS = 4
"""The first one, and three that the setting allows."""


async def test_a_mail_of_unknown_fate_is_sent_again_three_times(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server, uncertain_mails=RESEND)
    await desk.deliver(an_order())
    key = await desk.fetchval("SELECT key FROM msg.effect ORDER BY key LIMIT 1")
    await desk.fetch("UPDATE msg.effect SET state = 'done' WHERE key <> $1 RETURNING key", key)
    for _ in range(DEATHS):
        taken = await desk.fetch(
            """UPDATE msg.effect SET state = 'in_flight', attempts = attempts + 1, owner = gen_random_uuid(),
                   lease_until = now() - interval '1 s'
               WHERE key = $1 AND state = 'planned' RETURNING attempts""",
            key,
        )
        if not taken:
            break
        await sender.perform(Effect(key, "mail", {}, taken[0]["attempts"]))
        sender.effects._lost_checked_at = -10.0
        await sender.effects._settle_lost(desk.hub)
    assert len(mail_server.journal) <= MOST_MAILS
