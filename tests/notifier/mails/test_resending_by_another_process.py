"""A mail that is sent again answers the command that asked for it, whichever process sends it."""

import pytest

from contracts.notifier.mails import MailSent, ResendMail
from services.notifier.mails.recent import recent
from tests.conftest import Desks
from tests.notifier.builders import SHOP, an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import a_desk, send_until, settled


@pytest.mark.parametrize("is_remembered", [False, True], ids=["forgotten", "remembered"])
async def test_the_command_is_answered(desks: Desks, mail_server: MailServer, is_remembered: bool) -> None:
    """Process A decides on the mails, B sends them, A is asked to send one again; `forgotten` holds today."""
    desk, sender = await a_desk(desks, mail_server)
    recent.clear()
    await desk.deliver(an_order())
    known_to_a = dict(recent._pairs)
    recent.clear()  # now process B
    assert await send_until(desk, sender, settled) == {"done": 2}
    recent.clear()  # process A again, which was never told
    if is_remembered:
        recent._pairs.update(known_to_a)
    mail_id = await desk.fetchval("SELECT id FROM mail ORDER BY id LIMIT 1")
    outcome = await desk.deliver(ResendMail(shop=SHOP, mail_id=mail_id, actor="lea"))
    desk._units.clear()
    await send_until(desk, sender, settled)
    causes = [envelope.causation_id for envelope, m in desk.emitted() if isinstance(m, MailSent)]
    recent.clear()
    assert outcome.envelope.id in causes
