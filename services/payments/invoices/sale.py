"""An order as invoices need it: what was sold, with its taxes as the sale was made, to whom. Pure.

Only what an invoice shows is kept. The taxes of all parts sum to the tax of the order, by the rule by which
orders states them (`contracts/taxation.py`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.message import LineUnits
from contracts.orders.changes import OrderEdited
from contracts.orders.lifecycle import Buyer, OrderPlaced, PlacedLine
from contracts.portions import slice_of
from contracts.sale import Address, ExtraLine, LineKind, PaymentMethod, Shipping, Totals
from contracts.taxation import Charge, charge_of, taxes_of

SERVICES = frozenset((LineKind.TICKET, LineKind.BOOKING, LineKind.SERVICE))


class Frozen(BaseModel):
    """A value that never changes."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ChargedTax(Frozen):
    """One tax in a part. The rate is in millionths: 200000 is 20 %."""

    rate_ppm: int
    tax_minor: int
    label: str | None = None


class SoldPart(Frozen):
    """A line, the shipping or an extra line. `amount_minor` is as the sender counted: with tax or without.

    `line` is the order line's number, 0 for shipping and extra lines.
    """

    line: int = 0
    role: str = "line"
    description: str
    options: dict[str, str] = {}
    kind: LineKind | None = None
    sku: str | None = None
    quantity: int = 1
    unit_price_minor: int
    unit_price_exact: str | None = None
    discount_minor: int = 0
    amount_minor: int
    taxes: tuple[ChargedTax, ...]

    @property
    def tax_minor(self) -> int:
        return sum(tax.tax_minor for tax in self.taxes)


class SoldTo(Frozen):
    """The buyer and where the goods go."""

    name: str
    company: str | None = None
    vat_number: str | None = None
    company_id: str | None = None
    billing: Address | None = None
    delivery: Address | None = None


class Sale(Frozen):
    """The order as it is to be invoiced."""

    shop: str
    order_id: UUID
    code: str
    source_reference: str | None = None
    placed_at: datetime
    locale: str
    currency: str
    prices_include_tax: bool
    method: PaymentMethod
    buyer: SoldTo
    parts: tuple[SoldPart, ...]
    tax_minor: int
    total_minor: int


class SaleEdit(Frozen):
    """What an edit leaves of the order."""

    lines: list[PlacedLine]
    shipping: Shipping | None = None
    extra_lines: list[ExtraLine]
    buyer: SoldTo
    totals: Totals


def sale_of(placed: OrderPlaced) -> Sale:
    """Return the sale of an order as it was placed."""
    parts = _parts(placed.lines, placed.shipping, placed.extra_lines)
    return Sale(
        shop=placed.shop,
        order_id=placed.order_id,
        code=placed.code,
        source_reference=placed.source_reference,
        placed_at=placed.placed_at,
        locale=placed.locale,
        currency=placed.currency,
        prices_include_tax=placed.prices_include_tax,
        method=placed.payment.method,
        buyer=_buyer(placed.customer, placed.billing_address, placed.shipping_address),
        parts=_taxed(parts, placed.totals.tax_minor, placed.prices_include_tax),
        tax_minor=placed.totals.tax_minor,
        total_minor=placed.totals.total_minor,
    )


def edit_of(edit: OrderEdited) -> SaleEdit:
    """Return what an edit leaves of the order, as far as invoices show it."""
    return SaleEdit(
        lines=edit.lines,
        shipping=edit.shipping,
        extra_lines=edit.extra_lines,
        buyer=_buyer(edit.customer, edit.billing_address, edit.shipping_address),
        totals=edit.totals,
    )


def cancelled_by(edit: OrderEdited) -> str:
    """Return the units that a cancellation called off, by the edit's id, as JSON; of the whole order none."""
    units = [one.model_dump() for one in edit.cancelled_lines or ()]
    return json.dumps({str(edit.edit_id): units} if units else {})


def edited(sale: Sale, edit: SaleEdit) -> Sale:
    """Return the sale as an edit of its order leaves it."""
    parts = _parts(edit.lines, edit.shipping, edit.extra_lines)
    changes = {
        "buyer": edit.buyer,
        "parts": _taxed(parts, edit.totals.tax_minor, sale.prices_include_tax),
        "tax_minor": edit.totals.tax_minor,
        "total_minor": edit.totals.total_minor,
    }
    return sale.model_copy(update=changes)


@dataclass(frozen=True, slots=True)
class NamedUnits:
    """Units of a line that a cancellation or a return names: those from `start` to `stop` of what was left of it."""

    part: SoldPart
    start: int
    stop: int

    @property
    def count(self) -> int:
        return self.stop - self.start

    def share(self, total: int) -> int:
        """Return the share of these units in an amount of their line."""
        return slice_of(total, self.part.quantity, self.start, self.stop)

    def gross(self, includes_tax: bool) -> int:
        """Return what these units cost with tax, in minor units, as orders credits them."""
        taxes = 0 if includes_tax else sum(self.share(tax.tax_minor) for tax in self.part.taxes)
        return self.share(self.part.amount_minor) + taxes


def named_units(sale: Sale, units: Sequence[LineUnits], withdrawn: Mapping[int, int]) -> list[NamedUnits]:
    """Return the units named, of the lines of the sale, after so many of each line were withdrawn before."""
    by_line = {part.line: part for part in sale.parts if part.line}
    found = []
    for one in units:
        if part := by_line.get(one.line):
            stop = max(0, part.quantity - withdrawn.get(one.line, 0))
            found.append(NamedUnits(part, max(0, stop - one.quantity), stop))
    return [one for one in found if one.count]


def kept_units(sale: Sale, withdrawn: Mapping[int, int]) -> list[NamedUnits]:
    """Return the units of every part that are still wanted; shipping and extra lines go with the last unit of a
    line.
    """
    kept = [
        NamedUnits(part, 0, max(0, part.quantity - (withdrawn.get(part.line, 0) if part.line else 0)))
        for part in sale.parts
    ]
    return [one for one in kept if one.count] if any(one.count for one in kept if one.part.line) else []


def net(part: SoldPart, includes_tax: bool) -> int:
    """Return what a part costs before tax, in minor units."""
    return part.amount_minor - part.tax_minor if includes_tax else part.amount_minor


def _buyer(buyer: Buyer, billing: Address | None, delivery: Address | None) -> SoldTo:
    return SoldTo(
        name=buyer.name,
        company=buyer.company,
        vat_number=buyer.vat_number,
        company_id=buyer.company_id,
        billing=billing,
        delivery=delivery if delivery != billing else None,
    )


def _parts(
    lines: Sequence[PlacedLine], shipping: Shipping | None, extras: Sequence[ExtraLine]
) -> list[tuple[SoldPart, Charge]]:
    """Return every part with its amount, rates and stated taxes."""
    return [*_lines(lines), *_charges(shipping, extras)]


def _lines(lines: Sequence[PlacedLine]) -> Iterator[tuple[SoldPart, Charge]]:
    for line in lines:
        part = SoldPart(
            line=line.line,
            description=line.description,
            options=line.options,
            kind=line.kind,
            sku=line.sku,
            quantity=line.quantity,
            unit_price_minor=line.unit_price_minor,
            unit_price_exact=line.unit_price_exact,
            discount_minor=line.discount_minor,
            amount_minor=line.total_minor,
            taxes=_rates(line),
        )
        yield part, charge_of(line.__dict__, line.total_minor)


def _charges(shipping: Shipping | None, extras: Sequence[ExtraLine]) -> Iterator[tuple[SoldPart, Charge]]:
    charges: list[tuple[str, Shipping | ExtraLine]] = [("shipping", shipping)] if shipping is not None else []
    charges += [("extra", extra) for extra in extras]
    for role, charge in charges:
        if charge.amount_minor:
            part = SoldPart(
                role=role,
                description=charge.label,
                unit_price_minor=charge.amount_minor,
                amount_minor=charge.amount_minor,
                taxes=_rates(charge),
            )
            yield part, charge_of(charge.__dict__, charge.amount_minor)


def _rates(part: PlacedLine | Shipping | ExtraLine) -> tuple[ChargedTax, ...]:
    if part.taxes:
        return tuple(ChargedTax(rate_ppm=tax.rate_ppm, tax_minor=0, label=tax.label) for tax in part.taxes)
    return (ChargedTax(rate_ppm=charge_of(part.__dict__, 0).rates[0], tax_minor=0),)


def _taxed(
    parts: Sequence[tuple[SoldPart, Charge]], tax_minor: int, includes_tax: bool
) -> tuple[SoldPart, ...]:
    """Return the parts with their taxes; all of them sum to the order's tax."""
    charges = [charge for _, charge in parts]
    found = taxes_of(charges, tax_minor, includes_tax=includes_tax)
    return tuple(_with_taxes(part, taxes) for (part, _), taxes in zip(parts, found, strict=True))


def _with_taxes(part: SoldPart, taxes: Sequence[int]) -> SoldPart:
    charged = zip(part.taxes, taxes, strict=True)
    return part.model_copy(
        update={"taxes": tuple(tax.model_copy(update={"tax_minor": minor}) for tax, minor in charged)}
    )
