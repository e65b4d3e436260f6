"""Interface of a running process for lower layers: connections, units of work, clock, settings, stop signal.

Background work, resync and the operators' routes need a few members of the hub and none of its parts. They
name them here, so that nothing below the hub imports the hub.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from services.chassis.messaging.inbound.parking import RetryPolicy
from services.chassis.messaging.unit import Unit
from services.chassis.settings import ServiceSettings
from services.chassis.storage.clock import Clock
from services.chassis.storage.database import Connection


class Transactions(Protocol):
    """A service's database: its connections, and units of work whose messages are sent after the commit.

    `owner` identifies the process on leases.
    """

    @property
    def service(self) -> str: ...

    @property
    def owner(self) -> UUID: ...

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        """Return a connection of the pool."""

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """Return a unit of work in a transaction of its own."""


class Process(Transactions, Protocol):
    """One process of a service as its background work sees it."""

    @property
    def settings(self) -> ServiceSettings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def is_clock_doubtful(self) -> bool: ...

    @property
    def retry_policy(self) -> RetryPolicy: ...

    @property
    def stopping(self) -> asyncio.Event: ...

    def nudge(self, worker: str) -> None:
        """Let a worker check for work immediately."""
