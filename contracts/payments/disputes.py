"""Disputes of payments: what payments emits about them, and the command that settles a lost one."""

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


class DisputeState(StrEnum):
    """The state of a dispute. An inquiry moves no money; `closed` ends one without a decision."""

    INQUIRY = "inquiry"
    CLOSED = "closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    ACCEPTED = "accepted"
    LOST = "lost"
    WON = "won"


class DisputeResolution(StrEnum):
    """Who bears a lost dispute: the merchant, or the customer, who owes the amount again."""

    WRITTEN_OFF = "written_off"
    MADE_DUE = "made_due"


class DisputeFee(Part):
    """What the provider charged for a dispute, in the currency in which it settles."""

    amount_minor: Minor
    currency: Currency


class Dispute(Part):
    """A dispute with everything known of it; an older version than one already seen is ignored."""

    provider: str
    provider_reference: Reference = Field(description="The dispute at the provider.")
    version: int = Field(ge=1, description="The account's position version at this event.")
    state: DisputeState
    amount_minor: Minor = Field(description="The disputed amount.")
    currency: Currency
    withdrawn_minor: Minor = Field(default=0, description="Money that the provider took from the merchant.")
    reinstated_minor: Minor = Field(default=0, description="Money that the provider gave back.")
    fees: list[DisputeFee] = Field(default_factory=list)
    payment_reference: Reference = Field(description="The disputed payment at the provider.")
    payment_entry_id: UUID = Field(description="The ledger entry by which the disputed payment came in.")
    reason: str | None = Field(default=None, max_length=100, description="The provider's word for it.")
    due_at: Timestamp | None = Field(default=None, description="Until when the provider waits for an answer.")
    is_due_soon: bool = Field(default=False, description="Whether that deadline is about to pass.")
    opened_at: Timestamp
    updated_at: Timestamp
    resolution: DisputeResolution | None = None
    resolved_by: Actor | None = None
    resolved_at: Timestamp | None = None
    note: Text | None = None


class DisputeOpened(Message):
    """A payment was disputed, or the bank inquired about it."""

    wire_name: ClassVar[str] = "dispute.opened.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    dispute: Dispute


class DisputeUpdated(Message):
    """Something about a dispute changed: its state, its deadline, the money that was moved."""

    wire_name: ClassVar[str] = "dispute.updated.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    dispute: Dispute


class DisputeClosed(Message):
    """A dispute ended, or staff decided who bears a lost one."""

    wire_name: ClassVar[str] = "dispute.closed.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    dispute: Dispute


class ResolveDispute(Command):
    """Decide who bears a lost dispute: it is written off, or the customer owes the amount again."""

    wire_name: ClassVar[str] = "dispute.resolve.v1"

    shop: Shop
    order_id: OrderId
    provider: str = Field(max_length=40)
    provider_reference: Reference
    resolution: DisputeResolution
    note: Text | None = None
    actor: Actor
