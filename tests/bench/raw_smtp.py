"""Mails written straight to a socket: the cheapest sending there is, for the floor."""

import asyncio
from typing import Self

CONNECTIONS = 4
_COMMANDS = b"MAIL FROM:<boutique@garance.example.org>\r\nRCPT TO:<client@example.org>\r\nDATA\r\n"
MAIL_BYTES = 6_000
"""About the size of a recap in two parts."""


class Line:
    """One SMTP conversation. Commands are sent together (RFC 2920), then the text, each answered before the next."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connect and greet."""
        line = cls(*await asyncio.open_connection(host, port))
        await line._answer()
        line._writer.write(b"EHLO bench.example.org\r\n")
        await line._answer()
        return line

    async def send(self, text: bytes) -> None:
        """Hand over one mail; returns after its 250."""
        self._writer.write(_COMMANDS)
        for _ in range(3):
            await self._answer()
        self._writer.write(text)
        code = await self._answer()
        if code != 250:
            raise ConnectionError(f"the mail server answered {code} to a mail")

    async def _answer(self) -> int:
        while True:
            line = await self._reader.readline()
            if not line:
                raise ConnectionError("the mail server hung up")
            if line[3:4] != b"-":
                return int(line[:3])


class Mails:
    """A few conversations side by side."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[Line] = []
        body = b"Votre commande est enregistree, merci de votre confiance !\r\n"
        head = b"From: boutique@garance.example.org\r\nTo: client@example.org\r\nSubject: Commande\r\n\r\n"
        self._text = head + body * (MAIL_BYTES // len(body)) + b".\r\n"

    async def send(self, count: int) -> None:
        """Send so many."""
        shares = [count // CONNECTIONS + (rank < count % CONNECTIONS) for rank in range(CONNECTIONS)]
        await asyncio.gather(*(self._share(share) for share in shares if share))

    async def _share(self, count: int) -> None:
        line = self._idle.pop() if self._idle else await Line.open(self._host, self._port)
        for _ in range(count):
            await line.send(self._text)
        self._idle.append(line)
