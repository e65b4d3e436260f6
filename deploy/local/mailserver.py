"""Mail server for one machine: delivers nothing, keeps a journal of accepted mails. Refuses one domain, for the demo.

A mail is in the journal (one JSON object a line) before its sender receives 250, so the journal always has
every mail that Comptoir counts as sent. `deploy.auditor` compares the two. With a folder, each mail is also kept there
as it came, for programs that read it as its recipient would.

python -m deploy.local.mailserver --port 2525 --journal mails.jsonl --folder mails
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
from uuid import uuid4

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.arguments import filled, named_path

UNKNOWN_DOMAIN = "unknown.example.org"
"""Addresses there do not exist: they are refused, as a mistyped one is."""
MAX_MAIL_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Mail:
    """One accepted mail. `time` is UTC in ISO 8601; sender and recipients are the envelope's.

    `file` is its name in the server's folder; empty when the server keeps no mails.
    """

    time: str
    sender: str
    recipients: list[str]
    message_id: str
    subject: str
    size: int
    file: str = ""


class Journal:
    """Appends mails to a file, and keeps them in a folder if there is one, each before it is acknowledged."""

    def __init__(self, file: TextIO, kept_in: Path | None = None) -> None:
        self._file, self._kept_in = file, kept_in
        self._headers = BytesHeaderParser()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.lower().endswith(f"@{UNKNOWN_DOMAIN}"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

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
            file=self._keep(content),
        )

    def _keep(self, content: bytes) -> str:
        if self._kept_in is None:
            return ""
        path = self._kept_in / f"{uuid4()}.eml"
        whole = path.with_suffix(".new")
        whole.write_bytes(content)
        whole.rename(path)
        return path.name


class JournalReader:
    """Reader of a journal that grows: an iteration returns the mails that were not read before, the oldest first.

    None while nothing was accepted. A truncated last line is left for the next time.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._read_bytes = path, 0

    def __iter__(self) -> Iterator[Mail]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read_bytes += len(line)
                yield Mail(**json.loads(line))


def read_journal(path: Path) -> Iterator[Mail]:
    """Return the accepted mails, oldest first; none when nothing was ever accepted. A truncated last line is
    skipped.
    """
    return iter(JournalReader(path))


async def serve(port: int, journal: Path, host: str = "127.0.0.1", kept_in: Path | None = None) -> None:
    """Accept mails until SIGTERM or SIGINT, which close open connections."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if kept_in is not None:
        kept_in.mkdir(parents=True, exist_ok=True)
    with journal.open("a", encoding="utf-8") as file:
        handler = Journal(file, kept_in)
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
    reader.add_argument("--host", type=filled, default="127.0.0.1", help="address to listen on (127.0.0.1)")
    reader.add_argument("--port", type=int, required=True)
    reader.add_argument("--journal", type=named_path, required=True)
    reader.add_argument("--folder", type=named_path, help="where mails are kept as they came")
    given = reader.parse_args()
    uvloop.run(serve(given.port, given.journal, given.host, given.folder))


if __name__ == "__main__":
    main()
