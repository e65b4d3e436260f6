"""A mail server for one machine that keeps every letter as it came, and refuses recipients when a test says so.

A program beside the demo's mail server, with the same journal. `moods.json` in its folder maps a recipient to the reply
its letters get (`451 4.2.1 later`); it is read afresh for every recipient, and `refused.log` has a line per refusal.

python -m tests.journeys.postbox --port 2525 --journal mails.jsonl --folder letters
"""

import argparse
import asyncio
import json
import signal
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import uvloop
from aiosmtpd.smtp import SMTP

from deploy.local.mailserver import Journal

MOODS = "moods.json"
REFUSED = "refused.log"


class Postbox(Journal):
    """Keeps letters as files; the journal knows them, too."""

    def __init__(self, file: TextIO, folder: Path) -> None:
        super().__init__(file)
        self._folder = folder

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take the recipient, or answer as its mood says."""
        mood: str | None = read_moods(self._folder).get(address)
        if mood is not None:
            with (self._folder / REFUSED).open("a") as log:
                log.write(f"{address} {mood}\n")
            return mood
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Keep the letter, then write it into the journal."""
        (self._folder / f"{uuid4()}.eml").write_bytes(envelope.content)
        return await super().handle_DATA(server, session, envelope)


def read_moods(folder: Path) -> dict[str, str]:
    """The replies that some recipients' letters get."""
    path = folder / MOODS
    moods: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return moods


def write_moods(folder: Path, moods: dict[str, str]) -> None:
    """Change the replies from now on."""
    new = folder / "moods.new"
    new.write_text(json.dumps(moods))
    new.replace(folder / MOODS)


def letters_in(folder: Path) -> Iterator[EmailMessage]:
    """All letters that were accepted, in no sequence."""
    for path in folder.glob("*.eml"):
        yield message_from_bytes(path.read_bytes(), policy=policy.default)


def text_of(letter: EmailMessage) -> str:
    """What a person reads in the plain part; French no-break spaces are plain ones here."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\u202f", " ").replace("\xa0", " ")


async def serve(port: int, journal: Path, folder: Path) -> None:
    """Take letters until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with journal.open("a", encoding="utf-8") as file:
        postbox = Postbox(file, folder)
        server = await loop.create_server(
            lambda: SMTP(postbox, enable_SMTPUTF8=True, hostname="post.example.org"), "127.0.0.1", port
        )
        await stop.wait()
        server.close()


def main() -> None:
    """The command line."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--port", type=int, required=True)
    reader.add_argument("--journal", type=Path, required=True)
    reader.add_argument("--folder", type=Path, required=True)
    given = reader.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    uvloop.run(serve(given.port, given.journal, given.folder))


if __name__ == "__main__":
    main()
