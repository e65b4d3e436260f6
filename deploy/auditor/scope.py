"""Partial scans: the same checks on some orders of a shop, or on rows that belong to no order.

A query names tables without their schema; in a scope, common table expressions of the same names precede it,
with only the rows of the scope. So each invariant is written once, and checking a hundred orders costs the
same among a million.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from deploy.auditor.inputs import Connection, Inputs, Row

OF_ORDERS: Mapping[str, Sequence[str]] = {
    "orders": [
        *(
            "orders",
            "order_line",
            "order_edit",
            "ledger_entry",
            "parcel",
            "unpacking",
            "lost_parcel",
            "shipment",
            "delivery",
            "mail",
            "dispute",
        ),
        *(
            "activity",
            "amendment",
            "order_facet",
            "order_search",
            "order_search_due",
            "order_tag",
            "deleted_order",
        ),
        *("command", "invoice"),
    ],
    "payments": [
        *("account", "ledger_entry", "attempt", "remark", "provider_object", "refund", "provider_refund"),
        *("order_edit", "sale", "invoice"),
        *("dispute", "dispute_report", "dispute_movement", "dispute_alarm"),
    ],
    "fulfillment": [
        *(
            "fulfilment_order",
            "order_line",
            "line_change",
            "parcel",
            "parcel_line",
            "shipment",
            "shipment_parcel",
        ),
        "reservation",
    ],
    "notifier": ["addressee", "mail", "mail_with_state", "recap_hold"],
}
"""Tables and views whose rows belong to an order: each has `shop` and `order_id`."""
LOG = re.compile(r"\bmsg\.event_log\b")
_WITH = re.compile(r"\s*WITH\s", re.IGNORECASE)
_IS_ORDER = "'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'"


@dataclass(frozen=True)
class Scope:
    """Orders of one shop; without a shop, everything that belongs to no order."""

    shop: str | None
    orders: Sequence[UUID] = ()


@dataclass(frozen=True)
class ScopedConnection:
    """A connection whose queries see only the rows of a scope. `raw` sees all."""

    raw: Connection
    tables: Sequence[str]
    scope: Scope

    async def fetch(self, sql: str, *arguments: Any) -> list[Row]:
        """Return the rows of a query."""
        text, added = scoped(sql, self.tables, self.scope, len(arguments))
        rows: list[Row] = await self.raw.fetch(text, *arguments, *added)
        return rows

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Return the first value of a query's first row."""
        rows = await self.fetch(sql, *arguments)
        return next(iter(rows[0].values())) if rows else None

    def is_closed(self) -> bool:
        """Return whether the connection was lost."""
        closed: bool = self.raw.is_closed()
        return closed

    def transaction(self) -> Any:
        """Return a transaction of the connection."""
        return self.raw.transaction()


def within(inputs: Inputs, scope: Scope) -> Inputs:
    """Return inputs of which checks see only the scope."""
    connections = {
        service: ScopedConnection(connection, OF_ORDERS[service], scope)
        for service, connection in inputs.connections.items()
    }
    return Inputs(connections, inputs.journals, inputs.expected_parked)


def scoped(sql: str, tables: Sequence[str], scope: Scope, places: int) -> tuple[str, list[Any]]:
    """Return the query on the rows of the scope, and the arguments to append to its own `places` ones."""
    text = _composed(sql, tuple(tables), places, is_of_shop=scope.shop is not None)
    return text, [] if scope.shop is None else [scope.shop, list(scope.orders)]


@lru_cache(maxsize=1024)
def _composed(sql: str, tables: tuple[str, ...], places: int, *, is_of_shop: bool) -> str:
    """Return the text of a query on a scope. Each query has two, however many pieces are scanned."""
    named = [name for name in tables if re.search(rf"(?<![.\w]){name}\b", sql)]
    parts = []
    if is_of_shop:
        parts.append(f"in_scope AS (SELECT ${places + 1}::text AS shop, ${places + 2}::uuid[] AS orders)")
        rows = "shop = (SELECT shop FROM in_scope) AND order_id = ANY((SELECT orders FROM in_scope)::uuid[])"
        events = "shop = (SELECT shop FROM in_scope) AND subject = ANY((SELECT orders::text[] FROM in_scope)::text[])"
    else:
        rows, events = "order_id IS NULL", f"(subject IS NULL OR subject !~ {_IS_ORDER})"
    parts += [f"{name} AS NOT MATERIALIZED (SELECT * FROM public.{name} WHERE {rows})" for name in named]  # noqa: S608
    if LOG.search(sql):
        sql = LOG.sub("log_in_scope", sql)
        parts.append(f"log_in_scope AS NOT MATERIALIZED (SELECT * FROM msg.event_log WHERE {events})")  # noqa: S608
    if not parts:
        return sql
    rest = ", " + _WITH.sub("", sql, count=1) if _WITH.match(sql) else f" {sql}"
    return f"WITH {', '.join(parts)}{rest}"
