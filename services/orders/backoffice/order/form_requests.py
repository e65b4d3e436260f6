"""Requests to payments and fulfillment from the forms of the order page. Pure.

Each function raises Invalid with every error by field. A request depends only on the form's fields, never on
the order's current state: this makes a repeated submission the same request.
"""

from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Any
from uuid import UUID

from contracts.money import LARGEST_AMOUNT_MINOR
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.steps import RECEIVE
from services.orders.backoffice.order.words import WAYS
from services.orders.order.requests import (
    CorrectionRequest,
    DeliveryRequest,
    ParcelRequest,
    PaymentRequest,
    ShipmentRequest,
)
from services.orders.order.shipment_days import ShipmentDays
from services.orders.order.shop.settings import ShopSettings

MOST_PARCELS = 50
"""Maximum parcels of one form."""


@dataclass(frozen=True, slots=True)
class Shipping:
    """What shipments of an order are made from; some carriers' tracking pages require the postal code."""

    currency: str
    parcel_ids: frozenset[UUID]
    postal_code: str | None
    settings: ShopSettings


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment that left, with its days by the shop's calendar."""

    shipment_id: UUID
    carrier: str
    tracking_number: str | None
    tracking_url: str | None
    days: ShipmentDays


def payment_request(currency: str, form: Form, method: str | None) -> PaymentRequest:
    """Return the payment received by this method: the one the customer chose, or another chosen in the form.
    Raises Invalid.
    """
    if method not in RECEIVE:
        raise Invalid(method=gettext("Choose how the money was received."))
    amount = form.amount_minor("amount", currency, LARGEST_AMOUNT_MINOR)
    if amount is None or amount <= 0:
        raise Invalid(amount=gettext("The amount must be more than zero."))
    return form.model(
        PaymentRequest,
        method=method,
        amount_minor=amount,
        currency=currency,
        received_on=form.day("received_on"),
        clearing_on=form.day("clearing_on"),
    )


def is_far_above_due(balance_minor: int, amount_minor: int) -> bool:
    """Return whether an amount is more than twice the amount due: more likely a typing error than an
    overpayment.
    """
    return amount_minor > 2 * max(0, balance_minor)


def parcel_requests(currency: str, form: Form) -> list[ParcelRequest]:
    """Return the parcels for the chosen way of packing. Typed quantities always count: with «one parcel
    for all» they contradict it, so the form is rejected for correction instead of packing something else.
    """
    way = form["way"]
    if way not in WAYS:
        raise Invalid(way=gettext("Choose an option from the list."))
    units = _units_to_pack(form, way)
    if not units:
        raise Invalid(way=gettext("Choose at least one unit."))
    about: dict[str, Any] = {
        "length_mm": form.whole("length_mm", 0, 100_000),
        "width_mm": form.whole("width_mm", 0, 100_000),
        "height_mm": form.whole("height_mm", 0, 100_000),
        "weight_grams": form.whole("weight_grams", 0, 10_000_000),
        "declared_value_minor": form.amount_minor("declared_value", currency),
    }
    if way == "each":
        return [_parcel(form, {line: 1}, about) for line in _one_by_one(units)]
    return [_parcel(form, units, about)]


def _units_to_pack(form: Form, way: str) -> dict[int, int]:
    """Return the units to pack by line number. Raises Invalid when the chosen way would ignore typed ones."""
    shown = units_typed(form, "left")
    if not any(name.startswith("quantity-") for name in form):
        return shown
    typed = units_typed(form, "quantity")
    if way == "one" and typed != shown:
        raise Invalid(
            way=gettext(
                "“One parcel for all” was chosen, but quantities were changed. Pack these quantities,"
                " or choose one parcel again and leave the quantities unchanged."
            )
        )
    return typed


def shipment_request(shipping: Shipping, form: Form) -> ShipmentRequest:
    """Return a shipment of the ticked parcels with a carrier of the shop or another; the tracking URL is the
    carrier's unless one is typed.
    """
    ids = {str(one) for one in shipping.parcel_ids}
    parcels = [UUID(one) for one in form.all("parcels") if one in ids]
    if not parcels:
        raise Invalid(parcels=gettext("Tick at least one parcel."))
    name = form.text("other_carrier", 100) or form.text("carrier", 100)
    if name is None:
        raise Invalid(carrier=gettext("Choose the carrier."))
    number = form.text("tracking_number", 100)
    known, postal_code = shipping.settings.carrier(name), shipping.postal_code
    cost = form.amount_minor("cost", shipping.currency)
    return form.model(
        ShipmentRequest,
        parcel_ids=parcels,
        carrier=name,
        tracking_number=number,
        tracking_url=form.text("tracking_url", 1000)
        or (known.follow(number, postal_code) if known else None),
        postal_code=postal_code,
        shipped_on=form.day("shipped_on"),
        expected_on=form.day("expected_on"),
        cost_minor=cost,
        cost_currency=shipping.currency if cost is not None else None,
        notify_customer=form.ticked("notify_customer"),
    )


def correction_request(shipping: Shipping, shipment: Shipment, form: Form) -> CorrectionRequest:
    """Return the correction of a shipment; its tracking URL stays while carrier and number do, unless another
    is typed.
    """
    name = form.text("other_carrier", 100) or form.text("carrier", 100)
    if name is None:
        raise Invalid(carrier=gettext("Choose the carrier."))
    number, shipped_on = form.text("tracking_number", 100), form.day("shipped_on")
    if shipped_on is None:
        raise Invalid(shipped_on=gettext("This field is required."))
    known, postal_code = shipping.settings.carrier(name), shipping.postal_code
    stays = (name, number) == (shipment.carrier, shipment.tracking_number)
    follow = known.follow(number, postal_code) if known else None
    return form.model(
        CorrectionRequest,
        carrier=name,
        tracking_number=number,
        tracking_url=form.text("tracking_url", 1000) or (shipment.tracking_url if stays else follow),
        postal_code=postal_code,
        shipped_on=shipped_on,
        expected_on=form.day("expected_on"),
        notify_customer=form.ticked("notify_customer"),
    )


def delivery_request(form: Form, zone: tzinfo) -> DeliveryRequest:
    """Return the delivery time (a day in the shop's zone, at noon when only the day is known) and its
    evidence.
    """
    day = form.day("delivered_on")
    if day is None:
        raise Invalid(delivered_on=gettext("This field is required."))
    return form.model(DeliveryRequest, delivered_at=datetime.combine(day, time(12), zone))


def units_typed(form: Form, prefix: str) -> dict[int, int]:
    """Return quantities by line number from the fields `<prefix>-<line>`; zeros are left out. Raises Invalid."""
    found = {}
    for name in form:
        head, _, line = name.partition("-")
        if head == prefix and line.isdecimal() and len(line) < 7:
            quantity = form.whole(name, 0, 1_000_000)
            if quantity:
                found[int(line)] = quantity
    return found


def id_typed(form: Form, name: str) -> UUID:
    """Return an id from a hidden field. Raises Invalid."""
    try:
        return UUID(form[name])
    except ValueError:
        raise incomplete() from None


def orders_named(form: Form) -> list[UUID]:
    """Return the orders that a form on a list names, ticked or in a hidden field, each once."""
    named = [one for text in [*form.all("order"), *form["orders"].split()] if (one := as_id(text))]
    return list(dict.fromkeys(named))


def as_id(text: str) -> UUID | None:
    """Parse an id; return None when it is invalid."""
    try:
        return UUID(text)
    except ValueError:
        return None


def incomplete() -> Invalid:
    """Return the error of a form whose hidden fields do not match the order."""
    return Invalid(**{"": gettext("This form is incomplete. Open the page again.")})


def _one_by_one(units: dict[int, int]) -> list[int]:
    if sum(units.values()) > MOST_PARCELS:
        raise Invalid(way=gettext("Choose at most %(most)s parcels at once.", most=MOST_PARCELS))
    return [line for line, quantity in units.items() for _ in range(quantity)]


def _parcel(form: Form, units: dict[int, int], about: dict[str, Any]) -> ParcelRequest:
    lines = [{"line": line, "quantity": quantity} for line, quantity in units.items()]
    return form.model(ParcelRequest, lines=lines, **about)
