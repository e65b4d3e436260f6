"""What payments' messages need loaded: a field per kind of row, and the functions that return a message's keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.payments import ReassignPayment, RefundOrder, SettleRefund
from services.chassis.messaging.subscribers import ReceivedMessage

AccountKey = tuple[str, UUID]
"""Shop and order id."""


@dataclass
class AccountNeeds:
    """Keys of what the messages of one batch need.

    - accounts: locked; edits: accounts whose earlier edits are read;
    - refunds: ids that another refund may have already;
    - settled: commands whose refunds' effects are locked;
    - reassigned: commands; the accounts that have their payments are locked too.
    """

    accounts: set[AccountKey] = field(default_factory=set)
    edits: set[AccountKey] = field(default_factory=set)
    refunds: set[UUID] = field(default_factory=set)
    settled: list[SettleRefund] = field(default_factory=list)
    reassigned: list[ReceivedMessage[ReassignPayment]] = field(default_factory=list)


def by_order(received: ReceivedMessage[Any]) -> Iterable[AccountKey]:
    """The account of the order that the message names."""
    return [(received.message.shop, received.message.order_id)]


def by_refund(received: ReceivedMessage[RefundOrder]) -> Iterable[UUID]:
    """The refund that the command asks for."""
    return [received.message.refund_id]


def by_settled_refund(received: ReceivedMessage[SettleRefund]) -> Iterable[SettleRefund]:
    """The command, which names the refund and what it is called at its provider."""
    return [received.message]


def by_payment(
    received: ReceivedMessage[ReassignPayment],
) -> Iterable[ReceivedMessage[ReassignPayment]]:
    """The command, which names the payment by its entry or by the provider's reference."""
    return [received]
