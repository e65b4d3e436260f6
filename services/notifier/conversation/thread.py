"""A thread and its rules: whose turn it is, what is unread, and what the staff may change. Pure.

Every change raises the version by one, so that a listener can keep the highest. An automatic message changes
nothing but the version: otherwise a vacation reply would reopen a closed thread.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.notifier.conversation import AuthorRole, Channel, ThreadChange, ThreadState, ThreadSummary

EXCERPT = 300
MOST_MAIL_IDS = 20
"""Message-IDs kept for References; RFC 5322 recommends no limit, mail servers do (998 octets a line, folded)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a thread. `segments` are the whole text in pieces: kind and text."""

    message_id: UUID
    author_role: AuthorRole
    author: str
    via: Channel
    posted_at: datetime
    segments: list[dict[str, str]]
    is_automatic: bool = False
    address: str | None = None
    sent_at: datetime | None = None
    subject: str | None = None
    verified: str = "none"
    inbound_id: UUID | None = None

    @property
    def excerpt(self) -> str:
        """Return the beginning of what the author wrote, on one line; of what was quoted if there is nothing else."""
        own = " ".join(" ".join(s["text"] for s in self.segments if s["kind"] == "shown").split())
        shown = own or " ".join(" ".join(s["text"] for s in self.segments).split())
        return shown if len(shown) <= EXCERPT else shown[: EXCERPT - 1] + "…"


@dataclass(slots=True)
class Thread:
    """The thread of an order; version 0 has no message yet."""

    shop: str
    order_id: UUID
    version: int = 0
    state: ThreadState = ThreadState.WAITING_STAFF
    unread: int = 0
    last_at: datetime | None = None
    assignee: str | None = None
    excerpt: str = ""
    mail_ids: list[str] = field(default_factory=list)
    added: list[Message] = field(default_factory=list)

    def add(self, message: Message, mail_id: str | None = None) -> None:
        """Add a message; `mail_id` is the Message-ID of the mail that carries or carried it."""
        self.version += 1
        self.added.append(message)
        if mail_id:
            self.mail_ids = [*(one for one in self.mail_ids if one != mail_id), mail_id][-MOST_MAIL_IDS:]
        if message.is_automatic:
            self.last_at = self.last_at or message.posted_at
            return
        self.last_at, self.excerpt = (
            max(self.last_at or message.posted_at, message.posted_at),
            message.excerpt,
        )
        if message.author_role is AuthorRole.STAFF:
            self.state, self.unread = ThreadState.WAITING_CUSTOMER, 0
        else:
            self.state, self.unread = ThreadState.WAITING_STAFF, self.unread + 1

    def change(self, change: ThreadChange, assignee: str | None = None) -> bool:
        """Apply a staff member's change. Return whether anything changed."""
        before = self.state, self.unread, self.assignee
        if change is ThreadChange.CLOSE:
            self.state = ThreadState.CLOSED
        elif change is ThreadChange.READ:
            self.unread = 0
        elif change is ThreadChange.ASSIGN:
            self.assignee = assignee
        elif self.state is ThreadState.CLOSED:
            self.state = ThreadState.WAITING_STAFF
        has_changed = before != (self.state, self.unread, self.assignee)
        self.version += has_changed
        return has_changed

    @property
    def summary(self) -> ThreadSummary:
        """Return the thread as messages carry it."""
        assert self.last_at is not None
        return ThreadSummary(
            version=self.version,
            state=self.state,
            unread=self.unread,
            last_at=self.last_at,
            assignee=self.assignee,
        )


def written(text: str) -> list[dict[str, str]]:
    """Return the segments of a text that was typed into a form: all of it is shown."""
    return [{"kind": "shown", "text": text}]


def as_row(message: Message) -> dict[str, Any]:
    """Return a message's plain values by column."""
    return {name: getattr(message, name) for name in Message.__slots__}
