"""What the page of one order asks of payments and fulfillment: money taken in, parcels, shipments, deliveries.

Every form becomes a command, once; the page waits for its outcome and never shows money or goods before their owner
said so. A form made from an older state of the order is refused (`reading.require_fresh`).
"""

from typing import Any

from starlette.responses import Response

from contracts.fulfillment import UnpackParcel
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.formatting import amount
from services.orders.backoffice.language.translating import gettext
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
from services.orders.backoffice.web.visit import Visit
from services.orders.order.requests import LossAsked, ShipmentCancellationAsked

pages = Pages()


@pages.post("/orders/{order}/payment", Permission.PAYMENTS_RECORD, action="payment.record")
async def record_payment(visit: Visit) -> Response:
    """Take in a cheque, a transfer or cash by the method the customer chose."""
    return await _record(visit, "payment")


@pages.post("/orders/{order}/other-payment", Permission.PAYMENTS_RECORD, action="payment.record_other")
async def record_other_payment(visit: Visit) -> Response:
    """Take in money that came by another way, which the form's `method` names."""
    return await _record(visit, "other-payment")


async def _record(visit: Visit, section: str) -> Response:
    """Send the payment once; an amount far above what is still to pay is asked about first."""
    form, order = await visit.form(), await read_order(visit)
    method = form["method"] if section == "other-payment" else order.shown.payment_method
    if not form.ticked("meant") and not await already_sent(visit, form) and _is_a_slip(order, form, method):
        text = gettext(
            "%(balance)s is still to pay. Correct the amount, or tick below that it was really received.",
            balance=amount(max(0, order.shown.balance_minor), order.shown.currency),
        )
        return await show_again(visit, section, {"amount": text, "meant": text})

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked = payment_asked(order.shown, form, method)
        return [lambda _: asked.command(order.facts, visit.actor)]

    return await carry_out(visit, section, make, gettext("The payment is recorded."), "payment")


def _is_a_slip(order: OrderRead, form: Form, method: str | None) -> bool:
    try:
        return is_far_above_due(order.shown, payment_asked(order.shown, form, method).amount_minor)
    except Invalid:
        return False


@pages.post("/orders/{order}/parcels", Permission.PARCELS_PACK, action="parcel.pack")
async def pack(visit: Visit) -> Response:
    """Build one parcel of all, one of chosen quantities, or one per unit."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        def command(asked: Any) -> Made:
            return lambda made: asked.command(order.facts, visit.actor, made)

        return [command(asked) for asked in parcels_asked(order.shown, form)]

    return await carry_out(visit, "parcel", make, gettext("It is packed."), "parcels")


@pages.post("/orders/{order}/unpacking", Permission.PARCELS_PACK, action="parcel.unpack")
async def unpack(visit: Visit) -> Response:
    """Take a parcel apart that has not left."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        parcel = id_typed(form, "parcel")
        return [
            lambda _: UnpackParcel(shop=visit.shop, order_id=order.id, parcel_id=parcel, actor=visit.actor)
        ]

    return await carry_out(visit, "unpack", make, gettext("The parcel is taken apart."), "parcels")


@pages.post("/orders/{order}/shipments", Permission.PARCELS_SHIP, action="shipment.dispatch")
async def ship(visit: Visit) -> Response:
    """Hand the ticked parcels to a carrier."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked = shipment_asked(order.shown, order.settings, form)
        return [lambda made: asked.command(order.facts, visit.actor, made)]

    return await carry_out(visit, "shipment", make, gettext("The shipment is recorded."), "shipments")


@pages.post("/orders/{order}/correction", Permission.PARCELS_SHIP, action="shipment.update")
async def correct_shipment(visit: Visit) -> Response:
    """Correct what is told of a shipment that left, telling its customer only if that is ticked."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        shipment = shipment_named(order.shown, form)
        asked = correction_asked(order.shown, order.settings, shipment, form)
        return [lambda _: asked.command(order.facts, visit.actor, shipment.shipment_id)]

    return await carry_out(visit, "correction", make, gettext("The tracking is corrected."), "shipments")


@pages.post("/orders/{order}/withdrawal", Permission.PARCELS_SHIP, action="shipment.cancel")
async def cancel_shipment(visit: Visit) -> Response:
    """Take a shipment back that had not left; its parcels stand packed again."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked, shipment = form.model(ShipmentCancellationAsked, **_told(form)), id_typed(form, "shipment")
        return [lambda _: asked.command(order.facts, visit.actor, shipment)]

    return await carry_out(visit, "withdrawal", make, gettext("The shipment is cancelled."), "shipments")


@pages.post("/orders/{order}/loss", Permission.PARCELS_SHIP, action="parcel.report_lost")
async def report_loss(visit: Visit) -> Response:
    """Say that a parcel on its way is lost; its units are to be packed again or refunded."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked, parcel = form.model(LossAsked, **_told(form)), id_typed(form, "parcel")
        return [lambda _: asked.command(order.facts, visit.actor, parcel)]

    return await carry_out(visit, "loss", make, gettext("The parcel is reported lost."), "parcels")


def _told(form: Form) -> dict[str, Any]:
    return {"reason": form.text("reason", 2000), "notify_customer": form.ticked("notify_customer")}


@pages.post("/orders/{order}/deliveries", Permission.PARCELS_SHIP, action="delivery.record")
async def record_delivery(visit: Visit) -> Response:
    """Record that a shipment arrived, and how that is known."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked, shipment = delivery_asked(form, visit.speech.zone), id_typed(form, "shipment")
        return [lambda _: asked.command(order.facts, visit.actor, shipment)]

    return await carry_out(visit, "delivery", make, gettext("The delivery is recorded."), "shipments")
