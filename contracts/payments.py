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
    LineUnits,
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
    payment_entry_id: UUID | None = Field(
        default=None,
        description="First entry of the payment that this one refunds, reverses or moves.",
    )
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


class RefundMode(StrEnum):
    """How a refund is made, or that it was made at the provider without us."""

    RECORDED = "recorded"
    SENT = "sent"
    EXTERNAL = "external"


class RefundCause(StrEnum):
    """Why money goes back. `credit`: the customer also owes less from now on; the other two grant no credit."""

    CREDIT = "credit"
    PAYMENT_UNDONE = "payment_undone"
    OVERPAID = "overpaid"


class RefundState(StrEnum):
    """How a refund stands. A mark nobody confirmed yet is `marked`; of an `uncertain` one nobody knows more."""

    MARKED = "marked"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class RefundVerdict(StrEnum):
    """A person's word on a refund of which nobody knows whether it was made."""

    ASK_AGAIN = "ask_again"
    MADE = "made"
    NOT_MADE = "not_made"


class RefundLine(LineUnits):
    """Units of one order line that are refunded; ticked ones go back to the shelf if they had left."""

    restock: bool = False


class Refund(Part):
    """A refund as it stands; an older version than one already seen is ignored."""

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
    asked_at: Moment
    detail: Text | None = Field(default=None, description="The provider's words when it failed.")
    notify_customer: bool = Field(default=False, description="Whether the customer is to be told, in a mail.")
    public_comment: Text | None = Field(default=None, description="For the customer to read, in that mail.")


class RefundMarked(Message):
    """A refund was recorded in the books only; it counts, and stays unconfirmed until something confirms it."""

    wire_name: ClassVar[str] = "refund.marked.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundSent(Message):
    """The provider took a refund: the money is on its way."""

    wire_name: ClassVar[str] = "refund.sent.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundConfirmed(Message):
    """A refund was confirmed, by the provider or by a merchant's reference; or one made at the provider was seen."""

    wire_name: ClassVar[str] = "refund.confirmed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundFailed(Message):
    """A refund did not reach the customer: the provider refused it or gave it back. What it cancelled stays so."""

    wire_name: ClassVar[str] = "refund.failed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    refund: Refund


class RefundUncertain(Message):
    """Nobody knows whether the provider made a refund, and it can't be asked; a person decides. Its sum stays taken."""

    wire_name: ClassVar[str] = "refund.uncertain.v1"

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


class PaymentReversed(Message):
    """A payment entered by hand was taken back by a counter-entry: a bounced cheque, a mistake."""

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
    """A payment was given to an order by a person. Said of both orders when it was another's before."""

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
        default=None, description="What moved; none for money that no order had, which PaymentSettled tells."
    )
    currency: Currency
    note: Text | None = None
    recorded_by: Actor


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


class ReversePayment(Command):
    """Take a payment that was entered by hand back, whole, by a counter-entry."""

    wire_name: ClassVar[str] = "payment.reverse.v1"

    shop: Shop
    order_id: OrderId
    entry_id: UUID
    reason: Text = Field(min_length=1)
    actor: Actor


class GrantCredit(Command):
    """Let the customer owe less."""

    wire_name: ClassVar[str] = "credit.grant.v1"

    shop: Shop
    order_id: OrderId
    amount_minor: Minor
    currency: Currency
    reason: Text = Field(min_length=1)
    actor: Actor


class RefundOrder(Command):
    """Give money back: recorded here only, or really sent to the provider."""

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
        description="Confirms a recorded refund at once: the transfer's or provider's reference.",
    )
    notify_customer: bool = Field(default=False, description="Whether the customer is to be told, in a mail.")
    public_comment: Text | None = Field(default=None, description="For the customer to read, in that mail.")
    actor: Actor


class ConfirmRefundMark(Command):
    """Confirm a refund that was recorded here only, with the reference under which it was really made."""

    wire_name: ClassVar[str] = "refund_mark.confirm.v1"

    shop: Shop
    order_id: OrderId
    refund_id: UUID
    reference: Reference
    actor: Actor


class SettleRefund(Command):
    """Settle an uncertain refund: the provider is asked again and makes what it does not have, or a person has seen."""

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


class ReassignPayment(Command):
    """Give a payment to an order: one that no order claims, or one that is another order's."""

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
