"""An HTTP server of the demo on 127.0.0.1, and the troubles that a stand-in can be told to have."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

START_SECONDS = 10.0
KEEP_SECONDS = 3600
"""Seconds for which an idle connection is kept: one that was closed before the server ends can't be cut any more."""
CLOSE_SECONDS = 0.3
"""Seconds in which a client may confirm that its TLS connection ends."""
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class InjectedFault:
    """What goes wrong with one call: it is answered late, with a status of its own, or with other content.

    With `after`, the call has its effect before its answer goes wrong: the caller can't know that it had.
    """

    status: int = 0
    seconds: float = 0.0
    after: bool = False
    content: bytes | None = None


class FaultInjection(list[int | InjectedFault]):
    """Troubles of the next calls, one each, in sequence; a number is a status without any effect."""

    async def around(self, request: Request, handle: Handler, refuse: Callable[[int], Response]) -> Response:
        """Answer a request, or let its trouble happen."""
        if not self:
            return await handle(request)
        fault = self.pop(0)
        if isinstance(fault, int):
            return refuse(fault)
        await asyncio.sleep(fault.seconds)
        answer = await handle(request) if fault.after or not fault.status else refuse(fault.status)
        if fault.content is not None:
            return Response(fault.content, fault.status or answer.status_code)
        return refuse(fault.status) if fault.status else answer


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of a server's certificate chain and its key."""

    chain: Path
    key: Path


class Server:
    """An application on one port of 127.0.0.1, over HTTPS with `tls`. `async with` starts and stops it."""

    def __init__(self, port: int, app: ASGIApp, tls: TlsFiles | None = None) -> None:
        self.port = port
        self._app, self._tls = app, tls

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        config = uvicorn.Config(
            self._app,
            host="127.0.0.1",
            port=self.port,
            log_level="warning",
            access_log=False,
            timeout_keep_alive=KEEP_SECONDS,
            ssl_certfile=self._tls.chain if self._tls else None,
            ssl_keyfile=self._tls.key if self._tls else None,
        )
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._serving = asyncio.create_task(self._server._serve())
        async with asyncio.timeout(START_SECONDS):
            while not self._server.started:
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Answer the requests in progress, and close every connection.

        A client that keeps an idle connection does not read: it never confirms the end of TLS, for which asyncio would
        wait half a minute. Such a connection is cut.
        """
        self._server.should_exit = True
        while not (await asyncio.wait({self._serving}, timeout=CLOSE_SECONDS))[0]:
            for connection in list(self._server.server_state.connections):
                if connection.transport.is_closing():
                    connection.transport.abort()
        await self._serving
