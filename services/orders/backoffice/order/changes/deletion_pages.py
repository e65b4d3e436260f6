"""Permanent deletion of an order: obstacles, confirmation by its code, and a final page outside the order.

Orders with money, with a tracking number or completed matter to accounting and to customers: deleting them
requires a separate permission. A deletion removes the order's other commands, so a repeated form is answered
from the deletion.
"""

from starlette.responses import Response

from services.chassis.texts import trimmed
from services.orders.api.actions import change_actions
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.reasons import explain, explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import store
from services.orders.backoffice.order.facts import read_facts
from services.orders.backoffice.order.showing import beside
from services.orders.backoffice.web.actions.action import Errors, answer, carry_out, key_of, wait_for
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.changes import previewing
from services.orders.changes.requests import DeletionRequest
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal
from services.orders.order.short_code import read_code

pages = Pages()
AFTERWARDS = "/orders"


async def _show(context: PageContext, errors: Errors) -> Response:
    order, reasons, blocked = await read_facts(context), list[str](), ""
    try:
        found = await previewing.reasons_against_deletion(context.app_state.hub, context.shop, order.id)
        reasons = [explain(reason) for reason in found]
    except Stale:
        raise
    except Refusal as refusal:
        blocked = explain_refusal(refusal)
    return context.render(
        "order/deletion.html",
        422 if errors else 200,
        order=order,
        reasons=reasons,
        blocked=blocked,
        may_force=context.may(Permission.ORDERS_DELETE_PAID),
        errors=beside(errors),
        typed=context.form_read,
    )


@pages.get("/orders/{order}/deletion", Permission.ORDERS_DELETE)
async def show_deletion(context: PageContext) -> Response:
    """Show the effects of deleting the order, and the obstacles."""
    return await _show(context, {})


@pages.post("/orders/{order}/deletion", Permission.ORDERS_DELETE, action="order.delete", again=_show)
async def delete(context: PageContext) -> Response:
    """Delete the order, once its code was typed."""
    form = context.form_read
    try:
        order = await read_facts(context)
    except Missing:
        return await _answer_repeat(context)
    if read_code(form["code"]) != order.code:
        raise Invalid(code=gettext("Enter the code of this order: %(code)s.", code=order.code))
    request = form.model(DeletionRequest, revision=form.revision, reason=trimmed(form["reason"]))
    force = form.ticked("force") and context.may(Permission.ORDERS_DELETE_PAID)
    action = change_actions.delete(context.shop, order.id, key_of(form), context.actor, request, force=force)
    return await carry_out(context, action, to=AFTERWARDS, flash=_flash(order.code))


async def _answer_repeat(context: PageContext) -> Response:
    """Answer a repeat of the form that deleted the order. Raises Missing when it was another form."""
    async with context.reading() as connection:
        command_id = await store.command_of(connection, context.shop, key_of(context.form_read))
    if command_id is None:
        raise Missing
    outcome = await wait_for(context, command_id)
    return answer(context, outcome, to=AFTERWARDS, flash=_flash(read_code(context.path("order")) or ""))


def _flash(code: str) -> str:
    return gettext("Order %(code)s deleted.", code=code)
