"""What the page of one order asks of payments and fulfillment: money taken in, parcels, shipments, deliveries.

Every form becomes a command, once; the page waits for its outcome and never shows money or goods before their owner
said so. A form made from an older state of the order is refused (`reading.require_fresh`).
"""

from typing import Any

from starlette.responses import Response

from contracts.fulfillment import UnpackParcel
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms import Form
from services.orders.backoffice.order_page.asking import (
    delivery_asked,
    parcels_asked,
    payment_asked,
    shipment_asked,
)
from services.orders.backoffice.order_page.reading import OrderRead
from services.orders.backoffice.order_page.sending import Made, carry_out, id_typed
from services.orders.backoffice.routing import Pages
from services.orders.backoffice.translating import gettext
from services.orders.backoffice.visit import Visit

pages = Pages()


@pages.post("/orders/{order}/payment", Permission.PAYMENTS_RECORD, action="payment.record")
async def record_payment(visit: Visit) -> Response:
    """Take in a cheque, a transfer or cash, by the method the customer chose."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked = payment_asked(order.shown, form)
        return [lambda _: asked.command(order.facts, visit.actor)]

    return await carry_out(visit, "payment", make, gettext("The payment is recorded."), "payment")


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


@pages.post("/orders/{order}/deliveries", Permission.PARCELS_SHIP, action="delivery.record")
async def record_delivery(visit: Visit) -> Response:
    """Record that a shipment arrived, and how that is known."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked, shipment = delivery_asked(form, visit.speech.zone), id_typed(form, "shipment")
        return [lambda _: asked.command(order.facts, visit.actor, shipment)]

    return await carry_out(visit, "delivery", make, gettext("The delivery is recorded."), "shipments")
