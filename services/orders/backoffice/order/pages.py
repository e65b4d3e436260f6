"""The page of one order: all its data, and the actions that orders itself carries out.

Comments, statuses, tags and the archive are changed here in one unit of work, once per form; commands to
other services are in `backoffice/order/command_pages.py`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, time
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.fulfillment.shipments import RecordDelivery
from contracts.message import Reason
from services.chassis.messaging.unit import Unit
from services.chassis.texts import trimmed
from services.orders.api.actions.action import Action
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import store
from services.orders.backoffice.order.facts import read_facts
from services.orders.backoffice.order.form_requests import id_typed
from services.orders.backoffice.order.reading import read_order
from services.orders.backoffice.order.showing import again, invoicing_of, render
from services.orders.backoffice.web.actions.action import carry_out, command, do, perform
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.shop.colours import Colour
from services.orders.order.unit.actions import OrderResult
from services.orders.staff import archiving, commenting, tagging
from services.orders.staff.status_update import StatusUpdate
from services.orders.staff.updating_status import update_status

pages = Pages()


@pages.get("/orders/{order}", Permission.ORDERS_VIEW)
async def show_order(context: PageContext) -> Response:
    """Show the order by its code or id."""
    order = await read_order(context)
    state = await invoicing_of(context, order)
    return render(context, order, corrected=context.query.get("correct", "")[:36], invoicing=state)


@pages.post(
    "/orders/{order}/comment", Permission.ORDERS_COMMENT, action="order.comment", again=again("comment")
)
async def add_comment(context: PageContext) -> Response:
    """Add a comment for the team."""
    order, form = await read_facts(context), context.form_read

    async def act(unit: Unit) -> UUID:
        corrected = id_typed(form, "counters") if form["counters"] else None
        return await commenting.comment(
            unit, context.shop, order.id, form["admin_comment"], context.actor, counters=corrected
        )

    to = f"/orders/{order.code}#activity"
    return await carry_out(context, act, to=to, flash=gettext("Comment added."))


@pages.post("/orders/{order}/status", Permission.ORDERS_STATUS, action="order.status", again=again("status"))
async def change_status(context: PageContext) -> Response:
    """Set the order's status, informing its customer only if that is ticked."""
    order, form = await read_facts(context), context.form_read

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

    to = f"/orders/{order.code}#status"
    response = await carry_out(context, act, to=to, flash=gettext("Status updated."))
    if form.ticked("delivered") and context.may(Permission.PARCELS_SHIP):
        await _record_deliveries(context, order.id)
    return response


async def _record_deliveries(context: PageContext, order_id: UUID) -> None:
    """Record the delivery of shipments in transit, once per form; fulfillment answers later."""
    async with context.reading() as connection:
        shipments = await store.read_on_the_way(connection, context.shop, order_id)
    today = context.locale.now.astimezone(context.locale.zone).date()
    arrived = datetime.combine(today, time(12), context.locale.zone)

    def delivery(shipment_id: UUID) -> Action:
        about = {"shop": context.shop, "order_id": order_id, "shipment_id": shipment_id}
        return command(
            context,
            order_id,
            lambda _: RecordDelivery(**about, delivered_at=arrived, actor=context.actor),
            f"-{shipment_id}",
        )

    for shipment_id in shipments:
        await perform(context, delivery(shipment_id))


@pages.post("/orders/{order}/tagging", Permission.ORDERS_TAG, action="order.tag", again=again("tag"))
async def add_tag(context: PageContext) -> Response:
    """Add a tag to the order; a tag that does not exist yet is created."""
    order, form = await read_facts(context), context.form_read

    async def act(unit: Unit) -> Any:
        colour = Colour(form["colour"]) if form["colour"] in list(Colour) else Colour.GREY
        tag = await tagging.create_tag(unit, context.shop, form["name"], colour, context.actor)
        await tagging.tag_orders(unit, context.shop, [order.id], [tag.id], context.actor)

    to = f"/orders/{order.code}#tags"
    return await carry_out(context, act, to=to, flash=gettext("Tag added to the order."))


@pages.post("/orders/{order}/untagging", Permission.ORDERS_TAG, action="order.untag", again=again("tag"))
async def remove_tag(context: PageContext) -> Response:
    """Remove a tag from the order."""
    order, form = await read_facts(context), context.form_read

    async def act(unit: Unit) -> Any:
        here = await tagging.tags_of_orders(unit.connection, context.shop, [order.id])
        found = [tag.id for tag in here.get(order.id, []) if str(tag.id) == form["tag"]]
        return await tagging.untag_orders(unit, context.shop, [order.id], found, context.actor)

    to = f"/orders/{order.code}#tags"
    return await carry_out(context, act, to=to, flash=gettext("Tag removed."))


@pages.post(
    "/orders/{order}/archive", Permission.ORDERS_ARCHIVE, action="order.archive", again=again("archive")
)
async def archive(context: PageContext) -> Response:
    """Archive the finished order."""
    return await _move(context, archiving.archive, gettext("Order archived."))


@pages.post(
    "/orders/{order}/unarchive", Permission.ORDERS_ARCHIVE, action="order.unarchive", again=again("archive")
)
async def unarchive(context: PageContext) -> Response:
    """Unarchive the order."""
    return await _move(context, archiving.unarchive, gettext("Order moved back to the active list."))


async def _move(
    context: PageContext, act: Callable[..., Awaitable[list[OrderResult]]], flash: str
) -> Response:
    order = await read_facts(context)
    results = await do(context, lambda unit: act(unit, context.shop, [order.id], context.actor))
    for result in results or []:
        if not result.changed:
            reason = Reason(code=result.reason or "refused", message=result.detail or "")
            raise Invalid(**{"": explain(reason)})
    return context.redirect(f"/orders/{order.code}", flash)


def _status_update(form: Form) -> StatusUpdate:
    return StatusUpdate(
        label=form["label"],
        notify_customer=form.ticked("notify_customer"),
        public_comment=trimmed(form["public_comment"]) or None,
        admin_comment=trimmed(form["admin_comment"]) or None,
        force=form.ticked("force"),
        reason=trimmed(form["reason"]) or None,
    )
