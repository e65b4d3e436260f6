"""What the page of one order asks of payments and fulfillment: money taken in, parcels, shipments, deliveries.

Every form becomes a command, once; the page waits for its outcome and never shows money or goods before their owner
said so. A form made from an older state of the order is refused (`reading.require_fresh`).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.fulfillment import UnpackParcel
from contracts.message import Command
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.commanding import Outcome, answer, send
from services.orders.backoffice.forms import Form, Invalid
from services.orders.backoffice.order_page import words
from services.orders.backoffice.order_page.asking import (
    delivery_asked,
    parcels_asked,
    payment_asked,
    shipment_asked,
)
from services.orders.backoffice.order_page.reading import OrderRead, read_order, require_fresh
from services.orders.backoffice.order_page.showing import show_again
from services.orders.backoffice.routing import Pages
from services.orders.backoffice.translating import gettext
from services.orders.backoffice.visit import Visit

pages = Pages()
Made = Callable[[UUID], Command]
Make = Callable[[Visit, OrderRead, Form], list[Made]]


@pages.post("/orders/{order}/payment", Permission.PAYMENTS_RECORD, action="payment.record")
async def record_payment(visit: Visit) -> Response:
    """Take in a cheque, a transfer or cash, by the method the customer chose."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked = payment_asked(order.shown, form)
        return [lambda _: asked.command(order.facts, visit.actor)]

    return await _carry_out(visit, "payment", make, gettext("The payment is recorded."), "payment")


@pages.post("/orders/{order}/parcels", Permission.PARCELS_PACK, action="parcel.pack")
async def pack(visit: Visit) -> Response:
    """Build one parcel of all, one of chosen quantities, or one per unit."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        def command(asked: Any) -> Made:
            return lambda made: asked.command(order.facts, visit.actor, made)

        return [command(asked) for asked in parcels_asked(order.shown, form)]

    return await _carry_out(visit, "parcel", make, gettext("It is packed."), "parcels")


@pages.post("/orders/{order}/unpacking", Permission.PARCELS_PACK, action="parcel.unpack")
async def unpack(visit: Visit) -> Response:
    """Take a parcel apart that has not left."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        parcel = _id(form, "parcel")
        return [
            lambda _: UnpackParcel(shop=visit.shop, order_id=order.id, parcel_id=parcel, actor=visit.actor)
        ]

    return await _carry_out(visit, "unpack", make, gettext("The parcel is taken apart."), "parcels")


@pages.post("/orders/{order}/shipments", Permission.PARCELS_SHIP, action="shipment.dispatch")
async def ship(visit: Visit) -> Response:
    """Hand the ticked parcels to a carrier."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked = shipment_asked(order.shown, order.settings, form)
        return [lambda made: asked.command(order.facts, visit.actor, made)]

    return await _carry_out(visit, "shipment", make, gettext("The shipment is recorded."), "shipments")


@pages.post("/orders/{order}/deliveries", Permission.PARCELS_SHIP, action="delivery.record")
async def record_delivery(visit: Visit) -> Response:
    """Record that a shipment arrived, and how that is known."""

    def make(visit: Visit, order: OrderRead, form: Form) -> list[Made]:
        asked, shipment = delivery_asked(form, visit.speech.zone), _id(form, "shipment")
        return [lambda _: asked.command(order.facts, visit.actor, shipment)]

    return await _carry_out(visit, "delivery", make, gettext("The delivery is recorded."), "shipments")


async def _carry_out(visit: Visit, section: str, make: Make, flash: str, anchor: str) -> Response:
    """Send a form's commands, once each, and answer with how they ended."""
    form, order = await visit.form(), await read_order(visit)
    visit.field_labels = words.FIELD_LABELS

    async def again(errors: Mapping[str, str]) -> Response:
        return await show_again(visit, section, errors)

    try:
        await require_fresh(visit, order, form)
        commands = [
            send(visit, order.id, form, made, f"-{number}" if number else "")
            for number, made in enumerate(make(visit, order, form))
        ]
        outcomes = await asyncio.gather(*commands)
    except Invalid as invalid:
        return await again(invalid.errors)
    to = f"/orders/{order.shown.code}#{anchor}"
    return await answer(visit, _worst(outcomes), form, to=to, flash=flash, again=again)


def _worst(outcomes: list[Outcome]) -> Outcome:
    """The outcome of several commands of one form: refused or open when one of them is."""
    severity = ("done", "rejected", "pending", "parked")
    return max(outcomes, key=lambda one: severity.index(one.state))


def _id(form: Form, name: str) -> UUID:
    try:
        return UUID(form[name])
    except ValueError:
        raise Invalid(**{"": gettext("This form is incomplete. Open the page again.")}) from None
