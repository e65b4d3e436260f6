"""Erasure of a customer: the data erased and kept, the confirmation by the order's code, and the proof."""

import json
from uuid import UUID

from starlette.responses import Response

from contracts.catalogue import SERVICES
from contracts.orders.erasure import MOST_ORDERS
from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.customers.pages import read_customer
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.actions.action import Errors, do
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.erasure import requesting
from services.orders.order.short_code import read_code

pages = Pages()
LONGEST_REASON = 500
MOST_SHOWN = 200


async def _show(context: PageContext, errors: Errors) -> Response:
    async with context.reading() as connection:
        customer = await read_customer(context, connection)
        latest = customer.orders[0]
        found = await requesting.find_orders(connection, context.shop, latest["order_id"])
    return context.render(
        "customers/erasure.html",
        422 if errors else 200,
        customer=customer,
        code=latest["code"],
        orders=found,
        running=requesting.running(found),
        most_orders=MOST_ORDERS,
        most_shown=MOST_SHOWN,
        typed=context.form_read,
        errors=errors,
    )


@pages.get("/customers/{order}/erasure", Permission.CUSTOMERS_ERASE)
async def show_erasure(context: PageContext) -> Response:
    """Show which data would be erased and which kept."""
    return await _show(context, {})


@pages.post("/customers/{order}/erasure", Permission.CUSTOMERS_ERASE, action="customer.erase", again=_show)
async def erase(context: PageContext) -> Response:
    """Erase the customer, once the order's code was typed."""
    form = context.form_read
    async with context.reading() as connection:
        order_id, code = await requesting.find_named(connection, context.shop, context.path("order"))
    if order_id is None:
        raise Missing
    if read_code(form["code"]) != code:
        raise Invalid(code=gettext("Enter the code of this order: %(code)s.", code=code))
    reason = form.text("reason", longest=LONGEST_REASON)
    if reason is None:
        raise Invalid(reason=gettext("Enter the reason: who asked, and when."))
    context.about(order_id)

    async def act(unit: Unit) -> list[UUID]:
        return await _request(context, unit, order_id, reason)

    begun = await do(context, act) or []
    to = f"/customers/erasures/{begun[0]}" if len(begun) == 1 else "/customers/erasures"
    return context.redirect(to, gettext("Erasure started."))


async def _request(context: PageContext, unit: Unit, order_id: UUID, reason: str) -> list[UUID]:
    """Begin the erasure. Raises Invalid with the reasons against it."""
    with_running = context.form_read.ticked("running")
    try:
        return await requesting.request(
            unit, context.shop, order_id, context.actor, reason, with_running=with_running
        )
    except requesting.NothingToErase:
        raise Invalid(**{"": gettext("This customer was already erased.")}) from None
    except requesting.OrdersRunning:
        text = gettext(
            "Some orders are still open. Finish or cancel them, or tick the box to erase them too."
        )
        raise Invalid(**{"": text}) from None


@pages.get("/customers/erasures", Permission.ORDERS_PERSONAL)
async def show_erasures(context: PageContext) -> Response:
    """Show the shop's erasures, the latest first."""
    async with context.reading() as connection:
        rows = await requesting.list_erasures(connection, context.shop, MOST_SHOWN)
    return context.render("customers/erasures.html", erasures=rows, services=len(SERVICES))


@pages.get("/customers/erasures/{erasure}", Permission.ORDERS_PERSONAL)
async def show_proof(context: PageContext) -> Response:
    """Show the proof of an erasure."""
    erasure_id = context.path_uuid("erasure")
    async with context.reading() as connection:
        erasure = await requesting.read_erasure(connection, context.shop, erasure_id)
        if erasure is None:
            raise Missing
        rows = await requesting.read_reports(connection, erasure_id)
    reports = {row["service"]: {**row, "counts": json.loads(row["counts"])} for row in rows}
    return context.render("customers/proof.html", erasure=erasure, reports=reports, services=SERVICES)
