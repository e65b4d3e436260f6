"""SQL of threads and their messages: one function per statement."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from contracts.notifier.conversation import ThreadState
from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.notifier.conversation.thread import Message, Thread
from services.notifier.mails.needs import OrderKey

_SEPARATOR = "\n"
"""Between Message-IDs passed as one text: none of them holds a line break."""

_LOCK_ORDERS = Bulk(
    tuple[str, UUID],
    """SELECT shop, order_id FROM addressee JOIN {rows} AS k (shop, order_id) USING (shop, order_id)
       ORDER BY shop, order_id FOR NO KEY UPDATE OF addressee""",
)
_READ_THREADS = Bulk(
    tuple[str, UUID],
    """SELECT shop, order_id, version, state, unread, last_at, assignee, excerpt, mail_ids
       FROM thread JOIN {rows} AS k (shop, order_id) USING (shop, order_id)""",
)


async def lock_threads(connection: Connection, keys: Sequence[OrderKey]) -> list[Thread]:
    """Lock the recipients of these orders, so that each thread has one writer, and return the threads that exist.

    Keys must be sorted, to avoid deadlocks.
    """
    await _LOCK_ORDERS.fetch(connection, keys)
    rows = await _READ_THREADS.fetch(connection, keys)
    return [
        Thread(**{**dict(row), "state": ThreadState(row["state"]), "mail_ids": list(row["mail_ids"])})
        for row in rows
    ]


class ThreadRow(NamedTuple):
    shop: str
    order_id: UUID
    version: Integer
    state: str
    unread: Integer
    last_at: datetime | None
    assignee: str | None
    excerpt: str
    mail_ids: str


_WRITE_THREADS = Bulk(
    ThreadRow,
    """INSERT INTO thread AS t ({columns})
       SELECT shop, order_id, version, state, unread, last_at, assignee, excerpt,
              string_to_array(mail_ids, E'\\n')
       FROM {rows} AS n ({columns})
       ON CONFLICT (shop, order_id) DO UPDATE SET
           version = excluded.version, state = excluded.state, unread = excluded.unread,
           last_at = excluded.last_at, assignee = excluded.assignee, excerpt = excluded.excerpt,
           mail_ids = excluded.mail_ids""",
)


async def write_threads(connection: Writer, threads: Sequence[Thread]) -> None:
    """Insert or update threads whose recipients are locked. A trigger marks these as having one, for the search."""
    rows = [
        ThreadRow(
            shop=t.shop,
            order_id=t.order_id,
            version=t.version,
            state=t.state,
            unread=t.unread,
            last_at=t.last_at,
            assignee=t.assignee,
            excerpt=t.excerpt,
            mail_ids=_SEPARATOR.join(t.mail_ids),
        )
        for t in threads
    ]
    await _WRITE_THREADS.execute(connection, rows)


class MessageRow(NamedTuple):
    shop: str
    message_id: UUID
    order_id: UUID
    author_role: str
    author: str
    address: str | None
    via: str
    posted_at: datetime
    sent_at: datetime | None
    subject: str | None
    segments: Json
    is_automatic: bool
    verified: str
    inbound_id: UUID | None


_INSERT_MESSAGES = Bulk(
    MessageRow,
    """INSERT INTO message ({columns})
       SELECT * FROM {rows}""",
)


async def insert_messages(connection: Writer, threads: Sequence[Thread]) -> None:
    """Write the messages that were added to these threads."""
    rows = [_message_row(thread, message) for thread in threads for message in thread.added]
    await _INSERT_MESSAGES.execute(connection, rows)


def _message_row(thread: Thread, message: Message) -> MessageRow:
    return MessageRow(
        shop=thread.shop,
        message_id=message.message_id,
        order_id=thread.order_id,
        author_role=message.author_role,
        author=message.author,
        address=message.address,
        via=message.via,
        posted_at=message.posted_at,
        sent_at=message.sent_at,
        subject=message.subject,
        segments=json.dumps(message.segments, ensure_ascii=False),
        is_automatic=message.is_automatic,
        verified=message.verified,
        inbound_id=message.inbound_id,
    )


_READ_WRITTEN = Bulk(
    tuple[str, UUID],
    "SELECT shop, message_id FROM message JOIN {rows} AS k (shop, message_id) USING (shop, message_id)",
)


async def read_written(connection: Connection, keys: Collection[tuple[str, UUID]]) -> set[tuple[str, UUID]]:
    """Return which of these messages exist."""
    rows = await _READ_WRITTEN.fetch(connection, sorted(keys))
    return {(row["shop"], row["message_id"]) for row in rows}


_FORGET = tuple(
    Bulk(tuple[str, UUID], text)
    for text in (
        """DELETE FROM attachment USING inbound_mail AS i, {rows} AS gone (shop, order_id)
           WHERE attachment.inbound_id = i.inbound_id AND (i.shop, i.order_id) = (gone.shop, gone.order_id)""",
        """DELETE FROM message USING {rows} AS gone (shop, order_id)
           WHERE (message.shop, message.order_id) = (gone.shop, gone.order_id)""",
        """DELETE FROM inbound_mail USING {rows} AS gone (shop, order_id)
           WHERE (inbound_mail.shop, inbound_mail.order_id) = (gone.shop, gone.order_id)""",
        """DELETE FROM participant USING {rows} AS gone (shop, order_id)
           WHERE (participant.shop, participant.order_id) = (gone.shop, gone.order_id)""",
        """DELETE FROM customer_address AS c USING {rows} AS gone (shop, order_id)
           WHERE (c.shop, c.order_id) = (gone.shop, gone.order_id)""",
        """DELETE FROM thread USING {rows} AS gone (shop, order_id)
           WHERE (thread.shop, thread.order_id) = (gone.shop, gone.order_id)""",
    )
)


async def forget_threads(connection: Connection, keys: Sequence[OrderKey]) -> None:
    """Delete all that was written about these orders, the received mails as they came, and who may write."""
    for statement in _FORGET:
        await statement.execute(connection, keys)
