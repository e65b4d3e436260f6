"""A lock that passes while an outcome is recorded is waited for: the mail is sent, and orders hears of it."""

import asyncio

import asyncpg
import pytest

from contracts.notifier import MailSent
from tests.chassis.patience import eventually
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import a_desk, reports

LOCKED_SECONDS = 12
"""Longer than two lock time-outs of 5 s."""


@pytest.mark.timeout(120)
async def test_the_outcome_is_recorded_at_last(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    desk._units.clear()
    blocker = await asyncpg.connect(desk.hub.settings.database_url.get_secret_value())

    async def block() -> None:
        await asyncio.sleep(LOCKED_SECONDS)
        await blocker.execute("ROLLBACK")

    # as making or dropping a partition does
    await blocker.execute("BEGIN; LOCK TABLE msg.event_log IN ACCESS EXCLUSIVE MODE")
    blocking = asyncio.create_task(block())
    await sender.effects.run(desk.hub)
    await blocking

    async def all_done() -> bool:
        await sender.effects.run(desk.hub)
        return {row["state"] for row in await desk.fetch("SELECT state FROM mail_with_state")} == {"done"}

    await eventually(all_done)
    await blocker.close()
    assert len(mail_server.journal) == 2
    assert sum(map(len, reports(desk, MailSent))) == 2
