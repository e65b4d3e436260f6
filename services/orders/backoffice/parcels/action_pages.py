"""Actions of the parcels pages: unpacking a parcel, shipping parcels, recording a delivery.

They are the same commands as on the order page, built by the same rules (`order/asking.py`); after one the
user is back in the queue for the next.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.fulfillment import UnpackParcel
from contracts.message import Command
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import days, steps, words
from services.orders.backoffice.order.asking import delivery_asked, shipment_asked
from services.orders.backoffice.order.reading import OrderRead, read_order, require_fresh
from services.orders.backoffice.order.sending import beside, require_days
from services.orders.backoffice.parcels.pages import show_queue
from services.orders.backoffice.parcels.reading import Queue
from services.orders.backoffice.web.actions.commanding import answer, send
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, PageContext

pages = Pages()
Made = Callable[[UUID], Command]


@pages.get("/parcels/ship/{order}", Permission.PARCELS_SHIP)
async def show_shipping(context: PageContext) -> Response:
    """Show the form that ships an order's parcels."""
    return _shipping(context, await read_order(context), {})


@pages.post("/parcels/ship/{order}", Permission.PARCELS_SHIP, action="shipment.dispatch")
async def ship(context: PageContext) -> Response:
    """Ship the ticked parcels with a carrier."""
    form, order = await _begun(context)

    async def again(errors: Mapping[str, str]) -> Response:
        return _shipping(context, await read_order(context), errors)

    async def make() -> Made:
        asked = shipment_asked(order.shown, order.settings, form)
        await require_days(context, form, days.of_shipping(context, order, form))
        return lambda made: asked.command(order.facts, context.actor, made)

    flash = gettext("The parcels of order %(code)s are shipped.", code=order.shown.code)
    return await _carry_out(context, order, form, make, Queue.TO_SHIP, flash, again)


@pages.get("/parcels/deliver/{order}/{shipment}", Permission.PARCELS_SHIP)
async def show_delivering(context: PageContext) -> Response:
    """Show the form that records the delivery of a shipment."""
    return _delivering(context, await read_order(context), {})


@pages.post("/parcels/deliver/{order}/{shipment}", Permission.PARCELS_SHIP, action="delivery.record")
async def deliver(context: PageContext) -> Response:
    """Record that a shipment was delivered, and the evidence."""
    form, order = await _begun(context)
    shipment_id = _shipment(context, order).shipment_id

    async def again(errors: Mapping[str, str]) -> Response:
        return _delivering(context, await read_order(context), errors)

    async def make() -> Made:
        asked = delivery_asked(form, context.speech.zone)
        await require_days(context, form, days.of_arrival(context, order, shipment_id, form))
        return lambda _: asked.command(order.facts, context.actor, shipment_id)

    flash = gettext("The delivery of order %(code)s is recorded.", code=order.shown.code)
    return await _carry_out(context, order, form, make, Queue.ON_THE_WAY, flash, again)


@pages.post("/parcels/unpack/{order}/{parcel}", Permission.PARCELS_PACK, action="parcel.unpack")
async def unpack(context: PageContext) -> Response:
    """Unpack a parcel that has not been shipped."""
    form, order = await _begun(context)
    parcel_id = context.path_uuid("parcel")

    async def again(errors: Mapping[str, str]) -> Response:
        return await show_queue(context, Queue.TO_SHIP, 422, " ".join(errors.values()))

    async def make() -> Made:
        return lambda _: UnpackParcel(
            shop=context.shop, order_id=order.id, parcel_id=parcel_id, actor=context.actor
        )

    flash = gettext("A parcel of order %(code)s is taken apart.", code=order.shown.code)
    return await _carry_out(context, order, form, make, Queue.TO_SHIP, flash, again)


async def _begun(context: PageContext) -> tuple[Form, OrderRead]:
    form, order = await context.form(), await read_order(context)
    context.field_labels = words.FIELD_LABELS
    return form, order


async def _carry_out(
    context: PageContext,
    order: OrderRead,
    form: Form,
    make: Callable[[], Awaitable[Made]],
    queue: Queue,
    flash: str,
    again: Callable[[Mapping[str, str]], Any],
) -> Response:
    """Send the form's command once; go back to the queue, or show the form with the reason. Raises Stale."""
    try:
        await require_fresh(context, order, form)
        outcome = await send(context, order.id, form, await make())
    except Invalid as invalid:
        response: Response = await again(beside(invalid.errors))
        response.status_code = 422
        return response
    return await answer(
        context, outcome, form, to=queue.path, flash=flash, again=lambda errors: again(beside(errors))
    )


def _shipping(context: PageContext, order: OrderRead, errors: Mapping[str, str]) -> Response:
    parcels = [order.shown.parcels[index] for index in steps.parcels_to_ship(order.shown)]
    return context.render("parcels/ship.html", parcels=parcels, **_shown(context, order, errors))


def _delivering(context: PageContext, order: OrderRead, errors: Mapping[str, str]) -> Response:
    shipment = _shipment(context, order)
    arrival = next((one for one in order.shown.deliveries if one.shipment_id == shipment.shipment_id), None)
    return context.render(
        "parcels/deliver.html", shipment=shipment, arrival=arrival, **_shown(context, order, errors)
    )


def _shipment(context: PageContext, order: OrderRead) -> Any:
    """Return the shipment that the path names. Raises Missing."""
    wanted = context.path_uuid("shipment")
    found = next((one for one in order.shown.shipments if one.shipment_id == wanted), None)
    if found is None:
        raise Missing
    return found


def _shown(context: PageContext, order: OrderRead, errors: Mapping[str, str]) -> dict[str, Any]:
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
        "today": datetime.now(UTC).astimezone(context.speech.zone).date().isoformat(),
        "day_of": read_day,
        "words": words,
    }
