"""HTTP server of a process, with TLS if it has a certificate.

The application decides when it stops: the server leaves signals alone.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from services.chassis.tls import OwnCertificate

log = structlog.get_logger()
STOP_SECONDS = 5.0
REQUESTS_SECONDS = 3


class HttpServer(uvicorn.Server):
    """uvicorn without its own signal handlers."""

    def __init__(
        self, application: ASGIApp, host: str, port: int, certificate: OwnCertificate | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=REQUESTS_SECONDS,
                server_header=False,
                ssl_context_factory=None if certificate is None else lambda *_: certificate.context,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    def begin(self, on_end: Callable[[], None]) -> None:
        """Serve in the background; `on_end` is called when the server ends, for any reason."""
        self._serving = asyncio.create_task(self.serve())
        self._serving.add_done_callback(lambda _: on_end())

    async def end(self) -> None:
        """Stop accepting requests, and give those in progress a few seconds."""
        self.should_exit = True
        if self._serving is not None:
            with contextlib.suppress(Exception, SystemExit):
                await asyncio.wait_for(self._serving, STOP_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave the signal handlers unchanged."""
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; a port in use ends the process with a sentence instead of a traceback."""
        try:
            await super().serve(sockets)
        except SystemExit:
            log.critical("can't listen", host=self.config.host, port=self.config.port)
