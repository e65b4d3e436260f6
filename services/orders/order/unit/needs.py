"""Rows that the messages of orders need loaded: a field per kind of row, and functions that return the keys."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.catalogue import CATALOGUE, type_of
from contracts.fulfillment.shipments import ShipmentDispatched
from contracts.notifier.bounces import MailBounced, MailSuppressed, SuppressionLifted
from contracts.orders.changes import LinesAdditionRequested, LinesReductionRequested
from contracts.payments.accounts import PaymentUnmatched
from contracts.service import CommandDone, CommandRejected, MessageDiscarded, MessageParked
from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderSubmitted
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.store import OrderKey
from services.orders.order.unit.submissions.submission import is_foreign

QUESTIONS = frozenset(type_of(kind, "orders") for kind in (LinesReductionRequested, LinesAdditionRequested))
"""Types of the messages in which a change sends its question to fulfillment."""


def _commands_by_outcome() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for entry in CATALOGUE.values():
        if entry.sender == "orders":
            for outcome in entry.outcomes:
                found[outcome].add(entry.type)
    return {outcome: frozenset(commands) for outcome, commands in found.items()}


SETTLES = _commands_by_outcome()
"""Types of commands by the type of an event that is one of their outcomes."""


@dataclass
class OrderNeeds:
    """Keys of the rows that the messages of one batch need.

    - checkouts: locked, known or not, with the orders that show them;
    - orders: locked; changes, shipments: orders of which these are read too;
    - dispatched: orders whose shipments are read if they already have this version;
    - questions: messages to fulfillment; the orders and changes that sent them are read, the orders locked;
    - submissions: their idempotency keys are claimed;
    - commands: ids that may be those of commands, which are locked.
    """

    checkouts: set[OrderKey] = field(default_factory=set)
    orders: set[OrderKey] = field(default_factory=set)
    questions: set[UUID] = field(default_factory=set)
    changes: set[OrderKey] = field(default_factory=set)
    shipments: set[OrderKey] = field(default_factory=set)
    dispatched: set[tuple[str, UUID, int]] = field(default_factory=set)
    submissions: list[ReceivedMessage[OrderSubmitted]] = field(default_factory=list)
    commands: set[UUID] = field(default_factory=set)


def by_order(received: ReceivedMessage[Any]) -> Iterable[OrderKey]:
    """Return the order whose facts the message carries."""
    return [(received.message.shop, received.message.order_id)]


def by_mails(
    received: ReceivedMessage[MailBounced] | ReceivedMessage[MailSuppressed],
) -> Iterable[OrderKey]:
    """Return the orders whose mails the message reports."""
    return [(report.shop, report.order_id) for report in received.message.mails if report.order_id]


def by_lifted(received: ReceivedMessage[SuppressionLifted]) -> Iterable[OrderKey]:
    """Return the orders whose customer gets mail again."""
    return [(received.message.shop, order_id) for order_id in received.message.order_ids]


def by_checkout(
    received: ReceivedMessage[OrderSubmitted]
    | ReceivedMessage[CheckoutOpened]
    | ReceivedMessage[CheckoutDropped],
) -> Iterable[OrderKey]:
    """Return the checkout that the message names, if its sender may use it."""
    message = received.message
    if message.checkout_id is None or is_foreign(received.user_id, message):
        return ()
    return [(message.shop, message.checkout_id)]


def by_paid_checkout(received: ReceivedMessage[PaymentUnmatched]) -> Iterable[OrderKey]:
    """Return the checkout to which an unmatched payment may belong."""
    message = received.message
    return [(message.shop, message.order_id)] if message.order_id else ()


def by_submission(
    received: ReceivedMessage[OrderSubmitted],
) -> Iterable[ReceivedMessage[OrderSubmitted]]:
    """Return the submission itself, with its sender."""
    return [received]


def by_version(received: ReceivedMessage[ShipmentDispatched]) -> Iterable[tuple[str, UUID, int]]:
    """Return the order with the version in the message."""
    message = received.message
    return [(message.shop, message.order_id, message.position.version)]


def by_question(
    received: ReceivedMessage[MessageParked] | ReceivedMessage[MessageDiscarded],
) -> Iterable[UUID]:
    """Return the question to fulfillment that was parked or discarded, if the message was one."""
    message = received.message
    return [message.message_id] if message.message_id and message.message_type in QUESTIONS else ()


def commands_named(received: ReceivedMessage[Any]) -> set[UUID]:
    """Return the ids that may be those of commands settled by this message."""
    if received.envelope.type not in SETTLES:
        return set()
    message = received.message
    named = {received.envelope.causation_id}
    if isinstance(message, CommandRejected | CommandDone):
        named.add(message.command_id)
    if isinstance(message, MessageParked | MessageDiscarded):
        named.add(message.message_id)
    return {command_id for command_id in named if command_id is not None}
