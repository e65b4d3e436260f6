"""A receiver killed between commit and 250: the mail server delivers the mail again, and it is one message."""

import asyncio
import os
import smtplib
import sys
from pathlib import Path

import pytest

from deploy.local.ports import free_ports
from services.chassis.testing import Desk, wait_until
from tests.conftest import Desks, FreshDatabase
from tests.notifier.conversation.builders import DOMAIN, reply_address
from tests.notifier.conversation.receiving import an_answer, hand_over
from tests.notifier.conversation.test_receiving import an_open_thread, ends, messages

pytestmark = pytest.mark.rows("C23")


async def a_notifier(url: str, port: int, http_port: int, mark: Path) -> asyncio.subprocess.Process:
    """A notifier process that dies once, after it has stored a mail. It needs no broker for that."""
    settings = {
        "COMPTOIR_DATABASE_URL": url,
        "COMPTOIR_AMQP_URL": "amqp://nobody@127.0.0.1:1/",
        "COMPTOIR_INTERNAL_TOKEN": "a-token-for-tests-only",
        "COMPTOIR_HTTP_PORT": str(http_port),
        "COMPTOIR_INBOUND_DOMAIN": DOMAIN,
        "COMPTOIR_INBOUND_PORT": str(port),
        "COMPTOIR_FAILPOINT": "inbound_committed",
        "COMPTOIR_FAILPOINT_MARK": str(mark),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.notifier", env={**os.environ, **settings}
    )


async def accepted(port: int, content: bytes, address: str) -> list[int]:
    """The receiver's answer, once it listens; none when it died."""

    async def answer() -> list[int]:
        try:
            return await hand_over(port, content, address)
        except (ConnectionRefusedError, smtplib.SMTPServerDisconnected, ConnectionResetError) as error:
            return [] if isinstance(error, ConnectionRefusedError) else [0]

    return await wait_until(answer, 60)


async def test_a_mail_committed_before_the_death_and_sent_again_is_one_message(
    desks: Desks, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database("notifier")
    desk: Desk = await desks("notifier", url, inbound_domain=DOMAIN)
    order = await an_open_thread(desk)
    port, http_port = free_ports(2)
    mark = tmp_path / "died"
    answer = an_answer("Je prends la bleue.")
    first = await a_notifier(url, port, http_port, mark)
    assert await accepted(port, answer, reply_address(order)) == [0]
    assert await first.wait() == -9
    assert mark.exists()
    assert await desk.fetchval("SELECT count(*) FROM inbound_mail") == 1
    second = await a_notifier(url, port, http_port, mark)
    try:
        assert await accepted(port, answer, reply_address(order)) == [250, 250]

        async def is_posted() -> bool:
            return await ends(desk) == [("posted", None)]

        await wait_until(is_posted, 60)
        assert await messages(desk, order) == [("customer", "Je prends la bleue.", False)]
    finally:
        second.kill()
        await second.wait()
