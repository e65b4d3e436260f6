"""Snapshots of a service's orders, re-emitted to one consumer: the selection of orders and how they are read."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.message import Message
from services.chassis.storage.database import Connection


@dataclass(frozen=True, slots=True)
class SnapshotMessage:
    """A message with the current state of some aspect of an order, and the time since when it is current."""

    message: Message
    since: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """The selected orders: all of a shop, or those named."""

    shop: str
    orders: Sequence[UUID] | None = None


@dataclass(frozen=True)
class Snapshot:
    """A service's way to emit its current state to one consumer. `count` and `find` return which of the
    selected orders it has: their number, and the ids of the next ones after an id, ascending. `read` locks
    these orders, so that what it reads is consistent, and returns the messages to emit."""

    count: Callable[[Connection, Wanted], Awaitable[int]]
    find: Callable[[Connection, Wanted, UUID | None, int], Awaitable[list[UUID]]]
    read: Callable[[Connection, str, Sequence[UUID]], Awaitable[list[SnapshotMessage]]]
