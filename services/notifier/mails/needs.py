"""Rows needed by the notifier's messages: a field per kind of row, and the functions that return a message's keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.fulfillment import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.notifier import ConfirmMail, ResendMail
from contracts.orders import StatusUpdated
from contracts.payments import RefundFailed, RefundMarked, RefundSent
from services.chassis.messaging.subscribers import ReceivedMessage

OrderKey = tuple[str, UUID]


@dataclass
class MailNeeds:
    """Keys of the rows that the messages of one batch need.

    - recipients: orders whose customers may be notified;
    - mails: mails that commands name;
    - causes: causes of new mails; in a replay, the mails written for them earlier are read.
    """

    recipients: set[OrderKey] = field(default_factory=set)
    mails: set[UUID] = field(default_factory=set)
    causes: set[UUID] = field(default_factory=set)


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


def by_mail(received: ReceivedMessage[ResendMail] | ReceivedMessage[ConfirmMail]) -> Iterable[UUID]:
    """Return the mail that the command names."""
    return [received.message.mail_id]


def by_event(received: ReceivedMessage[Any]) -> Iterable[UUID]:
    """Return the message itself."""
    return [received.envelope.id]


def by_refund(
    received: ReceivedMessage[RefundMarked] | ReceivedMessage[RefundSent] | ReceivedMessage[RefundFailed],
) -> Iterable[UUID]:
    """Return the refund: published more than once, it is still the cause of one mail."""
    return [received.message.refund.refund_id]
