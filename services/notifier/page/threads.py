"""The order's conversation on its page: read with what the customer may see, and written to as the customer.

Of the staff only the shop's name is shown. Text that a mail quoted stays folded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from babel.numbers import format_decimal

from contracts.notifier.conversation import AuthorRole, Channel
from services.chassis.messaging.process import Transactions
from services.chassis.storage.database import Connection
from services.notifier.conversation import posting, reading_store
from services.notifier.conversation.needs import ConversationNeeds
from services.notifier.conversation.thread import Message, written
from services.notifier.conversation.unit import ConversationUnit
from services.notifier.mails.compose.formatter import Formatter
from services.notifier.mails.compose.screening import one_line, paragraphs
from services.notifier.page import store
from services.notifier.page.opening import Opened

MOST_AN_HOUR = 5
LONGEST = 10_000
AN_HOUR = timedelta(hours=1)
_KEPT, _FOLDED = "kept", "folded"


class TooOften(Exception):
    """The customer has sent as many messages as an hour allows."""


class FormTaken(Exception):
    """The form was sent before with another text, which is the message; this one was not added."""


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of a message: its address, unless it is not offered as a download here, its name with its size,
    and why not.
    """

    id: str | None
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the page shows it. `folded` are the lines that a mail quoted; `is_from_page`: the customer wrote
    it here; `is_whole` is false for a mail of which a part was not read.
    """

    id: UUID
    is_from_page: bool
    is_whole: bool
    is_own: bool
    author: str
    at: str
    lines: list[str]
    folded: list[str]
    is_automatic: bool
    files: list[ShownFile]


async def read(
    connection: Connection, link: Opened, formatter: Formatter, words: Mapping[str, Any]
) -> list[Shown]:
    """Return the messages of the order, the oldest first. Changes nothing."""
    _, messages = await reading_store.read_thread(connection, link.shop, link.order_id)
    received = [row["inbound_id"] for row in messages if row["inbound_id"]]
    files = await reading_store.read_attachments(connection, received) if received else {}
    return [_shown(row, files.get(row["inbound_id"], []), formatter, words) for row in messages]


async def read_file(connection: Connection, link: Opened, attachment_id: UUID) -> reading_store.Row | None:
    """Return an attachment of this order's thread, if it is kept."""
    row = await reading_store.read_attachment(connection, attachment_id)
    if row is None or row["content"] is None or row["state"] != _KEPT:
        return None
    is_own = await store.is_of_order(connection, row["inbound_id"], link.shop, link.order_id)
    return row if is_own else None


async def post(process: Transactions, link: Opened, message_id: UUID, text: str) -> None:
    """Add the customer's message to the thread; a form sent twice adds one. Raises TooOften and FormTaken."""
    async with process.unit() as unit:
        work, key = ConversationUnit(unit), (link.shop, link.order_id)
        await work.load(
            ConversationNeeds(recipients={key}, threads={key}, messages={(link.shop, message_id)})
        )
        recipient = work.recipient(*key)
        if recipient is None or recipient.deleted_at:
            return
        segments = written(text)
        if work.has_message(link.shop, message_id):
            posted = await store.read_text(unit.connection, link.shop, message_id)
            if posted != "".join(segment["text"] for segment in segments):
                raise FormTaken
            return
        since = unit.now - AN_HOUR
        if await store.count_messages(unit.connection, *key, Channel.PAGE, since) >= MOST_AN_HOUR:
            raise TooOften
        message = Message(
            message_id=message_id,
            author_role=AuthorRole.CUSTOMER,
            author=recipient.name,
            via=Channel.PAGE,
            posted_at=unit.now,
            segments=segments,
        )
        posting.post(work, recipient, message)
        await work.save()


def _shown(
    row: reading_store.Row, files: list[reading_store.Row], formatter: Formatter, words: Mapping[str, Any]
) -> Shown:
    segments = reading_store.segments_of(row)
    seen = "\n".join(one["text"] for one in segments if one["kind"] != "folded")
    folded = "\n".join(one["text"] for one in segments if one["kind"] == "folded")
    role = row["author_role"]
    return Shown(
        id=row["message_id"],
        is_from_page=row["via"] == Channel.PAGE,
        is_whole=row["is_whole"],
        is_own=role == AuthorRole.CUSTOMER,
        author=words[{"staff": "shop"}.get(role, role)],
        at=formatter.date_time(row["posted_at"]),
        lines=paragraphs(seen),
        folded=paragraphs(folded),
        is_automatic=row["is_automatic"],
        files=[_file(one, formatter, words) for one in files if one["state"] != _FOLDED],
    )


def _file(row: reading_store.Row, formatter: Formatter, words: Mapping[str, Any]) -> ShownFile:
    size = words["attachment"].format(name=one_line(row["name"]), size=_size(row["size"], formatter, words))
    is_kept = row["state"] == _KEPT
    return ShownFile(str(row["attachment_id"]) if is_kept else None, size, words.get(row["state"], ""))


def _size(count: int, formatter: Formatter, words: Mapping[str, Any]) -> str:
    if count < 1000:
        return str(words["bytes"].format(count=count))
    if count < 1_000_000:
        return str(words["kilobytes"].format(count=round(count / 1000)))
    return str(
        words["megabytes"].format(count=format_decimal(round(count / 1_000_000, 1), locale=formatter.locale))
    )
