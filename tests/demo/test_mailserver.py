"""The mail server journals what it accepted before it says so."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib

from deploy.local.mailserver import read_journal
from deploy.local.ports import free_ports


@asynccontextmanager
async def mail_server(journal: Path) -> AsyncIterator[int]:
    """A mail server in a process of its own; its port."""
    (port,) = free_ports(1)
    command = (
        sys.executable,
        "-m",
        "deploy.local.mailserver",
        "--port",
        str(port),
        "--journal",
        str(journal),
    )
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await answering(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def answering(port: int) -> None:
    """Return when the server says 220."""
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        try:
            async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=2):
                return
        except (aiosmtplib.SMTPException, OSError):
            assert asyncio.get_running_loop().time() < deadline, "the mail server does not answer"
            await asyncio.sleep(0.05)


def mail(number: int) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "atelier@example.org"
    message["To"] = f"client.{number}@example.org"
    message["Subject"] = f"Votre commande n° {number} – récapitulatif"
    message["Message-ID"] = f"<{number}@example.org>"
    message.set_content("Merci !")
    return message


async def test_accepted_mails_stand_in_the_journal(tmp_path: Path) -> None:
    journal = tmp_path / "mails.jsonl"
    async with mail_server(journal) as port, aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
        for number in (1, 2):
            await client.send_message(mail(number))
            assert len(list(read_journal(journal))) == number
    first = next(read_journal(journal))
    assert first.message_id == "<1@example.org>"
    assert first.subject == "Votre commande n° 1 – récapitulatif"
    assert (first.sender, first.recipients) == ("atelier@example.org", ["client.1@example.org"])
    assert first.size > 100


def test_a_line_cut_short_by_a_crash_is_no_mail(tmp_path: Path) -> None:
    (tmp_path / "mails.jsonl").write_text('{"time": "2026-11-22T09')
    assert list(read_journal(tmp_path / "mails.jsonl")) == []
    assert list(read_journal(tmp_path / "nowhere.jsonl")) == []
