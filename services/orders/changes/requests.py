"""Request bodies for changes of a placed order: an edit, a cancellation, a reinstatement, a deletion.

An edit names only the fields to change; all others are kept. Unknown fields are rejected as everywhere
(`order/requests.py`).
"""

from typing import Annotated

from pydantic import ConfigDict, Field

from contracts.message import Count, LineNumber, Reference, Sku, Text, Timestamp, VatRate
from contracts.sale import Address, Customer, ExtraLine, LineKind, Shipping, Taxes, TaxMinor
from services.chassis.texts import Seen
from services.orders.order.requests import STRICT, Price, RequestBody

PublicComment = Annotated[
    str, Field(min_length=1, max_length=2000, description="For the customer to read, in the mail."), Seen
]
_STRICTLY = ConfigDict(extra="forbid", frozen=True)
Reason = Annotated[Text, Field(min_length=1), Seen]
Revision = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        description="The revision the change was made from; refused when the order has another.",
    ),
]


class AddressRequest(Address, RequestBody):
    """A postal address."""

    model_config = _STRICTLY


class ShippingRequest(Shipping, RequestBody):
    """The shipping method and its price."""

    model_config = _STRICTLY


class ExtraLineRequest(ExtraLine, RequestBody):
    """An amount beside the goods."""

    model_config = _STRICTLY


class LineEdited(RequestBody):
    """A line: an existing one by its number, or a new one without a number. Quantity 0 removes a line.

    A new line needs kind, description, quantity and unit_price_minor; what it sells can't be changed later. A tax that
    is stated is a fact, as in a sale; `taxes` sum to `tax_minor` where both are sent.
    """

    line: Annotated[LineNumber, STRICT] | None = None
    kind: LineKind | None = None
    description: Annotated[str, Field(min_length=1, max_length=500), Seen] | None = None
    sku: Sku | None = None
    quantity: Annotated[Count, STRICT] | None = None
    unit_price_minor: Price | None = None
    discount_minor: Price | None = None
    vat_rate: VatRate | None = None
    tax_minor: Annotated[TaxMinor, STRICT] | None = Field(
        default=None,
        description="Tax on all units that the line then has. Absent: as before, or by the rate.",
    )
    taxes: Taxes | None = None
    resource: Reference | None = None
    starts_at: Timestamp | None = None
    ends_at: Timestamp | None = None
    options: dict[str, str] | None = None


class CustomerEdited(RequestBody):
    """Changes of the customer's data."""

    name: Annotated[str, Field(min_length=1, max_length=200), Seen] | None = None
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    company: Annotated[str, Field(max_length=200)] | None = None
    vat_number: Annotated[str, Field(max_length=40)] | None = None

    def applied_to(self, customer: Customer) -> Customer:
        """Return the customer with these changes; a field sent as null is emptied where allowed."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        kept = {name: value for name, value in given.items() if value is not None or name != "name"}
        return customer.model_copy(update=kept)


class EditRequest(RequestBody):
    """An edit of a placed order. Absent fields stay unchanged; `shipping` null removes the shipping."""

    revision: Revision | None = None
    lines: list[LineEdited] = Field(default_factory=list, max_length=1000)
    shipping: ShippingRequest | None = None
    extra_lines: list[ExtraLineRequest] | None = Field(default=None, max_length=100)
    billing_address: AddressRequest | None = None
    shipping_address: AddressRequest | None = None
    customer: CustomerEdited | None = None
    note: Text | None = Field(default=None, description="The customer's remark; null removes it.")
    reason: Reason | None = None


class CancellationRequest(RequestBody):
    """A cancellation of everything not yet shipped; the customer gets a mail only on request."""

    revision: Revision | None = None
    reason: Reason | None = None
    notify_customer: Annotated[bool, STRICT] = False
    public_comment: PublicComment | None = None


class ReinstatementRequest(RequestBody):
    """A reinstatement of a cancelled order."""

    revision: Revision | None = None
    reason: Reason | None = None


class DeletionRequest(RequestBody):
    """An irreversible deletion."""

    revision: Revision | None = None
    reason: Reason
