"""TLS in front of a plain server, with whatever certificate a test needs, and servers that offer none."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.demo.standins.paypal.certificates import Holder

SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))
EHLO = b"250-mail.test\r\n250-SIZE 1000000\r\n%b250 8BITMIME\r\n"


def context_of(folder: Path, holder: Holder) -> ssl.SSLContext:
    """A server's TLS with a certificate."""
    chain, key = files_of(folder, holder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


def files_of(folder: Path, holder: Holder) -> tuple[Path, Path]:
    """Write a certificate chain and its key."""
    number = holder.certificate.serial_number
    chain, key = folder / f"{number}.pem", folder / f"{number}.key"
    chain.write_bytes(holder.chain_pem())
    key.write_bytes(holder.key_pem())
    return chain, key


@asynccontextmanager
async def in_front_of(target: int, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """TLS from the first byte, as AMQP and HTTP have it; gives the port."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _carry(reader, writer, target)

    async with _serving(carry, tls) as port:
        yield port


@asynccontextmanager
async def in_front_of_postgres(target: int, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """PostgreSQL's TLS, which begins when a client asks for it; without `tls` it is refused."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST
            writer.write(b"S" if tls else b"N")
            if tls:
                await writer.start_tls(tls)
        await _carry(reader, writer, target)

    async with _serving(carry) as port:
        yield port


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """An SMTP server up to EHLO, which offers STARTTLS if it has a certificate."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(b"220 mail.test\r\n")
            while command := (await reader.readline()).upper():
                if command.startswith(b"EHLO"):
                    writer.write(EHLO % (b"250-STARTTLS\r\n" if tls else b""))
                elif command.startswith(b"STARTTLS") and tls:
                    writer.write(b"220 go ahead\r\n")
                    await writer.start_tls(tls)
                else:
                    writer.write(b"221 bye\r\n")
        writer.close()

    async with _serving(greet) as port:
        yield port


@asynccontextmanager
async def _serving(converse, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:  # type: ignore[no-untyped-def]
    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int) -> None:
    upstream, server = await asyncio.open_connection("127.0.0.1", target)
    await asyncio.gather(_pump(reader, server), _pump(upstream, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
