"""Rows needed by the notifier's messages: a field per kind of row, and the functions that return a message's keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.fulfillment.shipments import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.notifier.mail_texts import ResetTemplate, SetTemplate
from contracts.notifier.mails import ConfirmMail, ResendMail
from contracts.orders.lifecycle import OrderCompleted, StatusUpdated
from contracts.payments.accounts import PaymentUnmatched
from contracts.payments.disputes import DisputeOpened, DisputeUpdated
from contracts.payments.invoices import CreditNoteIssued, InvoiceIssued
from contracts.payments.refunds import RefundFailed, RefundMarked, RefundMarkOverdue, RefundSent
from services.chassis.messaging.subscribers import ReceivedMessage
from services.notifier.mails.causes.cause_ids import deadline_cause, money_cause
from services.notifier.mails.texts.store import TextKey

OrderKey = tuple[str, UUID]


@dataclass
class MailNeeds:
    """Keys of the rows that the messages of one batch need.

    - recipients: orders whose customers may be notified;
    - mails: mails that commands name;
    - causes: causes of new mails; in a replay, the mails written for them earlier are read;
    - once: causes of mails that go once, regardless of the address they went to: those written for them
    earlier are always read;
    - texts: texts of the shop's own that commands replace;
    - profiles: shops whose brand and support block commands replace;
    - rules: shops whose mails commands switch;
    - holds: orders whose recaps may wait for their invoices, which are locked;
    - invoiced: shops of which it is read whether invoices are issued at placement.
    """

    recipients: set[OrderKey] = field(default_factory=set)
    mails: set[UUID] = field(default_factory=set)
    causes: set[UUID] = field(default_factory=set)
    once: set[UUID] = field(default_factory=set)
    texts: set[TextKey] = field(default_factory=set)
    profiles: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)
    holds: set[OrderKey] = field(default_factory=set)
    invoiced: set[str] = field(default_factory=set)


def by_order(received: ReceivedMessage[Any]) -> Iterable[OrderKey]:
    """Return the order that the message names."""
    return [(received.message.shop, received.message.order_id)]


def by_notified_order(
    received: ReceivedMessage[ShipmentDispatched]
    | ReceivedMessage[ShipmentUpdated]
    | ReceivedMessage[ShipmentCancelled]
    | ReceivedMessage[ParcelLost]
    | ReceivedMessage[StatusUpdated],
) -> Iterable[OrderKey]:
    """Return the order, if its customer is to be notified."""
    return by_order(received) if received.message.notify_customer else ()


def by_refunded_order(
    received: ReceivedMessage[RefundMarked] | ReceivedMessage[RefundSent] | ReceivedMessage[RefundFailed],
) -> Iterable[OrderKey]:
    """Return the order, if its customer is to be notified of the refund."""
    return by_order(received) if received.message.refund.notify_customer else ()


def by_mailed_document(
    received: ReceivedMessage[InvoiceIssued] | ReceivedMessage[CreditNoteIssued],
) -> Iterable[OrderKey]:
    """Return the order, if its customer is to get the invoice or credit note."""
    return by_order(received) if received.message.mails_customer else ()


def by_due_dispute(
    received: ReceivedMessage[DisputeOpened] | ReceivedMessage[DisputeUpdated],
) -> Iterable[OrderKey]:
    """Return the order, if the deadline of its dispute is near."""
    return by_order(received) if received.message.dispute.is_due_soon else ()


def by_deadline(
    received: ReceivedMessage[DisputeOpened] | ReceivedMessage[DisputeUpdated],
) -> Iterable[UUID]:
    """Return the deadline of the dispute, if it is near."""
    cause = deadline_cause(received.message.dispute)
    return () if cause is None else (cause,)


def by_money(received: ReceivedMessage[PaymentUnmatched]) -> Iterable[UUID]:
    """Return the payment: reported more than once, it is still the cause of one mail."""
    return [money_cause(received.message)]


def by_completion(received: ReceivedMessage[OrderCompleted]) -> Iterable[UUID]:
    """Return the order as the cause: completed again, it is still the cause of one mail."""
    return [received.message.order_id]


def by_document(
    received: ReceivedMessage[InvoiceIssued] | ReceivedMessage[CreditNoteIssued],
) -> Iterable[UUID]:
    """Return the document: published more than once, it is still the cause of one mail."""
    return [received.message.invoice_id]


def by_mail(received: ReceivedMessage[ResendMail] | ReceivedMessage[ConfirmMail]) -> Iterable[UUID]:
    """Return the mail that the command names."""
    return [received.message.mail_id]


def by_event(received: ReceivedMessage[Any]) -> Iterable[UUID]:
    """Return the message itself."""
    return [received.envelope.id]


def by_refund(
    received: ReceivedMessage[RefundMarked]
    | ReceivedMessage[RefundSent]
    | ReceivedMessage[RefundFailed]
    | ReceivedMessage[RefundMarkOverdue],
) -> Iterable[UUID]:
    """Return the refund: published more than once, it is still the cause of one mail."""
    return [received.message.refund.refund_id]


def by_text(received: ReceivedMessage[SetTemplate] | ReceivedMessage[ResetTemplate]) -> Iterable[TextKey]:
    """Return the text that the command replaces."""
    command = received.message
    return [(command.shop, command.template, command.locale, command.part.value)]


def by_shop(received: ReceivedMessage[Any]) -> Iterable[str]:
    """Return the shop that the message names."""
    return [received.message.shop]
