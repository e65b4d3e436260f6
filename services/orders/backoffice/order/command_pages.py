"""Commands to payments and fulfillment from the order page: payments, parcels, shipments, deliveries.

Every form becomes a command, once; the page waits for its outcome and never shows money or goods before their
owner confirmed them. A form made from an older state of the order is rejected (`reading.require_fresh`).
"""

from typing import Any

from starlette.responses import Response

from contracts.fulfillment import UnpackParcel
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.formatting import amount
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import days
from services.orders.backoffice.order.asking import (
    correction_asked,
    delivery_asked,
    is_far_above_due,
    parcels_asked,
    payment_asked,
    shipment_asked,
    shipment_named,
)
from services.orders.backoffice.order.reading import OrderRead, already_sent, read_order
from services.orders.backoffice.order.sending import Made, carry_out, id_typed
from services.orders.backoffice.order.showing import show_again
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import PageContext
from services.orders.order.requests import LossRequest, ShipmentCancellationRequest

pages = Pages()


@pages.post("/orders/{order}/payment", Permission.PAYMENTS_RECORD, action="payment.record")
async def record_payment(context: PageContext) -> Response:
    """Record a cheque, a transfer or cash by the method the customer chose."""
    return await _record(context, "payment")


@pages.post("/orders/{order}/other-payment", Permission.PAYMENTS_RECORD, action="payment.record_other")
async def record_other_payment(context: PageContext) -> Response:
    """Record a payment by another method, which the form's `method` names."""
    return await _record(context, "other-payment")


async def _record(context: PageContext, section: str) -> Response:
    """Send the payment once; an amount far above the amount due has to be confirmed first."""
    form, order = await context.form(), await read_order(context)
    method = form["method"] if section == "other-payment" else order.shown.payment_method
    if not form.ticked("meant") and not await already_sent(context, form) and _is_a_slip(order, form, method):
        text = gettext(
            "%(balance)s is still to pay. Correct the amount, or tick below that it was really received.",
            balance=amount(max(0, order.shown.balance_minor), order.shown.currency),
        )
        return await show_again(context, section, {"amount": text, "meant": text})

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked = payment_asked(order.shown, form, method)
        return [lambda _: asked.command(order.facts, context.actor)]

    return await carry_out(context, section, make, gettext("The payment is recorded."), "payment")


def _is_a_slip(order: OrderRead, form: Form, method: str | None) -> bool:
    try:
        return is_far_above_due(order.shown, payment_asked(order.shown, form, method).amount_minor)
    except Invalid:
        return False


@pages.post("/orders/{order}/parcels", Permission.PARCELS_PACK, action="parcel.pack")
async def pack(context: PageContext) -> Response:
    """Pack one parcel of everything, one of chosen quantities, or one per unit."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        def command(asked: Any) -> Made:
            return lambda made: asked.command(order.facts, context.actor, made)

        return [command(asked) for asked in parcels_asked(order.shown, form)]

    return await carry_out(context, "parcel", make, gettext("It is packed."), "parcels")


@pages.post("/orders/{order}/unpacking", Permission.PARCELS_PACK, action="parcel.unpack")
async def unpack(context: PageContext) -> Response:
    """Unpack a parcel that has not been shipped."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        parcel = id_typed(form, "parcel")
        return [
            lambda _: UnpackParcel(
                shop=context.shop, order_id=order.id, parcel_id=parcel, actor=context.actor
            )
        ]

    return await carry_out(context, "unpack", make, gettext("The parcel is taken apart."), "parcels")


@pages.post("/orders/{order}/shipments", Permission.PARCELS_SHIP, action="shipment.dispatch")
async def ship(context: PageContext) -> Response:
    """Ship the ticked parcels with a carrier."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked = shipment_asked(order.shown, order.settings, form)
        return [lambda made: asked.command(order.facts, context.actor, made)]

    return await carry_out(
        context, "shipment", make, gettext("The shipment is recorded."), "shipments", days.of_shipping
    )


@pages.post("/orders/{order}/correction", Permission.PARCELS_SHIP, action="shipment.update")
async def correct_shipment(context: PageContext) -> Response:
    """Correct a shipment that left, informing its customer only if that is ticked."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        shipment = shipment_named(order.shown, form)
        asked = correction_asked(order.shown, order.settings, shipment, form)
        return [lambda _: asked.command(order.facts, context.actor, shipment.shipment_id)]

    return await carry_out(
        context, "correction", make, gettext("The tracking is corrected."), "shipments", days.of_correction
    )


@pages.post("/orders/{order}/withdrawal", Permission.PARCELS_SHIP, action="shipment.cancel")
async def cancel_shipment(context: PageContext) -> Response:
    """Cancel a shipment that had not left; its parcels are packed again."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked, shipment = form.model(ShipmentCancellationRequest, **_told(form)), id_typed(form, "shipment")
        return [lambda _: asked.command(order.facts, context.actor, shipment)]

    return await carry_out(context, "withdrawal", make, gettext("The shipment is cancelled."), "shipments")


@pages.post("/orders/{order}/loss", Permission.PARCELS_SHIP, action="parcel.report_lost")
async def report_loss(context: PageContext) -> Response:
    """Report a parcel in transit as lost; its units are to be packed again or refunded."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked, parcel = form.model(LossRequest, **_told(form)), id_typed(form, "parcel")
        return [lambda _: asked.command(order.facts, context.actor, parcel)]

    return await carry_out(context, "loss", make, gettext("The parcel is reported lost."), "parcels")


def _told(form: Form) -> dict[str, Any]:
    return {"reason": form.text("reason", 2000), "notify_customer": form.ticked("notify_customer")}


@pages.post("/orders/{order}/deliveries", Permission.PARCELS_SHIP, action="delivery.record")
async def record_delivery(context: PageContext) -> Response:
    """Record that a shipment was delivered, and the evidence."""

    def make(context: PageContext, order: OrderRead, form: Form) -> list[Made]:
        asked, shipment = delivery_asked(form, context.speech.zone), id_typed(form, "shipment")
        return [lambda _: asked.command(order.facts, context.actor, shipment)]

    return await carry_out(
        context, "delivery", make, gettext("The delivery is recorded."), "shipments", days.of_delivery
    )
