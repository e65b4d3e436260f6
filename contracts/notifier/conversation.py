"""Messages of the conversation about an order: commands of the staff, and what the notifier did and received.

The texts stay with the notifier; other services get an excerpt. `thread.version` grows with every change of a
thread: a listener keeps the highest.
"""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import Actor, Command, Count, Message, OrderCode, OrderId, Part, Shop, Text, Timestamp
from contracts.notifier.bounces import MailAddress

MessageText = Annotated[str, Field(min_length=1, max_length=10_000)]
DisplayName = Annotated[
    str, Field(min_length=1, max_length=200, description="A name to show; never a staff member's address.")
]


class ThreadState(StrEnum):
    """The side whose turn it is, or that staff closed the thread."""

    WAITING_STAFF = "waiting_staff"
    WAITING_CUSTOMER = "waiting_customer"
    CLOSED = "closed"


class AuthorRole(StrEnum):
    """The author of a message: the order's customer, the shop's staff, or somebody else who wrote to the thread."""

    CUSTOMER = "customer"
    STAFF = "staff"
    OTHER = "other"


class Channel(StrEnum):
    """How a message came."""

    MAIL = "mail"
    PAGE = "page"
    BACKOFFICE = "backoffice"


class ThreadChange(StrEnum):
    """What staff may change about a thread. `read` marks all its messages as read."""

    CLOSE = "close"
    REOPEN = "reopen"
    READ = "read"
    ASSIGN = "assign"


class InboundOutcome(StrEnum):
    """Where a received mail ended."""

    POSTED = "posted"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    OWN = "own"
    TO_FILE = "to_file"
    PARKED = "parked"


TO_BE_FILED = (InboundOutcome.TO_FILE, InboundOutcome.PARKED)
"""Outcomes of mails that wait for staff to file them or set them aside."""


class ThreadSummary(Part):
    """A thread after a change. `unread` counts the messages that no staff member has read."""

    version: int = Field(ge=1, le=2**31 - 1)
    state: ThreadState
    unread: Count
    last_at: Timestamp = Field(description="The time of the last message that was not automatic.")
    assignee: Actor | None = None


class PostMessage(Command):
    """Post a staff member's message to the thread of an order; the customer gets it by mail."""

    wire_name: ClassVar[str] = "message.post.v1"

    shop: Shop
    order_id: OrderId
    message_id: UUID
    text: MessageText
    author_name: DisplayName
    actor: Actor


class ChangeThread(Command):
    """Close, reopen or assign a thread, or mark it as read. `assignee` belongs to `assign`; none means nobody."""

    wire_name: ClassVar[str] = "thread.change.v1"

    shop: Shop
    order_id: OrderId
    change: ThreadChange
    assignee: Actor | None = None
    actor: Actor


class FileMail(Command):
    """File a received mail in the thread of an order, or set it aside: without `order_id`, with a reason."""

    wire_name: ClassVar[str] = "mail.file.v1"

    shop: Shop
    inbound_id: UUID
    order_id: OrderId | None = None
    reason: Text | None = None
    actor: Actor


class AddParticipant(Command):
    """Recognise an address that wrote to the thread of an order as one of its customer."""

    wire_name: ClassVar[str] = "participant.add.v1"

    shop: Shop
    order_id: OrderId
    address: MailAddress
    actor: Actor


class RemoveParticipant(Command):
    """Take back that an address is one of the order's customer. What was written from it stays as it was shown."""

    wire_name: ClassVar[str] = "participant.remove.v1"

    shop: Shop
    order_id: OrderId
    address: MailAddress
    actor: Actor


class MessagePosted(Message):
    """A message was added to the thread of an order. An automatic one changes neither state nor `unread`."""

    wire_name: ClassVar[str] = "message.posted.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    message_id: UUID
    author_role: AuthorRole
    author: DisplayName
    via: Channel
    excerpt: str = Field(max_length=300, description="The beginning of what the author wrote, on one line.")
    is_automatic: bool = False
    thread: ThreadSummary
    posted_at: Timestamp


class ThreadChanged(Message):
    """Staff closed, reopened or assigned a thread, or read its messages."""

    wire_name: ClassVar[str] = "thread.changed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    change: ThreadChange
    thread: ThreadSummary
    changed_by: Actor
    changed_at: Timestamp


class ParticipantAdded(Message):
    """Staff recognised an address as one of the order's customer. The order's own mail address stays as it is."""

    wire_name: ClassVar[str] = "participant.added.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    address: MailAddress
    added_by: Actor
    added_at: Timestamp


class ParticipantRemoved(Message):
    """Staff took back that an address is one of the order's customer: mails from it are another sender's again."""

    wire_name: ClassVar[str] = "participant.removed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    address: MailAddress
    removed_by: Actor
    removed_at: Timestamp


class MailFiled(Message):
    """Staff filed a received mail in the thread of an order, or set it aside."""

    wire_name: ClassVar[str] = "mail.filed.v1"

    shop: Shop
    inbound_id: UUID
    order_id: OrderId | None = None
    reason: Text | None = None
    filed_by: Actor
    filed_at: Timestamp


class MailReceived(Message):
    """A received mail came to its end; its text stays with the notifier. `order_id` is the order it belongs to."""

    wire_name: ClassVar[str] = "mail.received.v1"

    shop: Shop
    inbound_id: UUID
    outcome: InboundOutcome
    reason: str | None = Field(default=None, max_length=60, description="A code: why it ended there.")
    order_id: OrderId | None = None
    received_at: Timestamp
