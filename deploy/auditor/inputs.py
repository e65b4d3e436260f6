"""Inputs of the auditor: read-only connections to the four databases, and the records that storefront,
provider and mail server kept on their side.

Nothing here belongs to a service: the auditor reads tables and journals, never a service's code.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from contracts.catalogue import SERVICES

Row = Mapping[str, Any]
Connection = Any
"""asyncpg's connection; its type parameters carry no information for a reader."""
Key = tuple[Any, ...]
"""Values of a table's key columns, as many as it has."""
Rows = dict[Key, dict[str, Any]]


@dataclass(frozen=True)
class Journals:
    """Records kept by the other sides. None where no journal was kept: the checks that need it then find
    nothing.

    `submitted`: event ids that the broker confirmed to storefronts. `accepted_webhooks`: provider event ids
    that were answered 2xx, once per post. `mails`: Message-IDs the mail server accepted, once per mail.
    """

    submitted: Collection[UUID] | None = None
    accepted_webhooks: Sequence[str] | None = None
    mails: Sequence[str] | None = None


@dataclass(frozen=True)
class Inputs:
    """Everything the checks can read. `expected_parked` are ids of messages that must be parked (and no
    others may be).
    """

    connections: Mapping[str, Connection]
    journals: Journals = field(default_factory=Journals)
    expected_parked: frozenset[UUID] = frozenset()

    @property
    def orders(self) -> Connection:
        return self.connections["orders"]

    @property
    def payments(self) -> Connection:
        return self.connections["payments"]

    @property
    def fulfillment(self) -> Connection:
        return self.connections["fulfillment"]

    @property
    def notifier(self) -> Connection:
        return self.connections["notifier"]


@asynccontextmanager
async def open_inputs(
    urls: Mapping[str, str], journals: Journals | None = None, expected_parked: Collection[UUID] = ()
) -> AsyncIterator[Inputs]:
    """Connect to every service's database; the sessions can't write."""
    async with AsyncExitStack() as stack:
        connections = {}
        for service in SERVICES:
            settings = {"default_transaction_read_only": "on", "application_name": "comptoir-auditor"}
            connection = await asyncpg.connect(urls[service], server_settings=settings, timeout=10)
            stack.push_async_callback(connection.close)
            connections[service] = connection
        yield Inputs(connections, journals or Journals(), frozenset(expected_parked))


async def table(
    connection: Connection, sql: str, *arguments: Any, key: Sequence[str] = ("shop", "order_id")
) -> Rows:
    """Return the rows of a query by their key columns; the other columns are compared."""
    rows = await connection.fetch(sql, *arguments)
    found: Rows = {}
    for row in rows:
        content = dict(row)
        found[tuple(content.pop(name) for name in key)] = content
    return found


async def living(inputs: Inputs, rows: Rows) -> Rows:
    """Return the rows (keyed by shop and order first) of orders that were not deleted."""
    deleted = await inputs.orders.fetch("SELECT shop, order_id FROM deleted_order")
    gone = {(row["shop"], row["order_id"]) for row in deleted}
    return {key: row for key, row in rows.items() if key[:2] not in gone}


async def erased(inputs: Inputs) -> set[tuple[str, UUID]]:
    """Return the orders (shop, id) whose customers were erased."""
    rows = await inputs.orders.fetch("SELECT shop, order_id FROM msg.erased")
    return {(row["shop"], row["order_id"]) for row in rows}


async def named(inputs: Inputs, rows: Rows) -> Rows:
    """Return the rows (keyed by shop and order first) of orders whose customers were not erased."""
    gone = await erased(inputs)
    return {key: row for key, row in rows.items() if key[:2] not in gone}
