"""A mail, and the mail that a cause leads to.

A mail's id is derived from what makes it unique: shop, causing event, recipient and template. So a repeated
or replayed event leads to the same existing mail, and the Message-ID that a mail server receives never
changes. With a random id a customer could get the same recap twice.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("7d2b1c0e-6a34-5f0b-9c55-3f6d0f0a8e21")


class Template(StrEnum):
    """Mails that this service composes; the value names the template files."""

    NEW_ORDER = "new_order"
    ORDER_RECAP = "order_recap"
    SHIPMENT_DISPATCHED = "shipment_dispatched"
    SHIPMENT_UPDATED = "shipment_updated"
    SHIPMENT_CANCELLED = "shipment_cancelled"
    PARCEL_LOST = "parcel_lost"
    STATUS_UPDATED = "status_updated"
    ORDER_CANCELLED = "order_cancelled"
    REFUND_MADE = "refund_made"
    REFUND_FAILED = "refund_failed"


@dataclass(frozen=True, slots=True)
class Recipient:
    """An order's customer and the order as its mails show it. `placed` is OrderPlaced as JSON.

    `name` and `email` are those of the latest edit, `edited` is what else mails show of it (of revision `revision`).
    Once the order was deleted (`deleted_at`) all of them are empty.
    """

    shop: str
    order_id: UUID
    code: str
    name: str
    email: str
    locale: str
    thread_mail_id: UUID
    placed: dict[str, Any]
    revision: int = 0
    edited: dict[str, Any] | None = None
    deleted_at: datetime | None = None

    @property
    def now(self) -> dict[str, Any]:
        """Return the order as it is after its latest edit, as JSON."""
        return {**self.placed, **(self.edited or {})}


@dataclass(frozen=True, slots=True)
class Cause:
    """A command by its id and type."""

    id: UUID
    type: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One planned mail. `recipient` is where it goes, or went last; `context` is its content beyond the
    order; `resent_by` is the command that had it sent again last, whose outcome is the mail's outcome.
    """

    id: UUID
    shop: str
    order_id: UUID
    code: str
    cause_id: UUID
    template: Template
    recipient: str
    locale: str
    message_id: str
    context: dict[str, Any]
    created_at: datetime
    resent_by: Cause | None = None


def mail_id(shop: str, cause_id: UUID, recipient: str, template: Template) -> UUID:
    """Return the id of the one mail that this cause may send to this recipient with this template."""
    return uuid5(_NAMESPACE, "\n".join((shop, str(cause_id), template.value, recipient)))


def message_id(identifier: UUID, sender: str) -> str:
    """Return the Message-ID of a mail from this sender (RFC 5322, 3.6.4): `<id@domain of the sender>`."""
    return f"<{identifier}@{sender.rpartition('@')[2]}>"
