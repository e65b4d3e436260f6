"""A local mail server for tests that stores every mail as a file, and rejects recipients on request.

A program beside the demo's mail server, with the same journal. `replies.json` in its folder maps a recipient to
the reply its mails get (`451 4.2.1 later`), or to the behaviour after a complete mail: `hang` (no reply), `die`
(the connection is closed), `keep and die` (the mail is stored first). It is read for every recipient, and
`refused.log` has a line per rejection.

python -m tests.journeys.mailbox --port 2525 --journal mails.jsonl --folder mails
"""

import argparse
import asyncio
import json
import signal
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any, TextIO, cast

import uvloop
from aiosmtpd.smtp import SMTP

from deploy.local.mailserver import Journal

REPLIES = "replies.json"
REFUSED = "refused.log"
AT_THE_END = ("hang", "die", "keep and die")


class Mailbox(Journal):
    """Stores mails as files, and records them in the journal."""

    def __init__(self, file: TextIO, folder: Path) -> None:
        super().__init__(file, folder)
        self._folder = folder

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Accept the recipient, or return the configured reply."""
        reply: str | None = read_replies(self._folder).get(address)
        if reply is not None and reply not in AT_THE_END:
            with (self._folder / REFUSED).open("a") as log:
                log.write(f"{address} {reply}\n")
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Store the mail and record it in the journal."""
        reply = read_replies(self._folder).get(envelope.rcpt_tos[0])
        if reply == "hang":
            await asyncio.Event().wait()
        if reply != "die":
            answer = await super().handle_DATA(server, session, envelope)
            if reply is None:
                return answer
        cast("asyncio.Transport", server.transport).abort()
        return "421 4.3.0 gone"


def read_replies(folder: Path) -> dict[str, str]:
    """Return the configured replies by recipient."""
    path = folder / REPLIES
    replies: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return replies


def set_replies(folder: Path, replies: dict[str, str]) -> None:
    """Replace the configured replies."""
    new = folder / "replies.new"
    new.write_text(json.dumps(replies))
    new.replace(folder / REPLIES)


def mails_in(folder: Path) -> Iterator[EmailMessage]:
    """Yield all accepted mails, in no particular order. The same objects each time: copy one before you change it."""
    for path in folder.glob("*.eml"):
        yield _read_mail(path)


def mails_about(folder: Path, recipient: str, about: str) -> list[EmailMessage]:
    """Return the accepted mails to a recipient whose subject contains `about`; their headers are parsed once."""
    every = [(path, *_addressed(path)) for path in folder.glob("*.eml")]
    return [_read_mail(path) for path, to, subject in every if recipient in to and about in subject]


@cache
def _addressed(path: Path) -> tuple[str, str]:
    letter = _read_mail(path)
    return str(letter["To"]), str(letter["Subject"])


@cache
def _read_mail(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


def text_of(letter: EmailMessage) -> str:
    """Return the text of the plain part, with no-break spaces replaced by plain ones."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\u202f", " ").replace("\xa0", " ")


async def serve(port: int, journal: Path, folder: Path) -> None:
    """Accept mails until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with journal.open("a", encoding="utf-8") as file:
        mailbox = Mailbox(file, folder)
        server = await loop.create_server(
            lambda: SMTP(mailbox, enable_SMTPUTF8=True, hostname="post.example.org"), "127.0.0.1", port
        )
        await stop.wait()
        server.close()


def main() -> None:
    """Run the command line."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--port", type=int, required=True)
    reader.add_argument("--journal", type=Path, required=True)
    reader.add_argument("--folder", type=Path, required=True)
    given = reader.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    uvloop.run(serve(given.port, given.journal, given.folder))


if __name__ == "__main__":
    main()
