"""Live pages: one LISTEN connection receives the changed orders, one stream per open page sends it the ids.

A stream carries ids, never content: the page requests the parts that show them, as its own user. Events that a
stream cannot accept in time are dropped and replaced by `again`: reload everything. The same applies after a gap:
when the connection was lost, or a browser reconnects with an event id of another process or from too long ago. A
page begins with the id that was the latest when its request arrived, so that it also receives what changed
between its rendering and its first stream. A stream ends after some minutes, so that a revoked session
receives nothing more; and with `goodbye` when the process stops.
"""

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from services.chassis.background.workers import Worker
from services.chassis.errors import describe
from services.chassis.messaging.process import Process
from services.orders.order.unit.announcements import CHANNEL

log = structlog.get_logger()
PING_SECONDS = 15.0
STREAM_SECONDS = 600.0
QUEUE_LENGTH = 64
REMEMBERED = 500
MOST_STREAMS, MOST_PER_SESSION = 1000, 20
RECONNECT_SECONDS, ALIVE_SECONDS = 1.0, 20.0


class TooManyStreams(Exception):
    """The process, or the session, has reached its limit of streams: the page works without one."""


@dataclass(frozen=True)
class Change:
    """Changed orders of a shop; `orders` None: so many that everything should be reloaded."""

    number: int
    shop: str
    orders: tuple[str, ...] | None


@dataclass(eq=False)
class Stream:
    """The event stream of one open page."""

    shop: str
    session_id: UUID
    queue: asyncio.Queue[Change | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))
    has_gap: bool = False

    def put(self, change: Change | None) -> None:
        """Queue a change for the page, or an `again` event when the queue is full."""
        try:
            self.queue.put_nowait(change)
        except asyncio.QueueFull:
            self.has_gap = True


class Live:
    """The streams of this process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._streams: set[Stream] = set()
        self._numbers = 0
        self._recent: deque[Change] = deque(maxlen=REMEMBERED)
        self._epoch = secrets.token_hex(4)
        self.is_listening = False

    def worker(self) -> Worker:
        """Return the worker that listens for as long as the process runs."""
        return Worker("live", self._listen, RECONNECT_SECONDS)

    async def _listen(self, process: Process) -> bool:
        connection = await asyncpg.connect(process.settings.database_url.get_secret_value(), timeout=5)
        try:
            await connection.add_listener(CHANNEL, self._on_notification)
            self.is_listening = True
            self._all_again()
            while not process.stopping.is_set():
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(process.stopping.wait(), ALIVE_SECONDS)
                await connection.execute("select 1", timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("live updates unavailable", error=describe(error))
        finally:
            self.is_listening = False
            connection.terminate()
        return False

    def _on_notification(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        try:
            content = json.loads(payload)
            for shop, orders in content.items():
                self._publish(shop, tuple(orders) if isinstance(orders, list) else None)
        except (ValueError, AttributeError):
            log.warning("invalid live notification")

    def _publish(self, shop: str, orders: tuple[str, ...] | None) -> None:
        self._numbers += 1
        change = Change(self._numbers, shop, orders)
        self._recent.append(change)
        for stream in self._streams:
            if stream.shop == shop:
                stream.put(change)

    def _all_again(self) -> None:
        """Make every page reload, those without a stream at the moment too: their ids are of an earlier epoch."""
        self._epoch = secrets.token_hex(4)
        for stream in self._streams:
            stream.has_gap = True
            stream.put(None)

    @contextlib.contextmanager
    def _opened(self, shop: str, session_id: UUID) -> Iterator[Stream]:
        mine = sum(stream.session_id == session_id for stream in self._streams)
        if len(self._streams) >= MOST_STREAMS or mine >= MOST_PER_SESSION:
            raise TooManyStreams
        stream = Stream(shop, session_id)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    async def stream(self, shop: str, session_id: UUID, last_id: str | None) -> AsyncIterator[bytes]:
        """Yield a page's events as `text/event-stream`. Raises TooManyStreams before anything was sent."""
        with self._opened(shop, session_id) as stream:
            yield b"retry: 3000\n\n"
            for event in self._missed(shop, last_id):
                yield event
            end = asyncio.get_running_loop().time() + STREAM_SECONDS
            while not self._process.stopping.is_set() and asyncio.get_running_loop().time() < end:
                yield await self._next(stream)
            yield _event("goodbye", {"after": secrets.randbelow(2000) + 500}, None)

    def latest_id(self) -> str:
        """Return the id of the latest event; a stream that is opened with it begins with what changed since."""
        return f"{self._epoch}-{self._numbers}"

    def _missed(self, shop: str, last_id: str | None) -> list[bytes]:
        if not last_id:
            return [_event("hello", {}, self.latest_id())]
        epoch, _, number = last_id.partition("-")
        oldest = self._recent[0].number if self._recent else self._numbers + 1
        if epoch != self._epoch or not number.isdecimal() or int(number) + 1 < oldest:
            return [_event("again", {}, self.latest_id())]
        return [self._event_of(one) for one in self._recent if one.number > int(number) and one.shop == shop]

    async def _next(self, stream: Stream) -> bytes:
        next_change = asyncio.ensure_future(stream.queue.get())
        stopping = asyncio.ensure_future(self._process.stopping.wait())
        try:
            done, _ = await asyncio.wait(
                {next_change, stopping}, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopping.cancel()
            if not next_change.done():
                next_change.cancel()
        if next_change not in done:
            return b": still here\n\n"
        change = next_change.result()
        if stream.has_gap or change is None:
            while not stream.queue.empty():
                stream.queue.get_nowait()
            stream.has_gap = False
            return _event("again", {}, self.latest_id())
        return self._event_of(change)

    def _event_of(self, change: Change) -> bytes:
        body = {"orders": change.orders} if change.orders is not None else {"many": True}
        return _event("orders", body, f"{self._epoch}-{change.number}")


def _event(name: str, body: dict[str, Any], id: str | None) -> bytes:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {name}\ndata: {json.dumps(body)}\n\n".encode()
