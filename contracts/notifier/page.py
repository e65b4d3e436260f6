"""Messages of customers' pages: what a customer requests there for the staff to decide, and a refusal."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import Actor, Message, OrderCode, OrderId, Shop, Text, Timestamp


class CancellationRequested(Message):
    """A customer asks on the order's page that it be cancelled; nothing is cancelled until the staff does so."""

    wire_name: ClassVar[str] = "cancellation.requested.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="The same for a form that is sent twice.")
    comment: Text | None = Field(default=None, description="Why, in the customer's words.")
    requested_at: Timestamp


class CancellationDeclined(Message):
    """The staff declined a customer's request to cancel; the order goes on, and the customer gets a mail with the
    reason. A request that is granted is a cancellation like any other.
    """

    wire_name: ClassVar[str] = "cancellation.declined.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    public_comment: Text = Field(description="Why, for the customer to read.")
    actor: Actor
