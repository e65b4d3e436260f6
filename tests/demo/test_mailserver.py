"""The mail server journals what it accepted before it says so."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib

from deploy.local.mailserver import JournalReader, Mail, read_journal
from deploy.local.ports import free_ports
from services.chassis.testing import wait_until


@asynccontextmanager
async def mail_server(journal: Path, folder: Path | None = None) -> AsyncIterator[int]:
    """A mail server in a process of its own, which keeps mails if there is a folder; its port."""
    (port,) = free_ports(1)
    command = (
        sys.executable,
        "-m",
        "deploy.local.mailserver",
        "--port",
        str(port),
        "--journal",
        str(journal),
        *(("--folder", str(folder)) if folder else ()),
    )
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await answering(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def answering(port: int) -> None:
    """Return when the server says 220."""

    async def answers() -> bool:
        try:
            async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=10):
                return True
        except (aiosmtplib.SMTPException, OSError):
            return False

    await wait_until(answers, why="the mail server does not answer")


def mail(number: int) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "atelier@example.org"
    message["To"] = f"client.{number}@example.org"
    message["Subject"] = f"Votre commande n° {number} – récapitulatif"
    message["Message-ID"] = f"<{number}@example.org>"
    message.set_content("Merci !")
    return message


async def test_accepted_mails_are_in_the_journal(tmp_path: Path) -> None:
    journal = tmp_path / "mails.jsonl"
    async with mail_server(journal) as port, aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
        for number in (1, 2):
            await client.send_message(mail(number))
            assert len(list(read_journal(journal))) == number
    first = next(read_journal(journal))
    assert first.message_id == "<1@example.org>"
    assert first.subject == "Votre commande n° 1 – récapitulatif"
    assert (first.sender, first.recipients) == ("atelier@example.org", ["client.1@example.org"])
    assert (first.size > 100, first.file) == (True, "")


async def test_mails_are_kept_as_they_came_and_read_from_the_journal_once(tmp_path: Path) -> None:
    journal, kept = tmp_path / "mails.jsonl", tmp_path / "mails"
    reader = JournalReader(journal)
    assert list(reader) == []
    async with mail_server(journal, kept) as port, aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
        for number in (1, 2):
            await client.send_message(mail(number))
            [found] = reader
            assert message_from_bytes((kept / found.file).read_bytes())["Message-ID"] == found.message_id
            assert (kept / found.file).stat().st_size == found.size
    assert list(reader) == []
    assert len(list(read_journal(journal))) == 2


def test_a_line_cut_short_by_a_crash_is_not_a_mail(tmp_path: Path) -> None:
    line = json.dumps(asdict(Mail("2026-11-22T09:00:00+00:00", "a", ["b"], "<1@c>", "d", 1)))
    (tmp_path / "mails.jsonl").write_text(line[:20])
    reader = JournalReader(tmp_path / "mails.jsonl")
    assert list(reader) == []
    (tmp_path / "mails.jsonl").write_text(f"{line}\n{line[:20]}")
    assert [one.message_id for one in reader] == ["<1@c>"]
    assert list(read_journal(tmp_path / "nowhere.jsonl")) == []
