"""The demo's HTTP server ends as soon as its last answer is given."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from deploy.demo.standins.serving import Server, TlsFiles
from deploy.local.place import ServerTls
from deploy.local.ports import free_ports


async def test_an_idle_tls_connection_does_not_delay_the_end(
    tmp_path: Path, server_tls: ServerTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a pool of connections: the client keeps it, and reads nothing until its next request."""
    monkeypatch.setattr("asyncio.constants.SSL_SHUTDOWN_TIMEOUT", 3600.0)
    files = TlsFiles(tmp_path / "chain.pem", tmp_path / "key.pem")
    files.chain.write_bytes(server_tls.chain)
    files.key.write_bytes(server_tls.key)
    [port] = free_ports(1)
    async with Server(port, Starlette(routes=[Route("/", _hello)]), files):
        connection, answer = await asyncio.to_thread(_ask, port, server_tls.authorities.decode())
    with connection:
        assert answer.startswith(b"HTTP/1.1 200")


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def _ask(port: int, authority: str) -> tuple[ssl.SSLSocket, bytes]:
    context = ssl.create_default_context(cadata=authority)
    plain = socket.create_connection(("127.0.0.1", port))
    connection = context.wrap_socket(plain, server_hostname="127.0.0.1")
    connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return connection, connection.recv(4096)
