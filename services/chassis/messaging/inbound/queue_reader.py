"""Reader of one queue: the received messages, the loop that commits them in batches, and their acks."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from time import monotonic
from typing import Any, NamedTuple

import structlog
from aiormq.abc import AbstractChannel

from services.chassis.errors import describe
from services.chassis.failpoints import reach
from services.chassis.limits import cancellations_as_errors
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.storage.database import is_outage

log = structlog.get_logger()
ACK_SECONDS = 5.0
LONGEST_OUTAGE_PAUSE_SECONDS = 5.0
Commit = Callable[[Sequence[RawMessage]], Awaitable[Any]]


class Incoming(NamedTuple):
    """One message as the broker delivered it: on which channel, under which tag, and its raw message."""

    channel: AbstractChannel
    tag: int
    raw: RawMessage


class DeliveryTags:
    """Record of which of a channel's deliveries were committed, to ack exactly those.

    A cumulative ack ("all up to this one") must not cover a delivery that this process never received: it
    would be lost.
    """

    def __init__(self) -> None:
        self._channel: object = None
        self._committed_to = 0
        self._beyond: set[int] = set()
        self.hole_since: float | None = None

    def committed(self, channel: object, tags: Sequence[int]) -> bool:
        """Record committed deliveries. Return True when all up to the highest known one are: one cumulative
        ack is enough."""
        if channel is not self._channel:
            self._channel, self._committed_to, self._beyond = channel, 0, set()
        self._beyond.update(tags)
        while self._committed_to + 1 in self._beyond:
            self._committed_to += 1
            self._beyond.discard(self._committed_to)
        self.hole_since = (self.hole_since or monotonic()) if self._beyond else None
        return not self._beyond

    def forget(self) -> None:
        """Reset when the channel is closed."""
        self._channel, self.hole_since = None, None


class QueueReader:
    """One queue: its received messages, and the loop that commits them in batches and acks.

    `last_commit` and `busy_since` are times of the monotonic clock; `stalled_seconds` is how long received
    messages have waited without a commit. `on_dead_connection` is called when an ack times out.
    """

    def __init__(self, queue: str, commit: Commit, batch_size: int) -> None:
        self.queue = queue
        self._commit = commit
        self._batch_size = batch_size
        self._arrived: deque[Incoming] = deque()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.last_commit = monotonic()
        self.busy_since: float | None = None
        self._being_committed = 0
        self.outage: str | None = None
        self.tags = DeliveryTags()
        self.on_dead_connection: Callable[[str], None] = lambda why: None

    def collect(self, message: Incoming) -> None:
        """Collect a message from the broker."""
        reach("received", self.queue)
        self._arrived.append(message)
        self.busy_since = self.busy_since or monotonic()
        self._idle.clear()
        self._work.set()

    @property
    def holds_messages(self) -> bool:
        return bool(self._arrived) or not self._idle.is_set()

    @property
    def in_hand(self) -> int:
        """Return the number of messages received from the broker and not acked yet."""
        return len(self._arrived) + self._being_committed

    @property
    def stalled_seconds(self) -> float:
        """Return how long received messages have waited without a commit; 0 when there are none."""
        if not self.holds_messages or self.busy_since is None:
            return 0.0
        return monotonic() - max(self.busy_since, self.last_commit)

    async def run(self) -> None:
        """Commit and ack until cancelled, which happens only between two batches."""
        while True:
            await self._work.wait()
            self._work.clear()
            while batch := self._take():
                self._being_committed = len(batch)
                await self._commit_until_done(batch)
                self._being_committed = 0
            self._rest()

    async def drain(self, seconds: float) -> None:
        """Wait until all that has arrived is committed and acked, for at most so many seconds."""
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    def forget(self) -> None:
        """Drop messages that are not in progress: the connection is lost and they will be redelivered."""
        self._arrived.clear()
        self.tags.forget()

    def _rest(self) -> None:
        self._idle.set()
        self.busy_since = None

    def _take(self) -> list[Incoming]:
        return [self._arrived.popleft() for _ in range(min(len(self._arrived), self._batch_size))]

    async def _commit_until_done(self, batch: list[Incoming]) -> None:
        pause = 0.1
        while batch := [message for message in batch if _can_be_acked(message)]:
            try:
                await self._commit([message.raw for message in batch])
            except Exception as error:
                if not is_outage(error):
                    raise
                self._note_outage(describe(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_OUTAGE_PAUSE_SECONDS)
                continue
            self.outage = None
            self.last_commit = monotonic()
            reach("before_ack", self.queue)
            await self._ack(batch)
            return
        self.outage = None

    def _note_outage(self, error: str) -> None:
        if self.outage is None:
            log.warning("database unavailable; keeping messages in memory", queue=self.queue, error=error)
        self.outage = error

    async def _ack(self, batch: Sequence[Incoming]) -> None:
        """Ack each message on the channel that delivered it. A lost ack is harmless; one that times out means
        a dead connection, which nothing else would show while the broker is silent.
        """
        try:
            with cancellations_as_errors():
                async with asyncio.timeout(ACK_SECONDS):
                    for channel, messages in groupby(batch, key=lambda message: message.channel):
                        await self._ack_on(channel, [message.tag for message in messages])
        except TimeoutError:
            self.on_dead_connection(f"an ack on {self.queue} timed out after {ACK_SECONDS:g} s")
        except Exception as error:
            log.info(
                "ack failed; messages will be redelivered and deduplicated",
                queue=self.queue,
                error=repr(error)[:200],
            )

    async def _ack_on(self, channel: Any, tags: list[int]) -> None:
        if self.tags.committed(channel, tags):
            await channel.basic_ack(max(tags), multiple=True)
        else:
            for tag in tags:
                await channel.basic_ack(tag)


def _can_be_acked(message: Incoming) -> bool:
    """Return whether the channel of the delivery is still open; if not, the broker redelivers the message."""
    return not message.channel.is_closed
