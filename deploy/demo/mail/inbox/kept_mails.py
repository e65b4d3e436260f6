"""The mails of the page: all that the mail server accepted, and one of them as a reader shows it."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path

from deploy.demo.mail.answering import reply_address
from deploy.demo.mail.mailbox import read_mail, text_of
from deploy.local.mailserver import JournalReader, Mail

PAGE = 50
MOST_PARSED = 64
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
_LINKS = '<base target="_blank">'


@dataclass(frozen=True)
class Attachment:
    """A file of a mail, by its place among them."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class ShownMail:
    """A mail with its envelope, as the page shows it. `path` is its file."""

    mail: Mail
    path: Path
    message: EmailMessage

    @property
    def name(self) -> str:
        """Return what names the mail in addresses."""
        return self.mail.file.removesuffix(".eml")

    @property
    def recipient(self) -> str:
        """Return the address that got the mail, from which it is answered."""
        return self.mail.recipients[0]

    @property
    def reply_to(self) -> str:
        """Return where the answer goes."""
        return reply_address(self.message)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Return all header fields."""
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        """Return the plain text."""
        return text_of(self.message)

    @property
    def html(self) -> str | None:
        """Return the HTML for a browser: pictures inside of it, and links that open a window of their own."""
        part = self.message.get_body(("html",))
        if part is None:
            return None
        html = str(part.get_content())
        for picture in self.message.walk():
            if picture["Content-ID"] and picture.get_content_type() in _PICTURES:
                content = base64.b64encode(_content(picture)).decode()
                url = f"data:{picture.get_content_type()};base64,{content}"
                html = html.replace(f"cid:{str(picture['Content-ID']).strip().strip('<>')}", url)
        return _HEAD.sub(lambda head: head[0] + _LINKS, html, count=1)

    @property
    def attachments(self) -> list[Attachment]:
        """Return the files that hang on the mail."""
        return [
            Attachment(part.get_filename() or "file", part.get_content_type(), _content(part))
            for part in self.message.iter_attachments()
            if part.get_filename()
        ]


class KeptMails:
    """All kept mails of a mail server; each look adds what came since the last one."""

    def __init__(self, journal: Path, folder: Path) -> None:
        self._journal, self._folder = JournalReader(journal), folder
        self._mails: dict[str, Mail] = {}

    def find(self, name: str) -> ShownMail | None:
        """Return the mail of this name; None when there is none."""
        self._look()
        mail = self._mails.get(f"{name}.eml")
        if mail is None:
            return None
        path = self._folder / mail.file
        return ShownMail(mail, path, _parsed(path))

    def page(self, text: str, before: str) -> tuple[list[Mail], str | None]:
        """Return mails whose recipient or subject has a text, the latest first, and the last one's name if more follow.

        `before` is the name of the last mail of the page before.
        """
        self._look()
        found = self._after(self._fitting(text.strip().lower()), f"{before}.eml" if before else "")
        shown = [mail for mail, _ in zip(found, range(PAGE + 1), strict=False)]
        more = shown[PAGE - 1].file.removesuffix(".eml") if len(shown) > PAGE else None
        return shown[:PAGE], more

    def _fitting(self, text: str) -> Iterator[Mail]:
        for mail in reversed(self._mails.values()):
            if any(text in words.lower() for words in (*mail.recipients, mail.subject)):
                yield mail

    def _after(self, mails: Iterator[Mail], file: str) -> Iterator[Mail]:
        if file in self._mails:
            while next(mails, None) not in (self._mails[file], None):
                pass
        return mails

    def _look(self) -> None:
        self._mails |= {mail.file: mail for mail in self._journal if mail.file}


def time_of(mail: Mail) -> datetime:
    """Return when the server accepted a mail, in the time zone of the machine."""
    return datetime.fromisoformat(mail.time).astimezone()


@lru_cache(maxsize=MOST_PARSED)
def _parsed(path: Path) -> EmailMessage:
    return read_mail(path)


def _content(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
