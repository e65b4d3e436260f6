"""Messages about changes of a placed order: units cancelled or added, and the edit that follows."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import (
    Actor,
    Currency,
    LineNumber,
    LineUnits,
    Message,
    Minor,
    OrderCode,
    OrderId,
    Part,
    Quantity,
    Shop,
    Sku,
    Text,
)
from contracts.orders.lifecycle import Buyer, PlacedLine
from contracts.sale import (
    Address,
    ExtraLine,
    LineKind,
    Shipping,
    Totals,
)


class ChangeCause(StrEnum):
    """Causes of a change to a placed order."""

    EDITED = "edited"
    CANCELLED = "cancelled"
    REINSTATED = "reinstated"
    DELETED = "deleted"


class LinesReductionRequested(Message):
    """Units of a placed order are no longer wanted; fulfillment stops those not yet shipped."""

    wire_name: ClassVar[str] = "lines.reduction_requested.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="Id of the request; the answer repeats it.")
    lines: list[LineUnits] = Field(min_length=1)
    cause: ChangeCause
    actor: Actor


class LineAddition(Part):
    """A number of additional units of a line, which may be new."""

    line: LineNumber
    kind: LineKind
    sku: Sku | None = Field(default=None, description="Required for `ship` lines.")
    quantity: Quantity


class LinesAdditionRequested(Message):
    """More units of a placed order are wanted, or cancelled ones again; fulfillment reserves stock for them."""

    wire_name: ClassVar[str] = "lines.addition_requested.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="Id of the request; the answer repeats it.")
    lines: list[LineAddition] = Field(min_length=1)
    all_or_nothing: bool = Field(description="Nothing is added unless there is stock for all of it.")
    cause: ChangeCause = Field(
        description="edited: units in addition to those ordered; reinstated: cancelled units are wanted again."
    )
    actor: Actor


class OrderEdited(Message):
    """A placed order was changed: its new content, and the change of the amount due.

    The change is named by `edit_id` and counts once. Cancelling and reinstating do not change the content;
    fulfillment publishes the quantities that are still wanted.
    """

    wire_name: ClassVar[str] = "order.edited.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    edit_id: UUID
    previous_edit_id: UUID | None = Field(
        default=None, description="The order's edit before this one; what is due follows them one by one."
    )
    revision: int = Field(ge=1, description="The order's revision after the change; the highest one counts.")
    cause: ChangeCause
    currency: Currency
    due_change_minor: Minor = Field(
        description="Positive: more is due; negative: a credit. A reinstatement takes a cancellation's credit back."
    )
    totals: Totals
    lines: list[PlacedLine]
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine] = Field(default_factory=list)
    customer: Buyer
    billing_address: Address | None = None
    shipping_address: Address | None = None
    reason: Text | None = None
    notify_customer: bool = Field(
        default=False, description="Whether the customer gets a mail about a cancellation."
    )
    public_comment: Text | None = Field(default=None, description="For the customer to read, in that mail.")
    cancelled_lines: list[LineUnits] | None = Field(
        default=None,
        description="Units that a cancellation stopped, when the rest of the order had already been shipped.",
    )
    actor: Actor
