"""Data of a conversation's pages: the notifier's messages, orders' copy of the thread's state, unsent messages.

The notifier owns the messages. While it is unavailable, the page shows the copied state and an excerpt of the last
message, and staff can still write: the command waits in the outbox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access import store as people
from services.orders.backoffice.access.permissions import Permission, Role, may
from services.orders.backoffice.conversation import draft_store, quick_reply_store, store
from services.orders.backoffice.conversation.quick_replies import QuickReply
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.web.page_context import Missing, PageContext

Row = Mapping[str, Any]
ON_THE_WAY = ("pending", "parked")


@dataclass(frozen=True)
class ThreadRead:
    """A thread. `known` is orders' copy; `unsent` are staff messages without an outcome; `waiting` are mails to the
    thread that are not in it; `down` is set while the notifier is unavailable.
    """

    known: Row | None
    summary: Row | None
    messages: Sequence[Row]
    unsent: Sequence[Row]
    down: ServiceUnavailable | None
    waiting: Sequence[Row] = ()


@dataclass(frozen=True)
class Draft:
    """The typed text; `unsent` is the text that has been sent and has no outcome yet, so that nothing is left to
    send.
    """

    text: str = ""
    unsent: str = ""
    is_refused: bool = False


async def read_thread(context: PageContext, order_id: UUID) -> ThreadRead:
    """Return the thread of an order of the user's shop."""
    path = f"/internal/threads/{context.shop}/{order_id}"
    found = await context.app_state.clients.get("notifier", path)
    async with context.reading() as connection:
        known = await store.read_thread(connection, context.shop, order_id)
        posts = await store.read_posts(connection, context.shop, order_id)
    if isinstance(found, ServiceUnavailable):
        return ThreadRead(known, known, (), _unsent(posts, ()), found)
    body = found.body if found.status == 200 else {"summary": None, "messages": [], "waiting": []}
    messages = [_message(one, posts) for one in body["messages"]]
    summary = timestamps_read(body["summary"], "last_at") if body["summary"] else None
    waiting = [timestamps_read(mail, "received_at") for mail in body.get("waiting", ())]
    return ThreadRead(known, summary, messages, _unsent(posts, messages), None, waiting)


def _message(message: Row, posts: Sequence[Row]) -> dict[str, Any]:
    """Return a message with its times parsed; `actor` is the staff member who wrote it, if any."""
    actors = {str(post["message_id"]): post["actor"] for post in posts}
    recognised = message.get("recognised")
    return {
        **timestamps_read(message, "at", "sent_at"),
        "actor": actors.get(message["id"]),
        "recognised": timestamps_read(recognised, "at") if recognised else None,
    }


def _unsent(posts: Sequence[Row], messages: Sequence[Row]) -> list[Row]:
    """Return the staff's messages that the notifier has not posted yet, the oldest first."""
    posted = {message["id"] for message in messages}
    return [
        post
        for post in reversed(posts)
        if post["state"] in ON_THE_WAY and str(post["message_id"]) not in posted
    ]


async def read_head(context: PageContext, order_id: UUID) -> Row:
    """Return the order's data shown beside its thread. Raises Missing."""
    async with context.reading() as connection:
        head = await store.read_head(connection, context.shop, order_id)
    if head is None:
        raise Missing
    return head


async def read_draft(context: PageContext, order_id: UUID) -> Draft:
    """Return the user's unsent draft for an order."""
    async with context.reading() as connection:
        row = await draft_store.read_draft(connection, context.shop, order_id, context.person.staff_id)
    if row is None or row.state == "done":
        return Draft()
    if row.state in ON_THE_WAY:
        return Draft(unsent=row.text)
    return Draft(row.text, is_refused=row.state == "rejected")


async def read_replies(context: PageContext) -> Sequence[QuickReply]:
    """Return the shop's quick replies."""
    async with context.reading() as connection:
        return await quick_reply_store.read_replies(connection, context.shop)


async def read_assignees(context: PageContext) -> list[tuple[str, str]]:
    """Return who may answer customers: login and name, the user first."""
    async with context.reading() as connection:
        rows = await people.list_staff(connection, context.shop)
    found = [
        (row["login"], row["name"])
        for row in rows
        if row["disabled_at"] is None and may(Role(row["role"]), Permission.CONVERSATION_WRITE)
    ]
    return sorted(found, key=lambda one: (one[0] != context.person.login, one[1].casefold()))
