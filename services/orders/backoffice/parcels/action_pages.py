"""Actions of the parcels pages: unpacking a parcel, shipping parcels, recording a delivery.

They are the same commands as on the order page, built by the same rules (`order/form_requests.py`); after an
action the user returns to the queue.
"""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from contracts.fulfillment.parcels import UnpackParcel
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import days, steps, words
from services.orders.backoffice.order.facts import find_shipment, read_fresh_facts, read_shipping
from services.orders.backoffice.order.form_requests import delivery_request, shipment_request
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.showing import beside
from services.orders.backoffice.parcels.pages import show_queue
from services.orders.backoffice.parcels.reading import Queue
from services.orders.backoffice.web.actions.action import Errors, carry_out, command
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()


async def _shipping(context: PageContext, errors: Errors) -> Response:
    order = await read_order(context)
    parcels = [order.shown.parcels[index] for index in steps.parcels_to_ship(order.shown)]
    return context.render("parcels/ship.html", parcels=parcels, **_shown(context, order, errors))


async def _delivering(context: PageContext, errors: Errors) -> Response:
    order = await read_order(context)
    shipment = _shipment(context, order)
    arrival = next((one for one in order.shown.deliveries if one.shipment_id == shipment.shipment_id), None)
    return context.render(
        "parcels/deliver.html", shipment=shipment, arrival=arrival, **_shown(context, order, errors)
    )


def _shipment(context: PageContext, order: OrderRead) -> Any:
    """Return the shipment in the path. Raises Missing."""
    wanted = context.path_uuid("shipment")
    found = next((one for one in order.shown.shipments if one.shipment_id == wanted), None)
    if found is None:
        raise Missing
    return found


def _shown(context: PageContext, order: OrderRead, rejected: Errors) -> dict[str, Any]:
    errors = beside(rejected)
    form = context.form_read if context.request.method == "POST" else None

    def typed(name: str, otherwise: Any = "") -> Any:
        return form[name] if form is not None else otherwise

    return {
        "read": order,
        "order": order.shown,
        "errors": errors,
        "wrong": defaultdict(str, errors),
        "typed": typed,
        "is_back": form is not None,
        "is_ticked": lambda parcel_id: form is None or str(parcel_id) in form.all("parcels"),
        "numbers": {parcel.parcel_id: parcel.number for parcel in order.shown.parcels},
        "descriptions": {line.line: line.description for line in order.shown.lines},
        "today": datetime.now(UTC).astimezone(context.locale.zone).date().isoformat(),
        "day_of": read_day,
        "words": words,
    }


async def _to_ship(context: PageContext, errors: Errors) -> Response:
    return await show_queue(context, Queue.TO_SHIP, 422, " ".join(errors.values()))


@pages.get("/parcels/ship/{order}", Permission.PARCELS_SHIP)
async def show_shipping(context: PageContext) -> Response:
    """Show the form that ships an order's parcels."""
    return await _shipping(context, {})


@pages.post("/parcels/ship/{order}", Permission.PARCELS_SHIP, action="shipment.dispatch", again=_shipping)
async def ship(context: PageContext) -> Response:
    """Ship the ticked parcels with a carrier."""
    order, form = await read_fresh_facts(context), context.form_read
    request = shipment_request(await read_shipping(context, order), form)
    await days.require_days(context, days.of_shipping(context, form))
    shipment = command(context, order.id, lambda made: request.command(order.facts, context.actor, made))
    flash = gettext("Parcels of order %(code)s shipped.", code=order.code)
    return await carry_out(context, shipment, to=Queue.TO_SHIP.path, flash=flash)


@pages.get("/parcels/deliver/{order}/{shipment}", Permission.PARCELS_SHIP)
async def show_delivering(context: PageContext) -> Response:
    """Show the form that records the delivery of a shipment."""
    return await _delivering(context, {})


@pages.post(
    "/parcels/deliver/{order}/{shipment}",
    Permission.PARCELS_SHIP,
    action="delivery.record",
    again=_delivering,
)
async def deliver(context: PageContext) -> Response:
    """Record that a shipment was delivered, and the evidence."""
    order, form = await read_fresh_facts(context), context.form_read
    shipment = await find_shipment(context, order, context.path_uuid("shipment"))
    if shipment is None:
        raise Missing
    request = delivery_request(form, context.locale.zone)
    await days.require_days(context, days.of_delivery(context, shipment.days, form))
    delivery = command(
        context, order.id, lambda _: request.command(order.facts, context.actor, shipment.shipment_id)
    )
    flash = gettext("Delivery of order %(code)s recorded.", code=order.code)
    return await carry_out(context, delivery, to=Queue.ON_THE_WAY.path, flash=flash)


@pages.post(
    "/parcels/unpack/{order}/{parcel}", Permission.PARCELS_PACK, action="parcel.unpack", again=_to_ship
)
async def unpack(context: PageContext) -> Response:
    """Unpack a parcel that has not been shipped."""
    order = await read_fresh_facts(context)
    about = {"shop": context.shop, "order_id": order.id, "parcel_id": context.path_uuid("parcel")}
    unpacking = command(context, order.id, lambda _: UnpackParcel(**about, actor=context.actor))
    flash = gettext("Parcel of order %(code)s unpacked.", code=order.code)
    return await carry_out(context, unpacking, to=Queue.TO_SHIP.path, flash=flash)
