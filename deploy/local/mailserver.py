"""Mail server for one machine: accepts everything, delivers nothing, keeps a journal of accepted mails.

A mail is in the journal (one JSON object a line) before its sender receives 250, so the journal always has
every mail that Comptoir counts as sent. `deploy.auditor` compares the two.

python -m deploy.local.mailserver --port 2525 --journal mails.jsonl
"""

import argparse
import asyncio
import json
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TextIO

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_MAIL_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Mail:
    """One accepted mail. `time` is UTC in ISO 8601; sender and recipients are the envelope's."""

    time: str
    sender: str
    recipients: list[str]
    message_id: str
    subject: str
    size: int


class Journal:
    """Appends mails to a file, each before it is acknowledged."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._headers = BytesHeaderParser()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self._file.write(json.dumps(asdict(self._mail(envelope, content)), ensure_ascii=False) + "\n")
        self._file.flush()
        return "250 2.0.0 accepted"

    def _mail(self, envelope: Envelope, content: bytes) -> Mail:
        headers = self._headers.parsebytes(content[: content.find(b"\r\n\r\n") + 4])
        return Mail(
            time=datetime.now(UTC).isoformat(),
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            message_id=str(headers.get("Message-ID", "")).strip(),
            subject=str(make_header(decode_header(headers.get("Subject", "")))),
            size=len(content),
        )


def read_journal(path: Path) -> Iterator[Mail]:
    """Return the accepted mails, oldest first; none when nothing was ever accepted. A truncated last line is
    skipped.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield Mail(**json.loads(line))


async def serve(port: int, journal: Path, host: str = "127.0.0.1") -> None:
    """Accept mails until SIGTERM or SIGINT, which close open connections."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with journal.open("a", encoding="utf-8") as file:
        handler = Journal(file)
        server = await loop.create_server(lambda: _conversation(handler), host, port)
        try:
            await stop.wait()
        finally:
            server.close()


def _conversation(handler: Journal) -> SMTP:
    return SMTP(
        handler,
        data_size_limit=MAX_MAIL_BYTES,
        enable_SMTPUTF8=True,
        hostname="mail.example.org",
        ident="Comptoir demo",
    )


def main() -> None:
    """Run the command line."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reader.add_argument("--port", type=int, required=True)
    reader.add_argument("--journal", type=Path, required=True)
    given = reader.parse_args()
    uvloop.run(serve(given.port, given.journal))


if __name__ == "__main__":
    main()
