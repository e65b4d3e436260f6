"""What a service does with the messages it hears: a handler per message class over one book of aggregates.

A handler is a plain function on memory. It either changes the book and emits, or raises `Wait` or `Refuse` before it
has changed anything; any other exception fails the batch, whose messages are then tried one by one.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from contracts.envelope import Envelope
from contracts.message import Message, Reason
from services.chassis.messaging.snapshots import Snapshot
from services.chassis.messaging.unit import Unit

M = TypeVar("M", bound=Message)
Adapter = Callable[[bytes, bool], tuple[bytes, tuple[Reason, ...]] | None]
"""Returns a body that can be read, with a note per change, or None to leave it as it is. Called with the body and
whether its schema refused it."""
GIVE_UP_AFTER = timedelta(hours=72)


class Wait(Exception):
    """What the message needs is not here yet. It is tried again when `key` is woken, and from time to time."""

    def __init__(self, key: str, reason: str, give_up_after: timedelta | None = None) -> None:
        super().__init__(f"{reason}: waits for {key}")
        self.key = key
        self.reason = reason
        self.give_up_after = give_up_after or GIVE_UP_AFTER


class Refuse(Exception):
    """The message will never be acceptable: park it with this reason, for a person to see."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SubjectDeleted(Exception):
    """The message is about something that was deleted for good: it is handled, and changes nothing."""


@dataclass(slots=True)
class ReceivedMessage(Generic[M]):
    """One message as a handler gets it. `attempts` counts the tries before this one. One that `is_standing` tells how
    things stand, because somebody asked for that: nothing happened now, and its id is that of no event. One that
    `reuses_id` has the id of another message of its sender. `notes`: what was changed of its body to read it.
    """

    envelope: Envelope
    message: M
    queue: str
    user_id: str | None
    attempts: int
    first_seen_at: datetime
    is_standing: bool = False
    reuses_id: bool = False
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that nobody will ever be able to read, for a service that wants to answer its sender.

    `message` and `envelope` are None when the envelope itself can't be read; `event_id` is then what its header says.
    """

    message: type[Message] | None
    envelope: Envelope | None
    event_id: UUID | None
    user_id: str | None
    reasons: tuple[Reason, ...]
    body: bytes = b""


class UnitOfWork(ABC):
    """The aggregates of one unit: locked and loaded at once in id order, changed in memory, written back at once."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    @abstractmethod
    async def load(self, deliveries: Sequence[ReceivedMessage[Any]]) -> None:
        """Lock and load what these deliveries touch."""

    @abstractmethod
    async def save(self) -> None:
        """Write back what changed."""


B = TypeVar("B", bound=UnitOfWork)
Handler = Callable[[B, ReceivedMessage[Any]], None]


class Subscribers(Generic[B]):
    """A service's handlers by message class."""

    def __init__(self, service: str, work: type[B]) -> None:
        self.service = service
        self.book = work
        self.handlers: dict[type[Message], Handler[B]] = {}
        self.answering_reused_ids: set[type[Message]] = set()
        self.adapters: dict[type[Message], Adapter] = {}
        self.answer_unreadable: Callable[[Unit, Unreadable], Awaitable[bool]] | None = None
        self.truths: dict[str, Snapshot] = {}

    def on(
        self, message: type[M], *, answers_reused_ids: bool = False
    ) -> Callable[[Callable[[B, ReceivedMessage[M]], None]], Callable[[B, ReceivedMessage[M]], None]]:
        """Register the handler of a message class. A message whose id was used for something else is parked, unless its
        handler answers that."""

        def register(
            handler: Callable[[B, ReceivedMessage[M]], None],
        ) -> Callable[[B, ReceivedMessage[M]], None]:
            if message in self.handlers:
                raise ValueError(f"{self.service} handles {message.__name__} twice")
            self.handlers[message] = handler
            if answers_reused_ids:
                self.answering_reused_ids.add(message)
            return handler

        return register

    def adapts(self, message: type[Message], adapter: Adapter) -> None:
        """Register what makes a body readable that the schema of this message refuses."""
        self.adapters[message] = adapter

    def tells(self, consumer: str, truth: Snapshot) -> None:
        """Register how this service tells its truth anew to one that hears it."""
        self.truths[consumer] = truth

    def unreadable(
        self, answer: Callable[[Unit, Unreadable], Awaitable[bool]]
    ) -> Callable[[Unit, Unreadable], Awaitable[bool]]:
        """Register what answers the sender of a message that can't be read and never will; returns whether it was told.

        The message is kept in any case: set aside if its sender was told, else for a person to see.
        """
        self.answer_unreadable = answer
        return answer


def order_key(order_id: UUID) -> str:
    """The key under which messages wait for an order."""
    return f"order:{order_id}"
