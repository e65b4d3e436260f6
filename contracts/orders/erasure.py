"""Messages of an erasure: a customer's personal data is removed from all services, books and numbers stay.

Neither message holds personal data: each service finds what is to be erased by the ids of the orders.
"""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.message import Message, OrderId, Shop, Tally, Timestamp

MOST_ORDERS = 2000
"""Orders of one erasure; a customer with more has several."""


class CustomerErased(Message):
    """A customer's personal data was erased in orders and has to be erased wherever these orders are known."""

    wire_name: ClassVar[str] = "customer.erased.v1"

    erasure_id: UUID
    shop: Shop
    order_ids: list[OrderId] = Field(min_length=1, max_length=MOST_ORDERS)


class ErasureDone(Message):
    """A service has erased its data about the orders of an erasure; every repetition is reported as well."""

    wire_name: ClassVar[str] = "erasure.done.v1"

    erasure_id: UUID
    shop: Shop
    counts: dict[str, Tally] = Field(
        description="Changed or deleted rows by table; none where all was erased."
    )
    done_at: Timestamp
