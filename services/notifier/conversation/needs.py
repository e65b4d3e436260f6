"""Rows needed by the commands about conversations, and the functions that return a message's keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.notifier.conversation import FileMail, PostMessage
from services.chassis.messaging.subscribers import ReceivedMessage
from services.notifier.mails.needs import MailNeeds, OrderKey


@dataclass
class ConversationNeeds(MailNeeds):
    """Keys of the rows that messages about conversations need, besides those about mails.

    - threads: orders whose recipients are locked and whose threads are read;
    - messages: ids that new messages will have; those that exist are read;
    - inbound: received mails, which are locked.
    """

    threads: set[OrderKey] = field(default_factory=set)
    messages: set[tuple[str, UUID]] = field(default_factory=set)
    inbound: set[UUID] = field(default_factory=set)


def by_thread(received: ReceivedMessage[Any]) -> Iterable[OrderKey]:
    """Return the order whose thread the message is about, if it names one."""
    message = received.message
    return [(message.shop, message.order_id)] if message.order_id else ()


def by_new_message(received: ReceivedMessage[PostMessage]) -> Iterable[tuple[str, UUID]]:
    """Return the id that the message will have."""
    return [(received.message.shop, received.message.message_id)]


def by_inbound(received: ReceivedMessage[FileMail]) -> Iterable[UUID]:
    """Return the received mail that the command names."""
    return [received.message.inbound_id]
