"""A sale of the demo: what the storefront submits, what will happen to it, and whether it must be refused.

The story is decided before anything runs, so the expected end of every order is known without asking
Comptoir.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from contracts.fulfillment.parcels import ParcelLine
from contracts.payments.refunds import RefundMode
from contracts.sale import LineKind, PaymentMethod
from contracts.storefront import OrderSubmitted


class OnlineStory(StrEnum):
    """When Stripe or PayPal reports the payment, if it does."""

    NEVER = "never"
    ONCE = "once"
    TWICE = "twice"
    EARLY = "early"
    """Before the order is published."""
    LOST = "lost"
    """The report is lost; the provider's list of events has it."""


@dataclass(frozen=True)
class Receipt:
    """Money the merchant takes in by hand."""

    method: PaymentMethod
    amount_minor: int
    reference: str


@dataclass(frozen=True)
class Dispatch:
    """One shipment: which of the sale's parcels (counted from 0) leave, and whether they arrive."""

    parcels: tuple[int, ...]
    carrier: str
    tracking_number: str
    tracking_url: str
    notify_customer: bool
    is_delivered: bool


@dataclass(frozen=True)
class Refund:
    """Money that the merchant gives back at the end: sent by the provider, or given by hand and recorded."""

    mode: RefundMode
    amount_minor: int


@dataclass(frozen=True)
class Story:
    """What happens to a placed order, in this sequence: money, parcels, shipments, deliveries, a refund."""

    online: OnlineStory = OnlineStory.NEVER
    receipts: tuple[Receipt, ...] = ()
    parcels: tuple[tuple[ParcelLine, ...], ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    refund: Refund | None = None

    def dispatched_lines(self, *, delivered_only: bool = False) -> list[ParcelLine]:
        """The parcel lines that leave the house; `delivered_only`: that reach the customer."""
        return [
            line
            for dispatch in self.dispatches
            if dispatch.is_delivered or not delivered_only
            for parcel in dispatch.parcels
            for line in self.parcels[parcel]
        ]


@dataclass(frozen=True)
class Sale:
    """One submission. `refusals` are the reason codes Comptoir must give (empty: the order must be placed).

    `event_id` becomes the order's id. `body` replaces the submission's JSON on the wire: a message no
    reader can understand. `repeats` is the event id of an earlier sale with the same key and content, whose
    answer this one must get; `copies` is how often the very same event is published.
    """

    event_id: UUID
    submission: OrderSubmitted
    story: Story = field(default_factory=Story)
    refusals: frozenset[str] = frozenset()
    body: bytes | None = None
    repeats: UUID | None = None
    copies: int = 1

    @property
    def module(self) -> str:
        return self.submission.module.value

    @property
    def is_placed(self) -> bool:
        """Whether an order of its own must come of it."""
        return not self.refusals and self.body is None and self.repeats is None

    @property
    def recipient(self) -> str:
        """Where the customer's mails go; everybody here has an address."""
        return self.submission.customer.email or ""

    @property
    def provider(self) -> str | None:
        """The payment provider with which the storefront began a payment, if it did."""
        payment = self.submission.payment
        return payment.provider if payment is not None else None

    @property
    def provider_reference(self) -> str:
        """The provider's id of that payment. Raises ValueError when none was begun."""
        payment = self.submission.payment
        if payment is None or payment.provider_reference is None:
            raise ValueError(
                f"sale {self.event_id} was not paid by card or PayPal; only those name a payment"
            )
        return payment.provider_reference

    @property
    def total_minor(self) -> int:
        return self.submission.totals.total_minor

    def ordered(self, kind: LineKind) -> int:
        """Units of the kind over all lines."""
        return sum(line.quantity for line in self.submission.lines if line.kind is kind)

    def with_story(self, story: Story) -> "Sale":
        """The same sale with that story."""
        return replace(self, story=story)
