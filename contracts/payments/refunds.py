"""Messages about refunds and credits, and the commands for them."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import (
    Actor,
    Command,
    Currency,
    LineUnits,
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


class RefundMode(StrEnum):
    """How a refund is made; `external` refunds were made at the provider directly."""

    RECORDED = "recorded"
    SENT = "sent"
    EXTERNAL = "external"


class RefundCause(StrEnum):
    """Cause of a refund. `credit`: the customer also owes less; the other two grant no credit."""

    CREDIT = "credit"
    PAYMENT_UNDONE = "payment_undone"
    OVERPAID = "overpaid"


class RefundState(StrEnum):
    """State of a refund. `marked`: recorded here, not confirmed yet; `uncertain`: the provider's outcome is unknown."""

    MARKED = "marked"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class RefundVerdict(StrEnum):
    """A staff decision on an uncertain refund."""

    ASK_AGAIN = "ask_again"
    MADE = "made"
    NOT_MADE = "not_made"


class RefundLine(LineUnits):
    """Units of one order line that are refunded; ticked ones are restocked if they had been shipped."""

    restock: bool = False


class Refund(Part):
    """The current state of a refund; a version older than one already received is ignored."""

    refund_id: UUID
    version: int = Field(ge=1, description="The account's position version at this word.")
    mode: RefundMode
    state: RefundState
    amount_minor: Minor
    confirmed_minor: Minor | None = Field(
        default=None, description="What really went back; another sum than the amount is flagged."
    )
    currency: Currency
    provider: str | None = Field(default=None, description="Provider of the refunded payment.")
    payment_reference: Reference | None = Field(default=None, description="The refunded payment there.")
    provider_reference: Reference | None = Field(default=None, description="The refund there.")
    reference: Reference | None = Field(default=None, description="What the merchant confirmed it with.")
    lines: list[RefundLine] = Field(default_factory=list)
    cause: RefundCause
    reason: Text | None = None
    actor: Actor
    asked_at: Timestamp
    detail: Text | None = Field(default=None, description="The provider's words when it failed.")
    notify_customer: bool = Field(
        default=False, description="Whether the customer is to be notified by mail."
    )
    public_comment: Text | None = Field(default=None, description="For the customer to read, in that mail.")
    part_of: UUID | None = Field(
        default=None,
        description="The refund of which this is a further part, for one that no single payment covers.",
    )


class RefundMarked(Message):
    """A refund was recorded here only; it counts in the balance and stays unconfirmed until something confirms it."""

    wire_name: ClassVar[str] = "refund.marked.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundSent(Message):
    """The provider accepted a refund: the money is on its way."""

    wire_name: ClassVar[str] = "refund.sent.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundConfirmed(Message):
    """The provider or a merchant's reference confirmed a refund, or a refund made at the provider was received."""

    wire_name: ClassVar[str] = "refund.confirmed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundFailed(Message):
    """A refund failed: the provider refused or returned it. Units it cancelled stay cancelled."""

    wire_name: ClassVar[str] = "refund.failed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundUncertain(Message):
    """It is unknown whether the provider made a refund; staff decide. Its amount stays reserved."""

    wire_name: ClassVar[str] = "refund.uncertain.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundMarkOverdue(Message):
    """A refund was only recorded here some days ago, and nothing has confirmed it since. Published once per refund."""

    wire_name: ClassVar[str] = "refund_mark.overdue.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class CreditGranted(Message):
    """The customer owes less: goodwill, a return, a correction."""

    wire_name: ClassVar[str] = "credit.granted.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    entry_id: UUID
    amount_minor: Minor
    currency: Currency
    reason: Text
    recorded_by: Actor
    balance_minor: Minor


class GrantCredit(Command):
    """Grant a credit: the customer owes less."""

    wire_name: ClassVar[str] = "credit.grant.v1"

    shop: Shop
    order_id: OrderId
    amount_minor: Minor
    currency: Currency
    reason: Text = Field(min_length=1)
    actor: Actor


class RefundOrder(Command):
    """Refund money: recorded here only, or sent to the provider."""

    wire_name: ClassVar[str] = "order.refund.v1"

    shop: Shop
    order_id: OrderId
    refund_id: UUID
    mode: RefundMode
    amount_minor: Minor
    currency: Currency
    entry_id: UUID | None = Field(default=None, description="The payment to refund; chosen when absent.")
    lines: list[RefundLine] = Field(default_factory=list, max_length=1000)
    cause: RefundCause = RefundCause.CREDIT
    reason: Text | None = None
    reference: Reference | None = Field(
        default=None,
        description="Confirms a recorded refund immediately: the transfer's or provider's reference.",
    )
    notify_customer: bool = Field(
        default=False, description="Whether the customer is to be notified by mail."
    )
    public_comment: Text | None = Field(default=None, description="For the customer to read, in that mail.")
    actor: Actor


class ConfirmRefundMark(Command):
    """Confirm a refund that was recorded here only, with the reference under which it was made."""

    wire_name: ClassVar[str] = "refund_mark.confirm.v1"

    shop: Shop
    order_id: OrderId
    refund_id: UUID
    reference: Reference
    actor: Actor


class SettleRefund(Command):
    """Settle an uncertain refund: request it again under the same key, or record whether it was made."""

    wire_name: ClassVar[str] = "refund.settle.v1"

    shop: Shop
    order_id: OrderId
    refund_id: UUID
    verdict: RefundVerdict
    provider_reference: Reference | None = Field(
        default=None,
        description="With `made`, needed: the provider's id of the refund, which is posted once.",
    )
    reason: Text | None = None
    actor: Actor
