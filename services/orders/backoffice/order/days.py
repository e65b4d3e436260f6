"""Shipment days in forms, checked against each other and the current day in the shop's zone, with error texts.

The rule is that of `contracts/fulfillment/shipping_days.py`; REST and fulfillment use it too.
"""

from collections.abc import Sequence
from datetime import date

from contracts.fulfillment.shipping_days import DELIVERED, DayFault, faults_of_shipping
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.formatting import day as day_written
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.web.actions.action import was_sent
from services.orders.backoffice.web.page_context import PageContext
from services.orders.order.shipment_days import ShipmentDays

FIELDS = {DELIVERED: "delivered_on"}
"""Names of form fields that differ from those in messages."""
TEXTS = {
    "shipped_in_the_future": N_("Shipped on %(day)s: that day is in the future, today is %(other)s."),
    "delivered_in_the_future": N_("Delivered on %(day)s: that day is in the future, today is %(other)s."),
    "expected_before_shipped": N_("Expected on %(day)s, before it was shipped on %(other)s."),
    "delivered_before_shipped": N_("Delivered on %(day)s, before it was shipped on %(other)s."),
    "shipped_after_delivered": N_("Shipped on %(day)s, after it was delivered on %(other)s."),
}


def objections_to_days(faults: Sequence[DayFault]) -> dict[str, str]:
    """Return errors by the form's fields, each with both days, translated."""
    return {FIELDS.get(fault.field, fault.field): fault_text(fault) for fault in reversed(faults)}


def fault_text(fault: DayFault) -> str:
    """Return the text for an error."""
    return gettext(TEXTS[fault.code], day=day_written(fault.day), other=day_written(fault.other))


async def require_days(context: PageContext, faults: Sequence[DayFault]) -> None:
    """Check that a form about to become a command has valid days. Raises Invalid."""
    if faults and not await was_sent(context):
        raise Invalid(**objections_to_days(faults))


def today_of(context: PageContext) -> date:
    """Return the current day in the shop's zone."""
    return context.locale.now.astimezone(context.locale.zone).date()


def of_shipping(context: PageContext, form: Form) -> list[DayFault]:
    """Return the errors in the days of a shipment that leaves."""
    shipped_on = form.day("shipped_on")
    return faults_of_shipping(shipped_on, form.day("expected_on"), today_of(context)) if shipped_on else []


def of_correction(context: PageContext, known: ShipmentDays, form: Form) -> list[DayFault]:
    """Return the errors in the corrected days of a shipment."""
    shipped_on = form.day("shipped_on")
    if shipped_on is None:
        return []
    return known.faults_of_correction(shipped_on, form.day("expected_on"), today_of(context))


def of_delivery(context: PageContext, known: ShipmentDays, form: Form) -> list[DayFault]:
    """Return the errors in the delivery day of a shipment."""
    delivered_on = form.day("delivered_on")
    return known.faults_of_delivery(delivered_on, today_of(context)) if delivered_on else []
