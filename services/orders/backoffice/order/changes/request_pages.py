"""A customer's request to cancel: accepted by cancelling the order, or declined with a reason for the customer."""

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.facts import read_facts
from services.orders.backoffice.order.reading import read_order
from services.orders.backoffice.order.showing import beside
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.attention import CANCELLATION_REQUESTED
from services.orders.order.cancellation import REQUESTED
from services.orders.staff.declining import decline

pages = Pages()


async def _show(context: PageContext, errors: Errors) -> Response:
    order = await read_order(context)
    if not errors and CANCELLATION_REQUESTED not in order.shown.flags:
        why = gettext("This order has no open cancellation request.")
        return context.redirect(f"/orders/{order.shown.code}", why, "note")
    request = next((one for one in order.history if one.kind == REQUESTED), None)
    return context.render(
        "order/cancellation_request.html",
        422 if errors else 200,
        order=order.shown,
        request=request,
        errors=beside(errors),
        typed=context.form_read,
    )


@pages.get("/orders/{order}/cancellation-request", Permission.ORDERS_CANCEL)
async def show_request(context: PageContext) -> Response:
    """Show the customer's request, and the two ways to answer it."""
    return await _show(context, {})


@pages.post(
    "/orders/{order}/cancellation-request",
    Permission.ORDERS_CANCEL,
    action="order.decline_cancellation",
    again=_show,
)
async def decline_request(context: PageContext) -> Response:
    """Decline the request; the customer gets a mail with the reason."""
    order, form = await read_facts(context), context.form_read

    async def act(unit: Unit) -> None:
        await decline(unit, context.shop, order.id, form["reason"], context.actor)

    flash = gettext("Request declined. The customer gets a mail with the reason.")
    return await carry_out(context, act, to=f"/orders/{order.code}", flash=flash)
