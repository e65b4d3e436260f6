"""A few kept HTTP/1.1 connections, as cheap as a generator on the same two cores has to be.

No client library: requests are written out by hand and of an answer only the status and the body are looked at.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import cycle
from typing import Self, cast

Answer = tuple[int, bytes]
REPEATS = 2
"""How often a request without an answer is sent again, where there is another process."""
_LENGTH = b"content-length:"


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        end = head_end + 4 + _length(self._received[:head_end])
        if len(self._received) >= end and self._waiting is not None:
            answer = int(self._received[9:12]), self._received[head_end + 4 : end]
            self._received = self._received[end:]
            waiting, self._waiting = self._waiting, None
            if not waiting.done():
                waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("the server hung up before it answered"))

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def send(self, request: bytes) -> Answer:
        """Send a whole request; status and body of its answer. Raises ConnectionResetError."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Connections:
    """At most `limit` connections to the processes of one service; a request takes the one used last, or waits for one.

    New connections go to one port after the other. Where there are several, one that is refused goes to the next, and a
    request without an answer is sent again, as a balancer does: whatever the generators post may be repeated.
    """

    def __init__(self, host: str, ports: Sequence[int], limit: int, headers: str = "") -> None:
        self.host, self._ports = host, ports
        self._headers = f"Host: {host}:{ports[0]}\r\nContent-Type: application/json\r\n{headers}"
        self._turns = cycle(ports)
        self._free = asyncio.Semaphore(limit)
        self._idle: list[Connection] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._idle:
            connection.close()

    async def post(self, path: str, body: bytes, headers: str = "") -> Answer:
        """POST a JSON body. Raises OSError when it is not answered."""
        head = f"POST {path} HTTP/1.1\r\n{self._headers}{headers}Content-Length: {len(body)}\r\n\r\n"
        async with self._free:
            for _ in range(REPEATS if len(self._ports) > 1 else 0):
                with contextlib.suppress(OSError):
                    return await self._post(head.encode() + body)
            return await self._post(head.encode() + body)

    async def _post(self, request: bytes) -> Answer:
        connection = await self._take()
        answer = await connection.send(request)
        self._idle.append(connection)
        return answer

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        *first, last = [next(self._turns) for _ in self._ports]
        for port in first:
            with contextlib.suppress(OSError):
                return await self._connect(port)
        return await self._connect(last)

    async def _connect(self, port: int) -> Connection:
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Connection, self.host, port))[1]


def _length(head: bytes) -> int:
    """The body's length by the head of an answer; 0 when it does not say."""
    lower = head.lower()
    start = lower.find(_LENGTH)
    return int(lower[start + len(_LENGTH) :].split(b"\r\n", 1)[0]) if start >= 0 else 0
