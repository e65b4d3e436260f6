"""SQL of the pages about conversations: lists, one thread, one received mail, one attachment. Nothing is changed."""

import json
from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from contracts.notifier.conversation import TO_BE_FILED, ThreadState
from services.chassis.storage.database import Connection
from services.notifier.conversation.queries import NOT_CLOSED, InboundQuery, ThreadQuery

Row: TypeAlias = asyncpg.Record
_WAITING = f"i.outcome IN {tuple(map(str, TO_BE_FILED))} AND i.filed_at IS NULL"
"""Mails that wait for staff. It has an index of its own."""
_LATEST = "ORDER BY t.last_at DESC, t.order_id DESC"
_FOUND_BY = (
    "a.has_thread AND a.code = upper({})",
    "a.has_thread AND lower(a.email) LIKE {} || '%'",
    "a.has_thread AND lower(a.name) LIKE '%' || {} || '%'",
    """EXISTS (SELECT FROM message m WHERE (m.shop, m.order_id) = (t.shop, t.order_id)
               AND lower(m.segments::text) LIKE '%' || {} || '%')""",
)
"""Where text is searched. Each has an index: in one condition they would have all threads read."""


async def list_threads(connection: Connection, query: ThreadQuery) -> list[Row]:
    """Return threads with their orders' code and customer, the latest first.

    Text is an order's code, the beginning of an address, or a part of the customer's name or of a message.
    """
    sql, arguments = threads_sql(query)
    return await connection.fetch(sql, *arguments)


def threads_sql(query: ThreadQuery) -> tuple[str, list[Any]]:
    """Return the SQL that lists these threads, and its arguments."""
    conditions, arguments = _conditions(
        ("t.shop = {}", query.shop),
        ("t.state <> {}", ThreadState.CLOSED) if query.state == NOT_CLOSED else ("t.state = {}", query.state),
        ("t.assignee = {}", query.assignee),
        ("t.unread > {}", 0 if query.unread else None),
        ("t.last_at <= {}", query.before[0] if query.before else None),
        ("(t.last_at, t.order_id) < ({}, {})", query.before),
    )
    if query.text is not None:
        conditions = [_search(conditions, arguments, query.text, query.limit)]
    sql = f"""SELECT t.*, a.code, a.name FROM thread t JOIN addressee a USING (shop, order_id)
              WHERE {" AND ".join(conditions)} {_LATEST} LIMIT {query.limit}"""  # noqa: S608 - fragments of this module only
    return sql, arguments


def _search(conditions: Sequence[str], arguments: list[Any], text: str, limit: int) -> str:
    """Return the condition of threads that a text finds: the latest that each way finds, of which the rest is read.

    So a word of every message is found among the latest ones, and a rare one by its index.
    """
    pattern = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    first = len(arguments) + 1
    arguments += (text, pattern)
    branches = [
        f"""(SELECT t.shop, t.order_id FROM thread t JOIN addressee a USING (shop, order_id)
             WHERE {" AND ".join([*conditions, way.format(f"${first + min(number, 1)}")])}
             {_LATEST} LIMIT {limit})"""  # noqa: S608 - fragments of this module only
        for number, way in enumerate(_FOUND_BY)
    ]
    return f"(t.shop, t.order_id) IN ({' UNION ALL '.join(branches)})"


async def read_thread(connection: Connection, shop: str, order_id: UUID) -> tuple[Row | None, list[Row]]:
    """Return a thread, if it has messages, and these, the oldest first."""
    thread = await connection.fetchrow(
        """SELECT t.*, a.code, a.name FROM thread t JOIN addressee a USING (shop, order_id)
           WHERE (t.shop, t.order_id) = ($1, $2)""",
        shop,
        order_id,
    )
    messages = await connection.fetch(
        """SELECT m.*, coalesce(i.is_whole, true) AS is_whole
           FROM message m LEFT JOIN inbound_mail i ON i.inbound_id = m.inbound_id
           WHERE (m.shop, m.order_id) = ($1, $2) ORDER BY m.posted_at, m.message_id""",
        shop,
        order_id,
    )
    return thread, messages


async def read_waiting(connection: Connection, shop: str, order_id: UUID) -> list[Row]:
    """Return the mails to an order's thread that are not in it: they wait for staff to file them."""
    return await connection.fetch(
        f"""SELECT inbound_id, received_at, sender, envelope_from, subject, outcome, reason FROM inbound_mail i
            WHERE (i.shop, i.order_id) = ($1, $2) AND {_WAITING} ORDER BY i.received_at, i.inbound_id""",  # noqa: S608 - of this module only
        shop,
        order_id,
    )


async def read_attachments(connection: Connection, inbound_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """Return the attachments of received mails, without their contents."""
    rows = await connection.fetch(
        """SELECT attachment_id, inbound_id, name, type, size, state FROM attachment
           WHERE inbound_id = ANY($1::uuid[]) ORDER BY inbound_id, number""",
        inbound_ids,
    )
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row["inbound_id"], []).append(row)
    return found


async def list_inbound(connection: Connection, query: InboundQuery) -> list[Row]:
    """Return received mails without their contents, the latest first."""
    conditions, arguments = _conditions(
        ("i.shop = {}", query.shop),
        ("i.inbound_id = {}", query.inbound_id),
        ("i.outcome = {}", query.outcome),
        ("i.order_id = {}", query.order_id),
        ("i.received_at <= {}", query.before[0] if query.before else None),
        ("(i.received_at, i.inbound_id) < ({}, {})", query.before),
        (
            "(i.filed_at IS NULL) = {}::boolean",
            None if query.filed is None else not query.filed,
        ),
    )
    if query.waiting:
        conditions.append(_WAITING)
    sql = f"""SELECT i.inbound_id, i.shop, i.received_at, i.envelope_from, i.size, i.order_id, i.sender, i.subject,
                     i.outcome, i.reason, i.ended_at, i.filed_by, i.filed_at, i.filed_reason, i.excerpt, i.is_whole,
                     a.code
              FROM inbound_mail i LEFT JOIN addressee a ON (a.shop, a.order_id) = (i.shop, i.order_id)
              WHERE {" AND ".join(conditions)}
              ORDER BY i.received_at DESC, i.inbound_id DESC LIMIT {query.limit}"""  # noqa: S608 - of this module only
    return await connection.fetch(sql, *arguments)


async def count_inbound(connection: Connection, shop: str) -> dict[str, int]:
    """Return how many mails a shop received by outcome; those that are not read yet as `unread`."""
    rows = await connection.fetch(
        "SELECT coalesce(outcome, 'unread') AS outcome, count(*) AS n FROM inbound_mail WHERE shop = $1 GROUP BY 1",
        shop,
    )
    return {row["outcome"]: row["n"] for row in rows}


async def read_raw(connection: Connection, inbound_id: UUID, shop: str | None = None) -> bytes | None:
    """Return a received mail as it came; with a `shop` only if it is that shop's."""
    return await connection.fetchval(
        "SELECT raw FROM inbound_mail WHERE inbound_id = $1 AND shop = coalesce($2, shop)", inbound_id, shop
    )


async def read_attachment(connection: Connection, attachment_id: UUID, shop: str | None = None) -> Row | None:
    """Return an attachment with its content; with a `shop` only if it is that shop's."""
    return await connection.fetchrow(
        "SELECT * FROM attachment WHERE attachment_id = $1 AND shop = coalesce($2, shop)", attachment_id, shop
    )


def segments_of(row: Row) -> list[dict[str, str]]:
    """Return a message's text in pieces: kind (shown, folded, quote) and text."""
    return json.loads(row["segments"])


def _conditions(*wanted: tuple[str, Any]) -> tuple[list[str], list[Any]]:
    conditions, arguments = ["true"], list[Any]()
    for fragment, value in wanted:
        if value is not None:
            values = value if isinstance(value, tuple) else (value,)
            conditions.append(fragment.format(*(f"${len(arguments) + n}" for n in range(1, len(values) + 1))))
            arguments += values
    return conditions, arguments
