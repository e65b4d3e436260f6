"""Permanent deletion of an order: obstacles, its code to be typed, and a final page outside the order.

Orders with money, with a tracking number or completed matter to accounting and to customers: deleting them
requires a separate permission. A deletion removes the order's other commands, so a repeated form is answered
from the deletion.
"""

from collections.abc import Mapping

from starlette.responses import Response

from services.orders.api.actions import change_commands
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain, explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import store, words
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.sending import beside, changed_once
from services.orders.backoffice.web.actions.commanding import Outcome, answer, key_of, wait_for
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, PageContext
from services.orders.changes import previewing
from services.orders.changes.requests import DeletionRequest
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal
from services.orders.order.short_code import read_code

pages = Pages()
AFTERWARDS = "/orders"


@pages.get("/orders/{order}/deletion", Permission.ORDERS_DELETE)
async def show_deletion(context: PageContext) -> Response:
    """Show the effects of deleting the order, and the obstacles."""
    return await _show(context, await read_order(context), {})


@pages.post("/orders/{order}/deletion", Permission.ORDERS_DELETE, action="order.delete")
async def delete(context: PageContext) -> Response:
    """Delete the order, once its code was typed."""
    form = await context.form()
    context.field_labels = words.FIELD_LABELS
    try:
        order = await read_order(context)
    except Missing:
        return await _gone_before(context, form)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _show(context, await read_order(context), beside(errors))

    outcome = await _begun(context, order, form)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    return await answer(context, outcome, form, to=AFTERWARDS, flash=_told(order.shown.code), again=again)


async def _begun(context: PageContext, order: OrderRead, form: Form) -> Outcome | Invalid:
    try:
        if read_code(form["code"]) != order.shown.code:
            raise Invalid(code=gettext("Type the code of this order: %(code)s.", code=order.shown.code))
        asked = form.model(DeletionRequest, revision=form.revision, reason=form["reason"].strip())
        force = form.ticked("force") and context.may(Permission.ORDERS_DELETE_PAID)
        asking = change_commands.delete(
            context.shop, order.id, key_of(form), context.actor, asked, force=force
        )
    except Invalid as invalid:
        return invalid
    return await changed_once(context, order.id, asking)


async def _gone_before(context: PageContext, form: Form) -> Response:
    """Answer a repeat of the form that deleted the order. Raises Missing when it was another form."""
    async with context.reading() as connection:
        command_id = await store.command_of(connection, context.shop, key_of(form))
    if command_id is None:
        raise Missing
    outcome = await wait_for(context, command_id)
    code = read_code(context.path("order")) or ""

    async def again(errors: Mapping[str, str]) -> Response:
        raise Missing

    return await answer(context, outcome, form, to=AFTERWARDS, flash=_told(code), again=again)


async def _show(context: PageContext, order: OrderRead, errors: Mapping[str, str]) -> Response:
    reasons, blocked = [], ""
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
        order=order.shown,
        reasons=reasons,
        blocked=blocked,
        may_force=context.may(Permission.ORDERS_DELETE_PAID),
        errors=errors,
        typed=context.form_read,
    )


def _told(code: str) -> str:
    return gettext("The order %(code)s is deleted.", code=code)
