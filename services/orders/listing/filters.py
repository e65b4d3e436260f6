"""Filters of a list of orders: the one model behind the REST list, back office URLs, saved views and the
export.

Invariant: the query string is the view. `Filters.from_url(filters.url())` are the same filters, and an
unknown word is rejected with a list of the known ones instead of being ignored.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.orders.lifecycle import OrderState
from contracts.sale import Module, PaymentMethod
from services.orders.listing.words import PaymentWord, Sort, StatusWord, Tab
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.payment_status import PaymentStatus

MOST_VALUES = 50
LARGEST_AMOUNT = 10**15
Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(9000, 12, 31))]
ShortText = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Amount = Annotated[int, Field(ge=-LARGEST_AMOUNT, le=LARGEST_AMOUNT)]


class Filters(BaseModel):
    """Filters for orders. A filter given several times means any of its values; all filters must hold."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    tab: Tab | None = Field(
        default=None,
        description="A queue of the orders page; `all` leaves archived orders out. Without one, as with `everything`, "
        "they are listed too.",
    )
    state: list[OrderState] = Field(default=[], max_length=MOST_VALUES, description="State of the order.")
    label: list[ShortText] = Field(
        default=[], max_length=MOST_VALUES, description="Key of the label, built in or the merchant's own."
    )
    payment_status: list[PaymentStatus] = Field(
        default=[], max_length=MOST_VALUES, description="Exact payment status."
    )
    payment: list[PaymentWord] = Field(
        default=[], max_length=MOST_VALUES, description="Filter «Statut de paiement»."
    )
    status: list[StatusWord] = Field(default=[], max_length=MOST_VALUES, description="Filter «Statut».")
    module: list[Module] = Field(
        default=[], max_length=MOST_VALUES, description="Storefront module the sale comes from."
    )
    payment_method: list[PaymentMethod] = Field(
        default=[], max_length=MOST_VALUES, description="Method the customer chose."
    )
    fulfilment: list[FulfilmentStatus] = Field(
        default=[], max_length=MOST_VALUES, description="Fulfilment status."
    )
    carrier: list[ShortText] = Field(
        default=[], max_length=MOST_VALUES, description="Carrier of any shipment, as it was dispatched."
    )
    tag: list[UUID] = Field(default=[], max_length=MOST_VALUES, description="Id of a tag the order has.")
    from_: Day | None = Field(
        default=None,
        alias="from",
        description="First day placed, inclusive, in the shop's time zone; not after `to`.",
    )
    to: Day | None = Field(
        default=None, description="Last day placed, inclusive, in the shop's time zone; not before `from`."
    )
    amount_min: Amount | None = Field(
        default=None,
        description="Least total, in minor units of `currency`, which it needs; at most `amount_max`.",
    )
    amount_max: Amount | None = Field(
        default=None, description="Largest total, in minor units of `currency`, which it needs."
    )
    currency: str | None = Field(
        default=None, pattern="^[A-Z]{3}$", description="Orders in this currency only; amounts need it."
    )
    q: str = Field(
        default="",
        max_length=200,
        description="Text: words of code, names, companies, addresses, mail, phone, articles, SKU, tracking number, "
        "payment reference; all must occur.",
    )
    sort: Sort = Field(
        default=Sort.NEWEST,
        description="Sequence of the orders. By total, minor units are compared as they are: give `currency` as well "
        "where a shop sells in several.",
    )

    @model_validator(mode="after")
    def period_is_not_backwards(self) -> Self:
        """Reject a period that ends before it begins."""
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError(f"the period begins on {self.from_} and ends before, on {self.to}; swap the two")
        return self

    @model_validator(mode="after")
    def amounts_make_sense(self) -> Self:
        """Require amounts to be compared within one currency."""
        low, high = self.amount_min, self.amount_max
        if low is not None and high is not None and low > high:
            raise ValueError(f"the least amount, {low}, exceeds the largest, {high}; swap the two")
        if (low is not None or high is not None) and self.currency is None:
            raise ValueError("amount_min and amount_max need `currency`, such as EUR")
        return self

    @classmethod
    def from_url(cls, query: str | Iterable[tuple[str, str]]) -> Self:
        """Return the filters of a query string, or of its pairs. Raises pydantic's ValidationError."""
        pairs = parse_qsl(query) if isinstance(query, str) else query
        found: dict[str, Any] = {}
        for name, value in pairs:
            if _is_list(cls, name):
                found.setdefault(name, []).append(value)
            else:
                found[name] = value
        return cls.model_validate(found)

    def url(self, **changes: Any) -> str:
        """Return the query string of these filters, with `changes` applied (None removes a filter), in one
        fixed order.
        """
        given = {**self.model_dump(by_alias=True, exclude_defaults=True), **changes}
        pairs = []
        for field, info in type(self).model_fields.items():
            name = info.alias or field
            value = given.get(name)
            values = value if isinstance(value, list | tuple) else [] if value in (None, "") else [value]
            pairs += [(name, one.value if isinstance(one, StrEnum) else str(one)) for one in values]
        return urlencode(pairs)


def _is_list(model: type[BaseModel], name: str) -> bool:
    info = model.model_fields.get(name)
    return info is not None and isinstance(info.default, list)
