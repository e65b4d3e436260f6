"""What a recipient's mail program reads: the mails that the mail server kept, each parsed once, and only theirs."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from deploy.local.mailserver import JournalReader
from deploy.local.system import System

SECONDS = 30.0
POLL_SECONDS = 0.1


class MailMissing(Exception):
    """A mail did not arrive in time."""


class Mailbox:
    """The mails of one recipient on a running system, the oldest first."""

    def __init__(self, system: System, recipient: str) -> None:
        self.recipient = recipient
        self._folder = system.mail_folder
        self._journal = JournalReader(system.mail_journal)
        self._mails: list[EmailMessage] = []

    def mails(self) -> list[EmailMessage]:
        """Return all mails of the recipient so far."""
        self._mails += [
            read_mail(self._folder / mail.file) for mail in self._journal if self.recipient in mail.recipients
        ]
        return self._mails

    async def wait_for(self, words: str, seconds: float = SECONDS) -> EmailMessage:
        """Return the latest mail whose text has these words. Raises MailMissing after so many seconds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            found = [mail for mail in self.mails() if words in text_of(mail)]
            if found:
                return found[-1]
            if asyncio.get_running_loop().time() > deadline:
                raise MailMissing(f"{self.recipient} got no mail with “{words}” within {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)


def read_mail(path: Path) -> EmailMessage:
    """Return a kept mail."""
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage) -> str:
    """Return a mail's plain text, with `\\n` lines; empty when it has none."""
    part = mail.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
