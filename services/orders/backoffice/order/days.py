"""Shipment days in forms, checked against each other and against the shop's today, with the errors in words.

The rule is that of `contracts/shipping_days.py`; REST and fulfillment use it too.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from contracts.shipping_days import DELIVERED, DayFault, faults_of_shipping
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.formatting import day as day_written
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.order.asking import shipment_named
from services.orders.backoffice.order.reading import OrderRead
from services.orders.backoffice.web.visit import PageContext
from services.orders.order.shipment_days import ShipmentDays

FIELDS = {DELIVERED: "delivered_on"}
"""The forms' names of fields that messages call otherwise."""
TEXTS = {
    "shipped_in_the_future": N_("Shipped on %(day)s: that day is still to come, today is %(other)s."),
    "delivered_in_the_future": N_("Delivered on %(day)s: that day is still to come, today is %(other)s."),
    "expected_before_shipped": N_("Expected on %(day)s, before it left on %(other)s."),
    "delivered_before_shipped": N_("Delivered on %(day)s, before it left on %(other)s."),
    "shipped_after_delivered": N_("Shipped on %(day)s, after it was delivered on %(other)s."),
}


def objections_to_days(faults: Sequence[DayFault]) -> dict[str, str]:
    """Return errors by the form's fields, each with both days, translated."""
    return {FIELDS.get(fault.field, fault.field): told(fault) for fault in reversed(faults)}


def told(fault: DayFault) -> str:
    """Return an error in words."""
    return gettext(TEXTS[fault.code], day=day_written(fault.day), other=day_written(fault.other))


def today_of(context: PageContext) -> date:
    """Return the current day in the shop's zone."""
    return context.speech.now.astimezone(context.speech.zone).date()


def of_shipping(context: PageContext, order: OrderRead, form: Form) -> list[DayFault]:
    """Return the errors in the days of a shipment that leaves."""
    shipped_on = form.day("shipped_on")
    return faults_of_shipping(shipped_on, form.day("expected_on"), today_of(context)) if shipped_on else []


def of_correction(context: PageContext, order: OrderRead, form: Form) -> list[DayFault]:
    """Return the errors in the corrected days of a shipment."""
    known = days_known(context, order, shipment_named(order.shown, form).shipment_id)
    shipped_on = form.day("shipped_on")
    if known is None or shipped_on is None:
        return []
    return known.faults_of_correction(shipped_on, form.day("expected_on"), today_of(context))


def of_delivery(context: PageContext, order: OrderRead, form: Form) -> list[DayFault]:
    """Return the errors in the delivery day of the form's shipment."""
    return of_arrival(context, order, shipment_named(order.shown, form).shipment_id, form)


def of_arrival(context: PageContext, order: OrderRead, shipment_id: UUID, form: Form) -> list[DayFault]:
    """Return the errors in the delivery day of this shipment."""
    known, delivered_on = days_known(context, order, shipment_id), form.day("delivered_on")
    return known.faults_of_delivery(delivered_on, today_of(context)) if known and delivered_on else []


def days_known(context: PageContext, order: OrderRead, shipment_id: UUID) -> ShipmentDays | None:
    """Return the days of a shipment as the page shows them."""
    shown = next((one for one in order.shown.shipments if one.shipment_id == shipment_id), None)
    if shown is None:
        return None
    arrived = next((one for one in order.shown.deliveries if one.shipment_id == shipment_id), None)
    return ShipmentDays(
        read_day(shown.shipped_on),
        read_day(shown.expected_on) if shown.expected_on else None,
        arrived.delivered_at.astimezone(context.speech.zone).date() if arrived else None,
    )
