"""Handlers of the messages a service receives: one table per service, checked when it is built.

A handler is a plain function on memory. It either changes the unit of work and emits, or raises `Wait` or
`Refuse` before it has changed anything; any other exception fails the batch, whose messages are then tried
one by one. The rows it needs loaded are declared beside it by name: the keys of all messages of a batch are
collected by need, so the unit of work loads each kind of row with one statement.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from contracts.catalogue import consumed_by
from contracts.envelope import Envelope
from contracts.message import Message, Reason
from services.chassis.messaging.snapshots import Snapshot
from services.chassis.messaging.unit import Unit

M = TypeVar("M", bound=Message)
Adapter = Callable[[bytes, bool], tuple[bytes, tuple[Reason, ...]] | None]
"""Function that returns a readable body, with a note per change, or None to leave it unchanged. Called with
the body and whether the schema rejected it."""
GIVE_UP_AFTER = timedelta(hours=72)


class Wait(Exception):
    """The message needs something that does not exist yet. It is retried when `key` is woken, and from time
    to time."""

    def __init__(self, key: str, reason: str, give_up_after: timedelta | None = None) -> None:
        super().__init__(f"{reason}: waits for {key}")
        self.key = key
        self.reason = reason
        self.give_up_after = give_up_after or GIVE_UP_AFTER


class Refuse(Exception):
    """The message will never be acceptable: it is parked with this reason, for an operator to see."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SubjectDeleted(Exception):
    """The message is about a permanently deleted subject: it counts as handled, and changes nothing."""


@dataclass(slots=True)
class ReceivedMessage(Generic[M]):
    """One message as a handler receives it. `attempts` counts the attempts before this one. With
    `is_snapshot` it is a snapshot of the current state, sent on request: nothing happened now, and its id is
    not that of an event. With `reuses_id` it has the id of another message of its sender. `notes`: the
    changes made to its body to read it.
    """

    envelope: Envelope
    message: M
    queue: str
    user_id: str | None
    attempts: int
    first_seen_at: datetime
    is_snapshot: bool = False
    reuses_id: bool = False
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that can never be read, for a service that answers its sender.

    `message` and `envelope` are None when the envelope itself can't be read; `event_id` is then taken from
    the header.
    """

    message: type[Message] | None
    envelope: Envelope | None
    event_id: UUID | None
    user_id: str | None
    reasons: tuple[Reason, ...]
    body: bytes = b""


N = TypeVar("N")


class UnitOfWork(ABC, Generic[N]):
    """The aggregates of one unit: locked and loaded together in id order, changed in memory, written back together.

    `needs` is a dataclass of sets and lists of keys: one field per kind of row that `load` can load.
    """

    needs: type[N]

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    @abstractmethod
    async def load(self, needs: N) -> None:
        """Lock and load the rows that the messages of the batch need."""

    @abstractmethod
    async def save(self) -> None:
        """Write back the changes."""


B = TypeVar("B", bound=UnitOfWork[Any])
KeysOf = Callable[[ReceivedMessage[M]], Iterable[Any]]
"""Function that returns the keys of the rows one message needs loaded."""


class Handler(Generic[B, M]):
    """One row of a service's table: a message class, the function it calls, and the rows that function needs loaded.

    Each further keyword is a need: a field of the unit's `needs`, with the function that returns a message's
    keys of it. An `adapter` makes bodies readable that the schema rejects. A message whose id was used before
    with another body is parked, unless its handler `answers_reused_ids`.
    """

    def __init__(
        self,
        message: type[M],
        function: Callable[[B, ReceivedMessage[M]], None],
        /,
        *,
        adapter: Adapter | None = None,
        answers_reused_ids: bool = False,
        **needs: KeysOf[M],
    ) -> None:
        self.message = message
        self.function = function
        self.adapter = adapter
        self.answers_reused_ids = answers_reused_ids
        self.needs = needs

    def __str__(self) -> str:
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__name__}"


class InvalidHandlers(Exception):
    """A service's table of handlers has errors, one sentence each."""

    def __init__(self, service: str, errors: Sequence[str]) -> None:
        super().__init__(
            f"services/{service}/handlers.py is invalid:\n" + "\n".join(f"- {e}" for e in errors)
        )
        self.errors = errors


class Subscribers(Generic[B]):
    """A service's table of handlers. Raises InvalidHandlers unless each message that the catalogue routes to
    the service has exactly one handler, and each need is one that `work` loads.

    `consumed` replaces the catalogue's messages for a program that handles fewer of them.
    """

    def __init__(
        self,
        service: str,
        work: type[B],
        *handlers: Handler[B, Any],
        consumed: Collection[type[Message]] | None = None,
    ) -> None:
        received = consumed if consumed is not None else [entry.message for entry in consumed_by(service)]
        loaded = [field.name for field in fields(work.needs)]
        if errors := list(_errors(service, work.__name__, loaded, received, handlers)):
            raise InvalidHandlers(service, errors)
        self.service = service
        self.work = work
        self.handlers: dict[type[Message], Handler[B, Any]] = {one.message: one for one in handlers}
        self.adapters = {one.message: one.adapter for one in handlers if one.adapter is not None}
        self.answer_unreadable: Callable[[Unit, Unreadable], Awaitable[bool]] | None = None
        self.snapshots: dict[str, Snapshot] = {}

    async def load(self, unit: Unit, batch: Sequence[ReceivedMessage[Any]]) -> B:
        """Return a unit of work with all rows locked and loaded that these messages need."""
        work = self.work(unit)
        await work.load(self._needs_of(batch))
        return work

    def handle(self, work: B, received: ReceivedMessage[Any]) -> None:
        """Run the handler of one message of the batch that `work` was loaded for."""
        self.handlers[type(received.message)].function(work, received)

    def _needs_of(self, batch: Sequence[ReceivedMessage[Any]]) -> Any:
        needs = self.work.needs()
        for received in batch:
            for name, keys_of in self.handlers[type(received.message)].needs.items():
                collected = getattr(needs, name)
                add = collected.extend if isinstance(collected, list) else collected.update
                add(keys_of(received))
        return needs

    def resyncs(self, consumer: str, snapshot: Snapshot) -> None:
        """Register the snapshot from which this service re-emits its current state to one of its consumers."""
        self.snapshots[consumer] = snapshot

    def unreadable(
        self, answer: Callable[[Unit, Unreadable], Awaitable[bool]]
    ) -> Callable[[Unit, Unreadable], Awaitable[bool]]:
        """Register a function that answers the sender of a message that can never be read; it returns whether
        it has.

        The message is kept in any case: set aside if its sender was answered, else for an operator to see.
        """
        self.answer_unreadable = answer
        return answer


def _errors(
    service: str,
    work: str,
    loaded: Sequence[str],
    received: Collection[type[Message]],
    handlers: Sequence[Handler[Any, Any]],
) -> Iterator[str]:
    """Yield one sentence per error of a table."""
    for handler in handlers:
        name = handler.message.__name__
        if handler.message not in received:
            yield (
                f'{name} (handler {handler}) is not received by {service}: remove the handler, or add "{service}" to '
                "the listeners of the message in contracts/catalogue.py."
            )
        for need in sorted(handler.needs.keys() - set(loaded)):
            names = ", ".join(loaded)
            yield f"{name} (handler {handler}) needs {need!r}, which {work} does not load; it loads {names}."
    for message, count in Counter(one.message for one in handlers).items():
        if count > 1:
            names = ", ".join(str(one) for one in handlers if one.message is message)
            yield f"{message.__name__} has {count} handlers ({names}): keep one."
    for message in dict.fromkeys(received):
        if not any(one.message is message for one in handlers):
            yield f"{message.__name__} is received by {service} and has no handler: add one."


def order_key(order_id: UUID) -> str:
    """Return the key under which messages wait for an order."""
    return f"order:{order_id}"
