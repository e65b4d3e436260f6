"""A mail, and the mail that a cause leads to.

A mail's id is derived from what makes it unique: shop, causing event, recipient and template. So a repeated
or replayed event leads to the same existing mail, and the Message-ID that a mail server receives never
changes. With a random id a customer could get the same recap twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

MAIL = "mail"
"""The kind of the effect that sends a mail; its key is the mail's id."""
TEMPLATE = "template"
"""The part of its mail stored in the effect: the template's name."""
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
    CANCELLATION_DECLINED = "cancellation_declined"
    REFUND_MADE = "refund_made"
    REFUND_FAILED = "refund_failed"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAGE_LINK = "page_link"
    TEXT_DAMAGED = "text_damaged"
    SENDER_REFUSED = "sender_refused"
    MESSAGE_POSTED = "message_posted"
    MESSAGE_RECEIVED = "message_received"
    ORDER_COMPLETED = "order_completed"
    STOCK_LOW = "stock_low"
    PAYMENT_UNMATCHED = "payment_unmatched"
    REFUND_MARK_OVERDUE = "refund_mark_overdue"
    DISPUTE_DUE_SOON = "dispute_due_soon"
    CHECKOUT_ABANDONED = "checkout_abandoned"


ALERTS = frozenset(
    {
        Template.STOCK_LOW,
        Template.PAYMENT_UNMATCHED,
        Template.REFUND_MARK_OVERDUE,
        Template.DISPUTE_DUE_SOON,
    }
)
"""Warnings to the shop that are read where they are dealt with."""
TO_MERCHANT = ALERTS | {
    Template.NEW_ORDER,
    Template.TEXT_DAMAGED,
    Template.SENDER_REFUSED,
    Template.MESSAGE_RECEIVED,
}
"""Mails to the shop; all others go to the order's customer."""
ANSWERED_BY_STAFF = frozenset({Template.NEW_ORDER, Template.MESSAGE_RECEIVED})
"""Mails to the shop whose answer by mail is a message to the order's customer; an answer to any other is not
delivered.
"""


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
    order; `resent_by` is the command that had it sent again last, whose outcome is the mail's outcome; `versions`
    are those of the shop's own texts, by part, and of its profile that the mail was planned with. A warning that
    is about no order has no `order_id` and an empty `code`; one that is about a checkout's mail has only its `code`.
    """

    id: UUID
    shop: str
    order_id: UUID | None
    code: str
    cause_id: UUID
    template: Template
    recipient: str
    locale: str
    message_id: str
    context: dict[str, Any]
    created_at: datetime
    resent_by: Cause | None = None
    versions: Mapping[str, int] = field(default_factory=dict)


def is_about_an_order(mail: Mail) -> bool:
    """Return whether a mail is about a placed order: not about none, and not about a checkout."""
    return mail.order_id is not None and mail.template is not Template.CHECKOUT_ABANDONED


def is_answered(mail: Mail) -> bool:
    """Return whether an answer to a mail is a message in its order's thread. One to a warning never is."""
    if not is_about_an_order(mail):
        return False
    return mail.template not in TO_MERCHANT or is_answered_by_staff(mail.template, mail.context)


def is_answered_by_staff(template: str, context: Mapping[str, Any]) -> bool:
    """Return whether an answer to a mail to the shop goes to the customer; the notice of a flood is a warning."""
    return template in ANSWERED_BY_STAFF and not context.get("is_flood")


def without_order(mail: Mail) -> Recipient:
    """Return the recipient of a mail that is about no placed order: the name its context has, if any."""
    name = str(mail.context.get("name", ""))
    return Recipient(mail.shop, mail.id, "", name, mail.recipient, mail.locale, mail.id, {})


def mail_id(shop: str, cause_id: UUID, recipient: str, template: Template) -> UUID:
    """Return the id of the one mail that this cause may send to this recipient with this template."""
    return uuid5(_NAMESPACE, "\n".join((shop, str(cause_id), template.value, recipient)))


def message_id(identifier: UUID, sender: str) -> str:
    """Return the Message-ID of a mail from this sender (RFC 5322, 3.6.4): `<id@domain of the sender>`."""
    return f"<{identifier}@{sender.rpartition('@')[2]}>"
