"""Response models of the REST API, as its OpenAPI document describes them."""

from uuid import UUID

from pydantic import BaseModel, Field

from contracts.fulfillment.position import StockStanding
from contracts.message import LineUnits, Reason, Timestamp
from contracts.orders.lifecycle import OrderState
from contracts.sale import Address, ExtraLine, Module, PartialAddress, PaymentMethod, Shipping, Totals
from services.orders.listing.order_parts import (
    ActivityResponse,
    CommandResponse,
    CustomerResponse,
    DeliveryResponse,
    DisputeResponse,
    LedgerEntryResponse,
    LineResponse,
    MailResponse,
    MoneyResponse,
    ParcelResponse,
    RefundResponse,
    ShipmentResponse,
    StateChangeResponse,
)
from services.orders.listing.words import PaymentWord, StatusWord
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.history import GOODS, MONEY, WITHOUT_OUTCOME, Seen
from services.orders.order.payment_status import PaymentStatus
from services.orders.order.shop.colours import Colour


class LabelResponse(BaseModel):
    """A status: its key and its French and English texts."""

    key: str
    fr: str
    en: str


class OrderListed(BaseModel):
    """An order as the list shows it."""

    order_id: UUID
    code: str
    module: Module
    source_reference: str | None
    placed_at: Timestamp = Field(description="For a checkout: when it was last opened.")
    customer_name: str | None
    customer_email: str | None
    payment_method: PaymentMethod | None
    currency: str
    total_minor: int
    balance_minor: int = Field(description="Positive: owed by the customer; negative: owed to them.")
    state: OrderState
    label: LabelResponse
    status: StatusWord | None = Field(description="Word of the filter «Statut»; a draft has none.")
    payment_status: PaymentStatus
    payment: PaymentWord = Field(description="Word of the filter «Statut de paiement».")
    fulfilment_status: FulfilmentStatus
    flags: list[str] = Field(
        description="Attention flags: to_collect, stock_missing, disputed, cancellation_requested."
    )
    units_to_pack: int
    units_to_ship: int
    archived_at: Timestamp | None
    changed_at: Timestamp


class OrdersPage(BaseModel):
    """A page of the list."""

    orders: list[OrderListed]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last one.")
    previous: str | None = Field(
        description="Send it as `before` for the page before; null on the first one."
    )


class TagResponse(BaseModel):
    """A tag of the shop."""

    tag_id: UUID
    name: str
    colour: Colour
    orders: int | None = Field(default=None, description="How many orders have it, where that was counted.")


class TagsResponse(BaseModel):
    """The tags of a shop, by name."""

    tags: list[TagResponse]


class StatusResponse(LabelResponse):
    """A status that can be given to orders."""

    state: OrderState
    colour: Colour
    is_built_in: bool


class StatusesResponse(BaseModel):
    """The statuses of a shop, in the order of the states."""

    statuses: list[StatusResponse]


class OrderResponse(OrderListed):
    """An order with all its parts."""

    revision: int = Field(
        description="Counts the order's changes; send it back with an update made from this page."
    )
    tags: list[TagResponse] = []
    idempotency_key: str
    locale: str
    customer: CustomerResponse
    billing_address: Address | PartialAddress | None = None
    shipping_address: Address | PartialAddress | None = None
    note: str | None = None
    prices_include_tax: bool | None = None
    totals: Totals | None = None
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine] = []
    money: MoneyResponse
    stock: StockStanding
    lines: list[LineResponse]
    ledger: list[LedgerEntryResponse]
    refunds: list[RefundResponse]
    disputes: list[DisputeResponse]
    parcels: list[ParcelResponse]
    shipments: list[ShipmentResponse]
    deliveries: list[DeliveryResponse]
    mails: list[MailResponse]
    activity: list[ActivityResponse]
    history: list[StateChangeResponse]
    commands: list[CommandResponse]

    @property
    def seen(self) -> Seen:
        """Return the state that forms made from this document show."""
        named = (
            one for one in self.commands if one.state in WITHOUT_OUTCOME and one.type in (*MONEY, *GOODS)
        )
        return Seen(self.revision, frozenset(one.command_id for one in named))


class ParcelTouchedResponse(BaseModel):
    """A packed parcel that would be unpacked."""

    parcel_id: UUID
    number: int


class PreviewResponse(BaseModel):
    """The effect that a change of an order would have; nothing was changed. With `reasons`, it would be refused."""

    revision: int = Field(description="Send it with the change.")
    totals_before: Totals
    totals: Totals
    due_change_minor: int
    balance_minor: int
    balance_after_minor: int = Field(description="Negative: owed to the customer.")
    stop: list[LineUnits] = Field(description="Units that fulfillment would be requested to stop.")
    stays: list[LineUnits] = Field(
        description="Units to be stopped that are already shipped and stay ordered."
    )
    add: list[LineUnits] = Field(description="Units for which stock would be reserved.")
    parcels: list[ParcelTouchedResponse]
    reasons: list[Reason]


class SubmissionResponse(BaseModel):
    """The result of a storefront's submission."""

    module: Module
    idempotency_key: str
    answer: str = Field(description="placed or refused.")
    submission_id: UUID
    order_id: UUID | None = None
    code: str | None = None
    reasons: list[Reason] = []
