"""Test desk of a service: the real pipeline on a real PostgreSQL, without a broker.

A message delivered here passes through inbox, handler, unit of work and outbox as in production; only the
wire is left out.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, TypeVar, overload
from uuid import UUID

from pydantic import SecretStr

from contracts.catalogue import CATALOGUE, STOREFRONT, queue_of
from contracts.envelope import Envelope, uuid7
from contracts.message import Message
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.subscribers import Subscribers
from services.chassis.messaging.unit import Unit
from services.chassis.runtime.hub import Hub
from services.chassis.settings import ServiceSettings
from services.chassis.storage.clock import Clock
from services.chassis.storage.database import Connection

T = TypeVar("T")
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
"""Seconds between two looks of `wait_until`: a twentieth of the time waited so far, within these limits."""


@dataclass(frozen=True)
class Outcome:
    """The result of one delivery, and the messages the service emitted because of it."""

    result: str
    detail: str
    envelope: Envelope
    emitted: list[tuple[Envelope, Message]] = field(default_factory=list)

    def messages_of(self, kind: type[Message]) -> list[Any]:
        """Return the messages of a class that were emitted."""
        return [message for _, message in self.emitted if isinstance(message, kind)]


@dataclass
class StoppedClock(Clock):
    """A clock stopped at one time: for tests whose result must not depend on midnight."""

    stopped_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time at which the clock is stopped."""
        return self.stopped_at

    async def compare(self, connection: Connection) -> None:
        """Do nothing: the clock stays stopped."""


class Desk:
    """One service on its own database."""

    def __init__(
        self, subscribers: Subscribers[Any], settings: ServiceSettings, own_clock: Clock | None = None
    ) -> None:
        self.hub = Hub(settings, subscribers, own_clock=own_clock)
        self._units: list[Unit] = []

    async def open(self) -> "Desk":
        """Connect; the hub then works except for the broker."""
        await self.hub.open()
        after = self.hub.after_commit

        def keep(unit: Unit) -> None:
            self._units.append(unit)
            after(unit)

        self.hub.after_commit = keep  # type: ignore[method-assign]
        self.hub.committer._after = keep
        return self

    async def close(self) -> None:
        """Close the pool."""
        await self.hub.close()

    async def deliver(
        self,
        message: Message,
        *,
        id: UUID | None = None,
        sender: str | None = None,
        envelope: Envelope | None = None,
        user_id: str | None = None,
        causation_id: UUID | None = None,
    ) -> Outcome:
        """Deliver one message as its sender would (as defined in the catalogue) and return the outcome."""
        envelope = envelope or envelope_for(
            self.hub.service, message, id=id, sender=sender, causation_id=causation_id
        )
        return (await self.deliver_all([(envelope, message, user_id)]))[0]

    async def deliver_all(self, batch: Sequence[tuple[Envelope, Message, str | None]]) -> list[Outcome]:
        """Deliver a batch in one commit. Emitted messages are attributed to the delivery that caused them."""
        arrivals = [
            RawMessage(
                queue_of(self.hub.service, envelope.source.split("/")[1]),
                envelope.headers(),
                message.model_dump_json(exclude_none=True).encode(),
                user_id or _user_of(envelope),
            )
            for envelope, message, user_id in batch
        ]
        self._units.clear()
        handled = await self.hub.committer.commit(arrivals)
        emitted = self.emitted()
        ends = {id(item.arrival): item for item in handled}
        return [
            Outcome(
                ends[id(arrival)].end.value,
                ends[id(arrival)].detail,
                envelope,
                [(e, m) for e, m in emitted if len(batch) == 1 or e.causation_id == envelope.id],
            )
            for arrival, (envelope, _, _) in zip(arrivals, batch, strict=True)
        ]

    async def retry(self) -> list[tuple[Envelope, Message]]:
        """Retry all waiting messages now, regardless of their due time, until no more are handled; return the
        emitted messages."""
        self._units.clear()
        seen = -1
        while seen != len(self._units):
            seen = len(self._units)
            await self.hub.pool.execute("UPDATE msg.parked SET next_at = now() WHERE state = 'waiting'")
            await self.hub.committer.retry_due(1000)
            if not await self.hub.pool.fetchval("SELECT count(*) FROM msg.parked WHERE state = 'waiting'"):
                break
            if not any(unit.emitted for unit in self._units[seen:]):
                break
        return self.emitted()

    def emitted(self) -> list[tuple[Envelope, Message]]:
        """Return the messages the units emitted since the last delivery, decoded."""
        return [
            (envelope, CATALOGUE[envelope.type].message.model_validate_json(body))
            for unit in self._units
            for envelope, body in unit.emitted
        ]

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """Return a unit of the hub."""
        return self.hub.unit()

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Return rows of the service's database."""
        return list(await self.hub.pool.fetch(query, *arguments))

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """Return one value of the service's database."""
        return await self.hub.pool.fetchval(query, *arguments)


def envelope_for(
    listener: str,
    message: Message,
    *,
    id: UUID | None = None,
    sender: str | None = None,
    causation_id: UUID | None = None,
) -> Envelope:
    """Return the envelope in which `listener` would receive this message. LookupError when it never does."""
    for entry in CATALOGUE.values():
        if entry.message is type(message) and listener in entry.listeners and sender in (None, entry.sender):
            shop = getattr(message, "shop", None)
            source = f"/{entry.sender}"
            if entry.sender == STOREFRONT:
                source += f"/{shop}/{getattr(message, 'module', '')}"
            subject = getattr(message, "order_id", None)
            return Envelope(
                id=id or uuid7(),
                source=source,
                type=entry.type,
                time=datetime.now(UTC),
                shop=shop,
                subject=str(subject) if subject else None,
                causation_id=causation_id,
            )
    raise LookupError(f"{listener} does not receive {type(message).__name__} from {sender or 'anybody'}")


def settings_for_tests(kind: type[ServiceSettings], database_url: str, **more: Any) -> ServiceSettings:
    """Return settings for a service under test."""
    return kind(
        database_url=SecretStr(database_url),
        amqp_url=SecretStr("amqp://127.0.0.1:1/"),
        internal_token=SecretStr("a-token-for-tests-only"),
        http_port=0,
        **more,
    )


def _user_of(envelope: Envelope) -> str:
    parts = envelope.source.split("/")[1:]
    return ".".join(parts)


@overload
async def wait_until(
    look: Callable[[], Awaitable[T | None]], seconds: float = ..., why: str | Callable[[], str] = ...
) -> T: ...


@overload
async def wait_until(
    look: Callable[[], bool], seconds: float = ..., why: str | Callable[[], str] = ...
) -> bool: ...


async def wait_until(
    look: Callable[[], Any], seconds: float = 60.0, why: str | Callable[[], str] = ""
) -> Any:
    """Return the first truthy result of `look`. AssertionError with the last result if there is none in time."""
    began = monotonic()
    while True:
        answer = look()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        waited = monotonic() - began
        if waited > seconds:
            reason = why() if callable(why) else why
            raise AssertionError(f"not within {seconds:g} s: {reason or look}; last answer: {answer!r}")
        await asyncio.sleep(min(max(SHORTEST_PAUSE, waited / 20), LONGEST_PAUSE))
