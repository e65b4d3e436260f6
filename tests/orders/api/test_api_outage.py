"""While the database is unavailable every route answers 503, and works again afterwards without a restart."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from services.chassis.testing import wait_until
from tests.conftest import Desks, FreshDatabase
from tests.orders.rest_client import DEADLINE_SECONDS, PAYMENT, TOKENS, client, key, place


class Wire:
    """The way to the database, which can be cut and restored."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def restore(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""
        assert self._server is not None
        self._server.close()
        for end in list(self._ends):
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._ends |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._ends -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_an_unavailable_database_is_503_and_recovery_needs_no_restart(
    desks: Desks, fresh_database: FreshDatabase
) -> None:
    url = urlsplit(await fresh_database("orders"))
    wire = Wire(url.hostname or "", url.port or 5432)
    await wire.restore()
    through = url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{wire.port}").geturl()
    desk = await desks("orders", through, api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        await wire.cut()
        for answer in (
            await http.get("/v1/orders"),
            await http.get(f"/v1/orders/{placed.code}"),
            await http.post(f"/v1/orders/{placed.code}/payments", json=PAYMENT, headers=key()),
            await http.post("/v1/stock", json={"levels": [{"sku": "A", "on_hand": 1}]}, headers=key()),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_away"), answer.text
            assert answer.headers["retry-after"] == "2"
            assert answer.headers["content-type"] == "application/problem+json"
        await wire.restore()

        async def answered() -> Any | None:
            answer = await http.get("/v1/orders")
            return None if answer.status_code == 503 else answer

        answer = await wait_until(answered, DEADLINE_SECONDS)
        assert [order["code"] for order in answer.json()["orders"]] == [placed.code]
    assert await desk.fetchval("select count(*) from command") == 0
    await wire.cut()
