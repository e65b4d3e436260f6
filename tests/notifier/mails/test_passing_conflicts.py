"""A lock that passes while an outcome is recorded is waited for: the mail is sent, and orders hears of it."""

import pytest

from contracts.notifier.mails import MailSent
from services.chassis.testing import wait_until
from tests.conftest import Desks
from tests.locks import give_up_soon, locked
from tests.notifier.builders import an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import a_desk, reports


async def test_the_outcome_is_recorded_at_last(
    desks: Desks, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_soon(monkeypatch)
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    desk._units.clear()
    url = desk.hub.settings.database_url.get_secret_value()
    # as making or dropping a partition does
    async with locked(url, "LOCK TABLE msg.event_log IN ACCESS EXCLUSIVE MODE"):
        await sender.effects.run(desk.hub)

    async def all_done() -> bool:
        await sender.effects.run(desk.hub)
        return {row["state"] for row in await desk.fetch("SELECT state FROM mail_with_state")} == {"done"}

    await wait_until(all_done)
    assert len(mail_server.journal) == 2
    assert sum(map(len, reports(desk, MailSent))) == 2
