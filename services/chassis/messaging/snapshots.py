"""The current state of a service's orders as it is re-emitted to one consumer: which orders, and how they are read."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.message import Message
from services.chassis.storage.database import Connection


@dataclass(frozen=True, slots=True)
class Standing:
    """A message with the current state of something about an order, and since when it is so."""

    message: Message
    since: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders: all of a shop, or those named."""

    shop: str
    orders: Sequence[UUID] | None = None


@dataclass(frozen=True)
class Snapshot:
    """How a service tells one listener its truth. `count` and `find` say which orders it has of those wanted: how many,
    and the ids of the next ones after one, ascending. `tell` locks these orders, so that what it reads is one state,
    and gives what is to be said of them."""

    count: Callable[[Connection, Wanted], Awaitable[int]]
    find: Callable[[Connection, Wanted, UUID | None, int], Awaitable[list[UUID]]]
    tell: Callable[[Connection, str, Sequence[UUID]], Awaitable[list[Standing]]]
