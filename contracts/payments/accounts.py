"""Messages of payments: money received, the position of an account, unmatched money, and the commands for them."""

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
    OrderCode,
    OrderId,
    Part,
    Reference,
    Shop,
    Text,
    Timestamp,
)
from contracts.sale import PaymentMethod


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

    A version older than one already received is ignored, so positions may arrive in any order.
    """

    version: int = Field(ge=1, description="Raised by every change; the highest one counts.")
    currency: Currency
    due_minor: Minor
    credited_minor: Minor = 0
    received_minor: Minor = 0
    received_by_hand_minor: Minor = Field(default=0, description="The part of received that staff entered.")
    refunded_minor: Minor = 0
    refunds_pending_minor: Minor = Field(
        default=0, description="The part of refunded that the provider took and has not confirmed."
    )
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
    """One entry of an order's ledger. The amount is positive for every kind; the kind gives the sign."""

    entry_id: UUID
    number: int = Field(ge=1, description="From 1 without gaps within the account.")
    kind: str = Field(max_length=40, description="order_total, payment_received, refund_paid, …")
    amount_minor: Minor
    method: PaymentMethod | None = None
    provider: str | None = Field(default=None, description="None for what staff or the order caused.")
    provider_reference: Reference | None = None
    reference: Reference | None = Field(default=None, description="Cheque number, transfer reference.")
    received_on: date | None = None
    clearing_on: date | None = None
    note: Text | None = None
    actor: Actor
    payment_entry_id: UUID | None = Field(
        default=None,
        description="First entry of the payment that this one refunds, reverses or moves.",
    )
    occurred_at: Timestamp
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
    """Money was received for an order: by a provider or entered by staff."""

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


class PaymentReversed(Message):
    """A payment entered by hand was reversed by a counter-entry: a bounced cheque, a mistake."""

    wire_name: ClassVar[str] = "payment.reversed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    entry_id: UUID = Field(description="The counter-entry.")
    reversed_entry_id: UUID
    method: PaymentMethod
    amount_minor: Minor
    currency: Currency
    reason: Text
    recorded_by: Actor
    balance_minor: Minor


class PaymentReassigned(Message):
    """Staff assigned a payment to an order. Published for both orders when it belonged to another one before."""

    wire_name: ClassVar[str] = "payment.reassigned.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    direction: str = Field(
        pattern="^(in|out)$", description="Whether the money came to this order or left it."
    )
    other_order_id: UUID | None = None
    provider: str | None = None
    provider_reference: Reference | None = None
    amount_minor: Minor | None = Field(
        default=None,
        description="What moved; none for money that no order had, which PaymentSettled reports.",
    )
    currency: Currency
    note: Text | None = None
    recorded_by: Actor


class PaymentUnmatched(Message):
    """Money was received that no order claims; it waits in «À identifier» and joins its order if that appears."""

    wire_name: ClassVar[str] = "payment.unmatched.v1"

    shop: Shop
    provider: str
    provider_reference: Reference
    amount_minor: Minor
    currency: Currency
    received_at: Timestamp
    reason: str = Field(description="order_unknown, currency_differs, …")
    order_id: OrderId | None = Field(
        default=None,
        description="The order the payment names, which has no account: a checkout never placed?",
    )


class RecordPayment(Command):
    """Record money received by hand: a cheque, a transfer, cash."""

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


class ReversePayment(Command):
    """Reverse a payment that was entered by hand, in full, by a counter-entry."""

    wire_name: ClassVar[str] = "payment.reverse.v1"

    shop: Shop
    order_id: OrderId
    entry_id: UUID
    reason: Text = Field(min_length=1)
    actor: Actor


class ReassignPayment(Command):
    """Assign a payment to an order: an unmatched one, or one of another order."""

    wire_name: ClassVar[str] = "payment.reassign.v1"

    shop: Shop
    order_id: OrderId = Field(description="The order that is to have it.")
    provider: str | None = None
    provider_reference: Reference | None = None
    entry_id: UUID | None = Field(
        default=None, description="A posted payment, instead of the provider's names."
    )
    note: Text | None = None
    actor: Actor
