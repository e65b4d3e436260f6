"""A mailbox has the mails of its recipient, each parsed once."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import aiosmtplib
import pytest

from deploy.demo.mail.mailbox import Mailbox, MailMissing
from deploy.local.mailserver import read_journal
from deploy.local.system import System
from tests.demo.mail.builders import RECIPIENT, a_mail
from tests.demo.test_mailserver import mail_server


def a_mailbox(folder: Path) -> Mailbox:
    """The mailbox of a recipient on a system whose mails are in this folder."""
    system = SimpleNamespace(mail_journal=folder / "mails.jsonl", mail_folder=folder / "mails")
    return Mailbox(cast("System", system), RECIPIENT)


async def test_mails_of_others_are_never_read_and_its_own_once(tmp_path: Path) -> None:
    journal, kept = tmp_path / "mails.jsonl", tmp_path / "mails"
    own = a_mailbox(tmp_path)
    assert own.mails() == []
    async with mail_server(journal, kept) as port, aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
        await client.send_message(a_mail(to="ada@clients.example.org", number=1))
        for mail in read_journal(journal):
            (kept / mail.file).unlink()
        waiting = asyncio.create_task(own.wait_for("Bonjour Zoé"))
        await client.send_message(a_mail("Bonjour Zoé", number=2))
        assert (await waiting)["Message-ID"] == "<2@garance.example.org>"
        for file in kept.iterdir():
            file.unlink()
        await client.send_message(a_mail("Bonsoir Zoé", number=3))
        assert (await own.wait_for("Bonsoir Zoé"))["Message-ID"] == "<3@garance.example.org>"
    assert [mail["Message-ID"] for mail in own.mails()] == [
        "<2@garance.example.org>",
        "<3@garance.example.org>",
    ]


async def test_a_mail_that_does_not_come_is_named(tmp_path: Path) -> None:
    with pytest.raises(MailMissing, match=r"zoe@clients\.example\.org got no mail with “Bonjour” within 0 s"):
        await a_mailbox(tmp_path).wait_for("Bonjour", seconds=0)
