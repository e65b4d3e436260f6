"""The page of one order: all its data, and the actions that orders itself carries out.

Comments, statuses, tags and the archive are changed here in one unit of work, once per form; commands to
other services are in `backoffice/order/command_pages.py`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, time
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.fulfillment import RecordDelivery
from contracts.message import Reason
from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain, explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import words
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.sending import id_typed
from services.orders.backoffice.order.showing import render, show_again
from services.orders.backoffice.order.steps import on_the_way
from services.orders.backoffice.web.actions.commanding import send
from services.orders.backoffice.web.actions.doing import do
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import PageContext
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal
from services.orders.order.shop.colours import Colour
from services.orders.order.unit.actions import OrderResult
from services.orders.staff import archiving, commenting, tagging
from services.orders.staff.updating_status import StatusUpdate, update_status

pages = Pages()
Act = Callable[[Unit], Awaitable[Any]]


@pages.get("/orders/{order}", Permission.ORDERS_VIEW)
async def show_order(context: PageContext) -> Response:
    """Show the order by its code or id."""
    return render(context, await read_order(context), corrected=context.query.get("correct", "")[:36])


@pages.post("/orders/{order}/comment", Permission.ORDERS_COMMENT, action="order.comment")
async def add_comment(context: PageContext) -> Response:
    """Add a comment for the team."""
    order, form = await _begun(context)

    async def act(unit: Unit) -> UUID:
        corrected = id_typed(form, "counters") if form["counters"] else None
        return await commenting.comment(
            unit, context.shop, order.id, form["admin_comment"], context.actor, counters=corrected
        )

    return await _done(context, order, form, "comment", act, gettext("The comment is added."), "activity")


@pages.post("/orders/{order}/status", Permission.ORDERS_STATUS, action="order.status")
async def change_status(context: PageContext) -> Response:
    """Set the order's status, informing its customer only if that is ticked."""
    order, form = await _begun(context)

    async def act(unit: Unit) -> Any:
        return await update_status(
            unit,
            context.shop,
            order.id,
            _status_update(form),
            context.actor,
            may_force=context.may(Permission.ORDERS_FORCE),
            revision=form.revision,
        )

    answer = await _done(context, order, form, "status", act, gettext("The status is updated."), "status")
    if form.ticked("delivered") and answer.status_code in (200, 303) and context.may(Permission.PARCELS_SHIP):
        await _note_deliveries(context, order, form)
    return answer


async def _note_deliveries(context: PageContext, order: OrderRead, form: Form) -> None:
    """Record the delivery of shipments in transit, once per form; fulfillment answers later."""
    today = context.speech.now.astimezone(context.speech.zone).date()
    arrived = datetime.combine(today, time(12), context.speech.zone)
    for shipment in on_the_way(order.shown):

        def made(_: UUID, shipment_id: UUID = shipment) -> RecordDelivery:
            about = {"shop": context.shop, "order_id": order.id, "shipment_id": shipment_id}
            return RecordDelivery(**about, delivered_at=arrived, actor=context.actor)

        await send(context, order.id, form, made, f"-{shipment}")


@pages.post("/orders/{order}/tagging", Permission.ORDERS_TAG, action="order.tag")
async def add_tag(context: PageContext) -> Response:
    """Add a tag to the order; a tag that does not exist yet is created."""
    order, form = await _begun(context)

    async def act(unit: Unit) -> Any:
        colour = Colour(form["colour"]) if form["colour"] in list(Colour) else Colour.GREY
        tag = await tagging.create_tag(unit, context.shop, form["name"], colour, context.actor)
        await tagging.tag_orders(unit, context.shop, [order.id], [tag.id], context.actor)

    return await _done(context, order, form, "tag", act, gettext("The tag is on the order."), "tags")


@pages.post("/orders/{order}/untagging", Permission.ORDERS_TAG, action="order.untag")
async def remove_tag(context: PageContext) -> Response:
    """Remove a tag from the order."""
    order, form = await _begun(context)

    async def act(unit: Unit) -> Any:
        found = [tag.tag_id for tag in order.shown.tags if str(tag.tag_id) == form["tag"]]
        return await tagging.untag_orders(unit, context.shop, [order.id], found, context.actor)

    return await _done(context, order, form, "tag", act, gettext("The tag is taken off."), "tags")


@pages.post("/orders/{order}/archive", Permission.ORDERS_ARCHIVE, action="order.archive")
async def archive(context: PageContext) -> Response:
    """Archive the finished order."""
    return await _move(context, archiving.archive, gettext("The order is archived."))


@pages.post("/orders/{order}/unarchive", Permission.ORDERS_ARCHIVE, action="order.unarchive")
async def unarchive(context: PageContext) -> Response:
    """Unarchive the order."""
    return await _move(context, archiving.unarchive, gettext("The order is back in the active list."))


async def _move(
    context: PageContext, act: Callable[..., Awaitable[list[OrderResult]]], flash: str
) -> Response:
    order, form = await _begun(context)
    results = await do(context, form, lambda unit: act(unit, context.shop, [order.id], context.actor))
    for result in results or []:
        if not result.changed:
            reason = Reason(code=result.reason or "refused", message=result.detail or "")
            return await show_again(context, "archive", {"": explain(reason)})
    return context.redirect(f"/orders/{order.shown.code}", flash)


async def _begun(context: PageContext) -> tuple[OrderRead, Form]:
    """Return the order and the form of an action. Raises Missing."""
    form, order = await context.form(), await read_order(context)
    context.field_labels = words.FIELD_LABELS
    context.about(order.id)
    return order, form


async def _done(
    context: PageContext, order: OrderRead, form: Form, section: str, act: Act, flash: str, anchor: str
) -> Response:
    """Carry out an action once: redirect to the page, or show the form again with the reason. Raises Stale."""
    try:
        await do(context, form, act)
    except Stale:
        raise
    except Refusal as refusal:
        return await show_again(context, section, {"": explain_refusal(refusal)})
    except Invalid as invalid:
        return await show_again(context, section, invalid.errors)
    return context.redirect(f"/orders/{order.shown.code}#{anchor}", flash)


def _status_update(form: Form) -> StatusUpdate:
    return StatusUpdate(
        label=form["label"],
        notify_customer=form.ticked("notify_customer"),
        public_comment=form["public_comment"].strip() or None,
        admin_comment=form["admin_comment"].strip() or None,
        force=form.ticked("force"),
        reason=form["reason"].strip() or None,
    )
