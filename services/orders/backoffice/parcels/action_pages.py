"""What is done from the parcels pages: a parcel taken apart, parcels handed to a carrier, a delivery noted.

The same commands as on the order page, asked with the same rules (`order/asking.py`); whoever has done one is
back in the queue for the next.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
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
from services.orders.backoffice.order import steps, words
from services.orders.backoffice.order.asking import delivery_asked, shipment_asked
from services.orders.backoffice.order.reading import OrderRead, read_order, require_fresh
from services.orders.backoffice.parcels.pages import show_queue
from services.orders.backoffice.parcels.reading import Queue
from services.orders.backoffice.web.actions.commanding import answer, send
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, Visit

pages = Pages()
Made = Callable[[UUID], Command]


@pages.get("/parcels/ship/{order}", Permission.PARCELS_SHIP)
async def show_shipping(visit: Visit) -> Response:
    """The form that hands an order's parcels to a carrier."""
    return _shipping(visit, await read_order(visit), {})


@pages.post("/parcels/ship/{order}", Permission.PARCELS_SHIP, action="shipment.dispatch")
async def ship(visit: Visit) -> Response:
    """Hand the ticked parcels to a carrier."""
    form, order = await _begun(visit)

    async def again(errors: Mapping[str, str]) -> Response:
        return _shipping(visit, await read_order(visit), errors)

    def make() -> Made:
        asked = shipment_asked(order.shown, order.settings, form)
        return lambda made: asked.command(order.facts, visit.actor, made)

    flash = gettext("The parcels of order %(code)s are shipped.", code=order.shown.code)
    return await _carry_out(visit, order, form, make, Queue.TO_SHIP, flash, again)


@pages.get("/parcels/deliver/{order}/{shipment}", Permission.PARCELS_SHIP)
async def show_delivering(visit: Visit) -> Response:
    """The form that notes that a shipment arrived."""
    return _delivering(visit, await read_order(visit), {})


@pages.post("/parcels/deliver/{order}/{shipment}", Permission.PARCELS_SHIP, action="delivery.record")
async def deliver(visit: Visit) -> Response:
    """Record that a shipment arrived, and how that is known."""
    form, order = await _begun(visit)
    shipment_id = _shipment(visit, order).shipment_id

    async def again(errors: Mapping[str, str]) -> Response:
        return _delivering(visit, await read_order(visit), errors)

    def make() -> Made:
        asked = delivery_asked(form, visit.speech.zone)
        return lambda _: asked.command(order.facts, visit.actor, shipment_id)

    flash = gettext("The delivery of order %(code)s is recorded.", code=order.shown.code)
    return await _carry_out(visit, order, form, make, Queue.ON_THE_WAY, flash, again)


@pages.post("/parcels/unpack/{order}/{parcel}", Permission.PARCELS_PACK, action="parcel.unpack")
async def unpack(visit: Visit) -> Response:
    """Take a parcel apart that has not left."""
    form, order = await _begun(visit)
    parcel_id = visit.path_uuid("parcel")

    async def again(errors: Mapping[str, str]) -> Response:
        return await show_queue(visit, Queue.TO_SHIP, 422, " ".join(errors.values()))

    def make() -> Made:
        return lambda _: UnpackParcel(
            shop=visit.shop, order_id=order.id, parcel_id=parcel_id, actor=visit.actor
        )

    flash = gettext("A parcel of order %(code)s is taken apart.", code=order.shown.code)
    return await _carry_out(visit, order, form, make, Queue.TO_SHIP, flash, again)


async def _begun(visit: Visit) -> tuple[Form, OrderRead]:
    form, order = await visit.form(), await read_order(visit)
    visit.field_labels = words.FIELD_LABELS
    return form, order


async def _carry_out(
    visit: Visit,
    order: OrderRead,
    form: Form,
    make: Callable[[], Made],
    queue: Queue,
    flash: str,
    again: Callable[[Mapping[str, str]], Any],
) -> Response:
    """Send the form's command once: back to the queue, or the form with why not. Raises Stale."""
    try:
        await require_fresh(visit, order, form)
        outcome = await send(visit, order.id, form, make())
    except Invalid as invalid:
        response: Response = await again(invalid.errors)
        response.status_code = 422
        return response
    return await answer(visit, outcome, form, to=queue.path, flash=flash, again=again)


def _shipping(visit: Visit, order: OrderRead, errors: Mapping[str, str]) -> Response:
    parcels = [order.shown.parcels[index] for index in steps.parcels_to_ship(order.shown)]
    return visit.render("parcels/ship.html", parcels=parcels, **_shown(visit, order, errors))


def _delivering(visit: Visit, order: OrderRead, errors: Mapping[str, str]) -> Response:
    shipment = _shipment(visit, order)
    arrival = next((one for one in order.shown.deliveries if one.shipment_id == shipment.shipment_id), None)
    return visit.render(
        "parcels/deliver.html", shipment=shipment, arrival=arrival, **_shown(visit, order, errors)
    )


def _shipment(visit: Visit, order: OrderRead) -> Any:
    """The shipment that the path names. Raises Missing."""
    wanted = visit.path_uuid("shipment")
    found = next((one for one in order.shown.shipments if one.shipment_id == wanted), None)
    if found is None:
        raise Missing
    return found


def _shown(visit: Visit, order: OrderRead, errors: Mapping[str, str]) -> dict[str, Any]:
    form = visit.form_read if visit.request.method == "POST" else None

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
        "today": datetime.now(UTC).astimezone(visit.speech.zone).date().isoformat(),
        "day_of": read_day,
        "words": words,
    }
