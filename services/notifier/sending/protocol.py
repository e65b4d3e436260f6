"""Commands and replies on an SMTP connection that aiosmtplib has set up (TLS, EHLO, log-in).

aiosmtplib waits for the reply of each command, and drops a reply that arrives while none is awaited. Where
the server offers PIPELINING (RFC 2920) a message's three commands leave in one packet, which halves the cost
of a mail here; for that the transport is given this reader, by asyncio's own `set_protocol`. Replies are kept
in order; none is lost.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from aiosmtplib import SMTPResponseException, SMTPServerDisconnected

_MOST_UNREAD_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply: its code and the text of all its lines."""

    code: int
    text: str


class SmtpProtocol(asyncio.Protocol):
    """One connection's commands and replies. An invalid reply ends the connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._unread = bytearray()
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended: Exception | None = None
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Return whether the connection can still send."""
        return self._ended is None and not self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Send a command or data. Raises SMTPServerDisconnected when the connection is closed already, so
        that nothing was sent.
        """
        if not self.is_open:
            raise SMTPServerDisconnected("the connection was closed")
        self._transport.write(data)

    async def receive(self) -> Reply:
        """Return the next reply. Raises the error that ended the connection."""
        while not self._replies:
            if self._ended is not None:
                raise self._ended
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._replies.popleft()

    def hang_up(self) -> None:
        """Close without QUIT."""
        self._transport.abort()
        self._end(SMTPServerDisconnected("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        """Read the complete lines."""
        self._unread += data
        *lines, rest = self._unread.split(b"\n")
        self._unread = rest
        for line in lines:
            if self._ended is not None:
                break
            self._read(line.decode("utf-8", "replace").rstrip("\r"))
        if len(self._unread) + sum(map(len, self._lines)) > _MOST_UNREAD_BYTES:
            self._broken("a reply longer than 64 KB")
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all waits for a reply."""
        self._end(SMTPServerDisconnected(f"connection lost: {exc or 'closed by the server'}"))

    def _read(self, line: str) -> None:
        code, mark = line[:3], line[3:4]
        if not (len(code) == 3 and code.isascii() and code.isdecimal()) or mark not in ("", " ", "-"):
            self._broken(f"no SMTP reply: {line[:80]}")
            return
        self._lines.append(line[4:])
        if mark != "-":
            self._replies.append(Reply(int(code), " ".join(self._lines)))
            self._lines = []

    def _broken(self, why: str) -> None:
        self._end(SMTPResponseException(-1, why))
        self._transport.abort()

    def _end(self, error: Exception) -> None:
        self._ended = self._ended or error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
