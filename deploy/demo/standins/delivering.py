"""Delivery of webhooks as providers do it: posted until a 2xx, with growing pauses and a fresh signature each time.

A `Conduct` makes the delivery worse in the ways that providers document: events are lost, late, repeated and out of
sequence, and frauds are posted among them. The journal holds every post with the status of its answer, so that the
auditor can compare what was accepted with what was recorded.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from random import Random

import httpx2

ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.2
ANSWER_SECONDS = 10


class Trick(StrEnum):
    """What is wrong with a post that the service must turn away."""

    NOTHING = "nothing"
    FORGED = "forged"
    """Signed with another secret or key."""
    CHANGED = "changed"
    """The content was changed after signing."""
    OLD = "old"
    """A genuine signature of an hour ago, replayed."""


@dataclass(frozen=True)
class Post:
    """One attempt to deliver one event and the status it got (None: no answer)."""

    event_id: str
    reference: str
    trick: Trick
    attempt: int
    status: int | None
    at: str


@dataclass
class Journal:
    """Everything that was posted, appended to a file as JSON lines."""

    path: Path
    posts: list[Post] = field(default_factory=list)

    def add(self, post: Post) -> None:
        self.posts.append(post)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(post.__dict__) + "\n")

    def accepted(self) -> list[Post]:
        """Return the posts that were answered 2xx: the service has promised to keep them."""
        return [post for post in self.posts if post.status is not None and 200 <= post.status < 300]

    def rejected(self) -> list[Post]:
        """Return the posts that were refused for good."""
        return [post for post in self.posts if post.status is not None and 400 <= post.status < 500]


@dataclass(frozen=True)
class Conduct:
    """How badly events are delivered; each share is a probability from 0 to 1.

    Delays differ from event to event, so they also deliver out of sequence.
    """

    lost: float = 0.0
    repeated: float = 0.0
    delayed: float = 0.0
    longest_delay_seconds: float = 1.0
    forged: float = 0.0


GOOD = Conduct()
WORST = Conduct(lost=0.15, repeated=0.4, delayed=0.7, longest_delay_seconds=3.0, forged=0.15)


@dataclass(frozen=True)
class Event:
    """A webhook: its id, its body, and a reference to the payment that it is about."""

    id: str
    body: bytes
    reference: str


Signer = Callable[[bytes], Mapping[str, str]]
"""Returns the headers that sign a body now."""
Forger = Callable[[bytes, Trick], tuple[bytes, Mapping[str, str]]]
"""Returns a body and headers that the service must turn away."""


class Courier:
    """Delivers the events of one provider to one address. `lost` lists those that it never posted."""

    def __init__(
        self,
        url: str,
        sign: Signer,
        forge: Forger,
        journal: Journal,
        chance: Random,
        conduct: Conduct = GOOD,
    ) -> None:
        self.url = url
        self.journal = journal
        self.conduct = conduct
        self.lost: list[Event] = []
        self.lose_next = 0
        """How many of the next events are lost for certain."""
        self._sign, self._forge, self._chance = sign, forge, chance
        self._http = httpx2.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False)
        self._under_way: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Drop what is under way and close the connections."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._http.aclose()

    def send(self, event: Event) -> None:
        """Deliver an event in the background, as the conduct has it."""
        task = asyncio.create_task(self._send(event))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def settled(self) -> None:
        """Wait until everything sent so far was delivered, lost or given up."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    async def deliver(self, event: Event) -> None:
        """Post an event until a 2xx; gives up after eight attempts."""
        pause = FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            status = await self._post(event, event.body, self._sign(event.body), Trick.NOTHING, attempt)
            if status is not None and 200 <= status < 300:
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def trick(self, event: Event, trick: Trick) -> int | None:
        """Post something that must be turned away, once, and return the status it got."""
        body, headers = self._forge(event.body, trick)
        return await self._post(event, body, headers, trick, 1)

    async def _send(self, event: Event) -> None:
        if self._loses():
            self.lost.append(event)
            return
        if self._happens(self.conduct.forged):
            await self.trick(event, self._chance.choice((Trick.FORGED, Trick.CHANGED)))
        for _ in range(1 + self._happens(self.conduct.repeated)):
            if self._happens(self.conduct.delayed):
                await asyncio.sleep(self._chance.uniform(0, self.conduct.longest_delay_seconds))
            await self.deliver(event)

    def _loses(self) -> bool:
        if self.lose_next:
            self.lose_next -= 1
            return True
        return self._happens(self.conduct.lost)

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share

    async def _post(
        self, event: Event, body: bytes, headers: Mapping[str, str], trick: Trick, attempt: int
    ) -> int | None:
        try:
            answer = await self._http.post(self.url, content=body, headers=dict(headers))
            status: int | None = answer.status_code
        except httpx2.HTTPError:
            status = None
        at = datetime.now(UTC).isoformat()
        self.journal.add(Post(event.id, event.reference, trick, attempt, status, at))
        return status
