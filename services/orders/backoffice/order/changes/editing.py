"""The form that edits an order: its fields from the order, and the request from the typed fields. Pure.

The form holds everything in the order that can be edited and requests all of it, changed or not: the request
depends only on its fields, so that a repeated submission is the same request. The revision it was made from
prevents it from overwriting changes by others.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from contracts.message import Reason
from contracts.sale import LineKind
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.forms.objections import objections
from services.orders.backoffice.language.countries import country_code
from services.orders.backoffice.language.formatting import typed_amount
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.order.form_requests import units_typed
from services.orders.changes.requests import (
    AddressRequest,
    CustomerEdited,
    EditRequest,
    ExtraLineRequest,
    LineEdited,
    ShippingRequest,
)
from services.orders.listing.documents import OrderResponse
from services.orders.order.requests import RequestBody

P = TypeVar("P", bound=RequestBody)
MOST_NEW = 50
NEW_KINDS = {
    LineKind.SHIP.value: N_("Goods to ship"),
    LineKind.SERVICE.value: N_("Service provided"),
    LineKind.TICKET.value: N_("Ticket"),
}
"""Kinds of lines that can be added by hand; a booking is made in the storefront, where its times are chosen."""
ADDRESS = ("name", "street", "street_2", "postal_code", "city", "region", "country", "phone")
CUSTOMER = ("name", "email", "phone", "company", "vat_number")
_FIELDS = {
    "quantity": "quantity",
    "unit_price_minor": "price",
    "discount_minor": "discount",
    "sku": "sku",
    "description": "description",
    "vat_rate": "vat",
}
"""Names of the form's fields by field of a message's line."""
_PLACES = {
    "shipping.amount_minor": "shipping-amount",
    "shipping_address": "delivery-street",
    "customer.name": "customer-name",
    "customer.email": "customer-email",
    "lines": "",
}


def fields_of(order: OrderResponse) -> list[tuple[str, str]]:
    """Return the form's fields for the order's current values."""
    currency, found = order.currency, dict[str, str]()
    for line in order.lines:
        found[f"quantity-{line.line}"] = str(line.quantity)
        found[f"price-{line.line}"] = typed_amount(line.unit_price_minor, currency)
        found[f"discount-{line.line}"] = typed_amount(line.discount_minor, currency)
    if order.shipping:
        found["shipping-label"] = order.shipping.label
        found["shipping-carrier"] = order.shipping.carrier or ""
        found["shipping-amount"] = typed_amount(order.shipping.amount_minor, currency)
        found["shipping-vat"] = typed_rate(order.shipping.vat_rate)
    for index, extra in enumerate(order.extra_lines):
        found[f"extra-label-{index}"] = extra.label
        found[f"extra-amount-{index}"] = typed_amount(extra.amount_minor, currency)
        found[f"extra-vat-{index}"] = typed_rate(extra.vat_rate)
    for prefix, address in (("delivery", order.shipping_address), ("billing", order.billing_address)):
        found |= {f"{prefix}-{name}": getattr(address, name, None) or "" for name in ADDRESS}
    found |= {f"customer-{name}": getattr(order.customer, name) or "" for name in CUSTOMER}
    return [*found.items(), ("note", order.note or "")]


def edit_request(currency: str, form: Form) -> EditRequest:
    """Return the order as the form requests it. Raises Invalid with the errors."""
    customer = _part(form, "customer-", CustomerEdited, CUSTOMER) or CustomerEdited()
    emptied = {
        name: None
        for name in ("email", "phone", "company", "vat_number")
        if not form[f"customer-{name}"].strip()
    }
    fields: dict[str, Any] = {
        "lines": [*_lines(form, currency), *_new_lines(form, currency)],
        "shipping": _shipping(form, currency),
        "extra_lines": _extras(form, currency),
        "shipping_address": _part(form, "delivery-", AddressRequest, ADDRESS),
        "billing_address": _part(form, "billing-", AddressRequest, ADDRESS),
        "customer": CustomerEdited.model_validate({**customer.model_dump(exclude_unset=True), **emptied}),
        "note": form.text("note", 2000),
    }
    if reason := form.text("reason", 2000):
        fields["reason"] = reason
    return EditRequest(revision=form.revision, **fields)


def by_place(reasons: Sequence[Reason], form: Form) -> dict[str, str]:
    """Return the reasons against an edit by the form's fields; those without a field are under ""."""
    places, found = _places(form), dict[str, list[str]]()
    for reason in reasons:
        named = reason.field or ""
        inside = re.fullmatch(r"lines\[(\d+)\]\.(\w+)", named)
        place = _PLACES.get(named, "")
        if inside and int(inside[1]) < len(places) and inside[2] in _FIELDS:
            place = places[int(inside[1])].format(_FIELDS[inside[2]])
        found.setdefault(place if place in form else "", []).append(explain(reason))
    return {name: " ".join(texts) for name, texts in found.items()}


def new_rows(form: Form) -> int:
    """Return the number of rows for new lines that the form shows."""
    return min(MOST_NEW, form.whole("new-rows", 0, MOST_NEW) or 0)


def extra_rows(form: Form) -> int:
    """Return the number of rows for extra lines that the form needs: the existing ones, and an empty one."""
    used = [index for index in range(100) if form[f"extra-label-{index}"] or form[f"extra-amount-{index}"]]
    return min(100, max(used, default=-1) + 2)


def typed_rate(basis_points: int) -> str:
    """Return a VAT rate in per cent as typed: 20 or 5,5."""
    return typed_amount(basis_points, "EUR").rstrip("0").rstrip(",.") if basis_points else "0"


def _lines(form: Form, currency: str) -> list[LineEdited]:
    numbers = [int(name.partition("-")[2]) for name in form if re.fullmatch(r"quantity-[0-9]{1,6}", name)]
    units = units_typed(form, "quantity")
    return [
        LineEdited(
            line=line,
            quantity=0 if form.ticked(f"remove-{line}") else units.get(line, 0),
            unit_price_minor=_price(form, f"price-{line}", currency),
            discount_minor=_price(form, f"discount-{line}", currency),
        )
        for line in sorted(numbers)
    ]


def _new_lines(form: Form, currency: str) -> list[LineEdited]:
    found = []
    for row in range(new_rows(form)):
        if not any(form[f"new-{name}-{row}"].strip() for name in ("description", "sku", "price")):
            continue
        values = {
            "kind": form[f"new-kind-{row}"],
            "description": form[f"new-description-{row}"].strip(),
            "sku": form[f"new-sku-{row}"].strip() or None,
            "quantity": form.whole(f"new-quantity-{row}", 1, 1_000_000),
            "unit_price_minor": _price(form, f"new-price-{row}", currency),
            "vat_rate": _rate(form, f"new-vat-{row}"),
        }
        names = {name: f"new-{_FIELDS.get(name, name)}-{row}" for name in values}
        if values["quantity"] is None:
            raise Invalid(**{names["quantity"]: gettext("This field is required.")})
        found.append(_checked(LineEdited, values, names))
    return found


def _shipping(form: Form, currency: str) -> ShippingRequest | None:
    label = form["shipping-label"].strip()
    if not label and not form["shipping-amount"].strip().strip("0,. "):
        return None
    values = {
        "label": label,
        "carrier": form["shipping-carrier"].strip() or None,
        "amount_minor": form.amount_minor("shipping-amount", currency) or 0,
        "vat_rate": _rate(form, "shipping-vat"),
    }
    names = {"label": "shipping-label", "carrier": "shipping-carrier", "vat_rate": "shipping-vat"}
    return _checked(ShippingRequest, values, names)


def _extras(form: Form, currency: str) -> list[ExtraLineRequest]:
    found = []
    for row in range(extra_rows(form)):
        label, typed = form[f"extra-label-{row}"].strip(), form[f"extra-amount-{row}"].strip()
        if not label and not typed:
            continue
        values = {
            "label": label,
            "amount_minor": form.amount_minor(f"extra-amount-{row}", currency) or 0,
            "vat_rate": _rate(form, f"extra-vat-{row}"),
        }
        found.append(
            _checked(
                ExtraLineRequest, values, {"label": f"extra-label-{row}", "vat_rate": f"extra-vat-{row}"}
            )
        )
    return found


def _part(form: Form, prefix: str, kind: type[P], names: Sequence[str]) -> P | None:
    values = {name: form[prefix + name].strip() for name in names if form[prefix + name].strip()}
    if "country" in values:
        values["country"] = country_code(values["country"])
    return _checked(kind, values, {name: prefix + name for name in names}) if values else None


def _checked(kind: type[P], values: dict[str, Any], names: dict[str, str]) -> P:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = objections(error).items()
        raise Invalid(**{names.get(name, ""): text for name, text in found}) from None


def _price(form: Form, name: str, currency: str) -> int:
    minor = form.amount_minor(name, currency) or 0
    if minor < 0:
        raise Invalid(**{name: gettext("Must be at least %(ge)s.", ge=0)})
    return minor


def _rate(form: Form, name: str) -> int:
    """Return per cent as basis points: 20 as 2000, 5,5 as 550."""
    refused = Invalid(**{name: gettext("Enter a rate from 0 to 100, with at most two decimals.")})
    try:
        rate = form.amount_minor(name, "EUR") or 0
    except Invalid:
        raise refused from None
    if not 0 <= rate <= 10_000:
        raise refused
    return rate


def _places(form: Form) -> list[str]:
    """Return the form positions of the lines that an edit requests, as `{}-3` and `new-{}-0`."""
    lines = sorted(int(n.partition("-")[2]) for n in form if re.fullmatch(r"quantity-[0-9]{1,6}", n))
    existing = [line for line in lines if form[f"quantity-{line}"].strip() not in ("", "0")]
    new = [row for row in range(new_rows(form)) if form[f"new-description-{row}"].strip()]
    kept = [line for line in existing if not form.ticked(f"remove-{line}")]
    return [*("{}-" + str(line) for line in kept), *(f"new-{{}}-{row}" for row in new)]
