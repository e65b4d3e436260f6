"""What payments says and is asked: money received, the position of an account, money nobody can place."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import (
    Actor,
    Command,
    Currency,
    Message,
    Minor,
    Moment,
    OrderCode,
    OrderId,
    Part,
    Reference,
    Shop,
    Text,
)
from contracts.storefront import PaymentMethod


class AttemptState(StrEnum):
    """The highest-ranked fact known of the customer's latest payment attempt."""

    NONE = "none"
    CREATED = "created"
    REQUIRES_ACTION = "requires_action"
    PENDING = "pending"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    SETTLED = "settled"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Position(Part):
    """The whole position of an order's account. balance = due − credited − received + refunded + marked.

    An older version than one already seen is ignored, so positions may arrive in any sequence.
    """

    version: int = Field(ge=1, description="Raised by every change; the highest one counts.")
    currency: Currency
    due_minor: Minor
    credited_minor: Minor = 0
    received_minor: Minor = 0
    received_by_hand_minor: Minor = Field(
        default=0, description="The part of received that a person entered."
    )
    refunded_minor: Minor = 0
    marked_minor: Minor = Field(default=0, description="Refunds recorded here only.")
    disputed_minor: Minor = 0
    authorised_minor: Minor = 0
    balance_minor: Minor = Field(
        description="0 settled, positive owed by the customer, negative owed to the customer."
    )
    attempt: AttemptState = AttemptState.NONE
    flags: list[str] = Field(
        default_factory=list, description="last_attempt_failed, disputed, over_refunded, …"
    )


class LedgerEntry(Part):
    """One entry of an order's ledger. The amount is positive whatever the kind; the kind gives the sign."""

    entry_id: UUID
    number: int = Field(ge=1, description="From 1 without holes within the account.")
    kind: str = Field(max_length=40, description="order_total, payment_received, refund_paid, …")
    amount_minor: Minor
    method: PaymentMethod | None = None
    provider: str | None = Field(default=None, description="None for what a person or the order caused.")
    provider_reference: Reference | None = None
    reference: Reference | None = Field(default=None, description="Cheque number, transfer reference.")
    received_on: date | None = None
    clearing_on: date | None = None
    note: Text | None = None
    actor: Actor
    occurred_at: Moment
    balance_after_minor: Minor = Field(
        description="The account's balance after this entry and those before it."
    )


class BalanceChanged(Message):
    """The position of an order's account changed."""

    wire_name: ClassVar[str] = "balance.changed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    position: Position
    entries: list[LedgerEntry] = Field(
        default_factory=list,
        description="What this change posted: an account's entries are those of all its changes together.",
    )


class PaymentSettled(Message):
    """Money was received for an order: by a provider or entered by a person."""

    wire_name: ClassVar[str] = "payment.settled.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    entry_id: UUID = Field(description="The ledger entry.")
    method: PaymentMethod
    amount_minor: Minor
    currency: Currency
    provider: str | None = None
    provider_reference: Reference | None = None
    reference: Reference | None = Field(default=None, description="Cheque number, transfer reference.")
    received_on: date
    clearing_on: date | None = None
    note: Text | None = None
    recorded_by: Actor
    balance_minor: Minor = Field(description="The account's balance after this entry.")


class PaymentUnmatched(Message):
    """Money arrived that no order claims; it waits in «À identifier» and joins its order if that appears."""

    wire_name: ClassVar[str] = "payment.unmatched.v1"

    shop: Shop
    provider: str
    provider_reference: Reference
    amount_minor: Minor
    currency: Currency
    received_at: Moment
    reason: str = Field(description="order_unknown, currency_differs, …")
    order_id: OrderId | None = Field(
        default=None,
        description="The order the payment names, which has no account: a checkout never placed?",
    )


class RecordPayment(Command):
    """Record money a person received: a cheque, a transfer, cash."""

    wire_name: ClassVar[str] = "payment.record.v1"

    shop: Shop
    order_id: OrderId
    method: PaymentMethod
    amount_minor: Minor
    currency: Currency
    reference: Reference | None = None
    received_on: date
    clearing_on: date | None = None
    note: Text | None = None
    actor: Actor
