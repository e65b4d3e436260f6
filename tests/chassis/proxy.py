"""A TCP proxy between a service and its server that can cut, stall and forget what it carries.

async with Proxy(port) as proxy:            # proxy.port leads to port
    proxy.cut_before(b"COMMIT")             # the server never gets it
    proxy.cut_after(b"COMMIT")              # the server gets it; its answer never comes back
    proxy.swallow(TO_CLIENT)                # from now on nothing goes that way; the connection stays
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

TO_SERVER, TO_CLIENT = "to server", "to client"


def through(url: str, port: int) -> str:
    """The same server by a proxy."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}").geturl()


@dataclass
class _Cut:
    """Where connections are to be cut."""

    needle: bytes
    forward: bool
    times: int


@dataclass(eq=False)
class _Line:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    mute: bool = False
    """The cut has been seen: the server still works on what it got, its answers go nowhere."""

    def close(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()


@dataclass
class Proxy:
    """Leads from `port` to `target`. `cuts` counts the cuts that really happened."""

    target: int
    port: int = 0
    cuts: int = 0
    refused: int = 0
    _is_unavailable: bool = False
    _planned: list[_Cut] = field(default_factory=list)
    _swallowing: set[str] = field(default_factory=set)
    _lines: set[_Line] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._open.set()
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._open.set()
        self._server.close()
        self.cut_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_before(self, needle: bytes, times: int = 1) -> None:
        """Cut a connection when these bytes are on their way to the server: they never reach it."""
        self._planned.append(_Cut(needle, False, times))

    def cut_after(self, needle: bytes, times: int = 1) -> None:
        """Let these bytes reach the server and cut as it answers: it has done it, and nobody is told."""
        self._planned.append(_Cut(needle, True, times))

    def cut_all(self) -> None:
        """Cut every connection now."""
        for line in list(self._lines):
            line.close()

    def swallow(self, direction: str) -> None:
        """Let nothing pass in this direction any more, without closing anything."""
        self._swallowing.add(direction)

    def stall(self) -> None:
        """Hold everything in both directions until `flow`."""
        self._open.clear()

    def become_unavailable(self) -> None:
        """Cut every connection and take no new one, as if the server were gone, until `come_back`."""
        self._is_unavailable = True
        self.cut_all()

    def come_back(self) -> None:
        """Take connections again."""
        self._is_unavailable = False

    def flow(self) -> None:
        """Let everything pass again; what was swallowed is gone."""
        self._swallowing.clear()
        self._open.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_unavailable:
            self.refused += 1
            writer.transport.abort()
            return
        try:
            upstream, server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        line = _Line(writer, server)
        self._lines.add(line)
        for source, direction in ((reader, TO_SERVER), (upstream, TO_CLIENT)):
            task = asyncio.create_task(self._pump(line, source, direction))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, line: _Line, source: asyncio.StreamReader, direction: str) -> None:
        sink = line.server if direction == TO_SERVER else line.client
        with contextlib.suppress(OSError, RuntimeError):
            while data := await source.read(65536):
                await self._open.wait()
                if direction in self._swallowing:
                    continue
                if line.mute:
                    break
                if direction == TO_SERVER and (cut := self._cut_in(data)):
                    if not cut.forward:
                        break
                    line.mute = True
                sink.write(data)
                await sink.drain()
        line.close()
        self._lines.discard(line)

    def _cut_in(self, data: bytes) -> _Cut | None:
        for cut in self._planned:
            if cut.times and cut.needle in data:
                cut.times -= 1
                self.cuts += 1
                return cut
        return None
