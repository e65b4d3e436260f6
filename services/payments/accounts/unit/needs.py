"""The rows that payments' messages need loaded: a field per kind of row, and functions that return a
message's keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.payments.accounts import ReassignPayment
from contracts.payments.refunds import RefundOrder, SettleRefund
from services.chassis.messaging.subscribers import ReceivedMessage

AccountKey = tuple[str, UUID]
"""Shop and order id."""


@dataclass
class AccountNeeds:
    """Keys of the rows that the messages of one batch need.

    - accounts: locked; edits: accounts whose earlier edits are read;
    - refunds: ids that another refund may have already;
    - settled: commands whose refunds' effects are locked;
    - invoicing: shops whose invoicing settings are locked;
    - sales: orders for which staff request invoices;
    - reassigned: commands; the accounts that have their payments are locked too.
    """

    accounts: set[AccountKey] = field(default_factory=set)
    edits: set[AccountKey] = field(default_factory=set)
    refunds: set[UUID] = field(default_factory=set)
    settled: list[SettleRefund] = field(default_factory=list)
    invoicing: set[str] = field(default_factory=set)
    sales: set[AccountKey] = field(default_factory=set)
    reassigned: list[ReceivedMessage[ReassignPayment]] = field(default_factory=list)


def by_order(received: ReceivedMessage[Any]) -> Iterable[AccountKey]:
    """Return the account of the order that the message names."""
    return [(received.message.shop, received.message.order_id)]


def by_shop(received: ReceivedMessage[Any]) -> Iterable[str]:
    """Return the shop that the message names."""
    return [received.message.shop]


def by_refund(received: ReceivedMessage[RefundOrder]) -> Iterable[UUID]:
    """Return the refund that the command requests."""
    return [received.message.refund_id]


def by_settled_refund(received: ReceivedMessage[SettleRefund]) -> Iterable[SettleRefund]:
    """Return the command, which names the refund and its reference at the provider."""
    return [received.message]


def by_payment(
    received: ReceivedMessage[ReassignPayment],
) -> Iterable[ReceivedMessage[ReassignPayment]]:
    """Return the command, which names the payment by its entry or by the provider's reference."""
    return [received]
