"""Deleting an order for ever: what stands against it, its code to be typed, and a page to end on that is not its own.

Orders with money, a tracking number or completed ones keep books and customers company: they go only by a right of its
own. A deletion takes the order's other commands with it, so a form sent twice is answered by the one that deleted it.
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
from services.orders.backoffice.web.visit import Missing, Visit
from services.orders.changes import previewing
from services.orders.changes.requests import DeletionAsked
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal
from services.orders.order.short_code import read_code

pages = Pages()
AFTERWARDS = "/orders"


@pages.get("/orders/{order}/deletion", Permission.ORDERS_DELETE)
async def show_deletion(visit: Visit) -> Response:
    """What deleting would do, and what stands against it."""
    return await _show(visit, await read_order(visit), {})


@pages.post("/orders/{order}/deletion", Permission.ORDERS_DELETE, action="order.delete")
async def delete(visit: Visit) -> Response:
    """Delete the order, once its code was typed."""
    form = await visit.form()
    visit.field_labels = words.FIELD_LABELS
    try:
        order = await read_order(visit)
    except Missing:
        return await _gone_before(visit, form)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _show(visit, await read_order(visit), beside(errors))

    outcome = await _begun(visit, order, form)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    return await answer(visit, outcome, form, to=AFTERWARDS, flash=_told(order.shown.code), again=again)


async def _begun(visit: Visit, order: OrderRead, form: Form) -> Outcome | Invalid:
    try:
        if read_code(form["code"]) != order.shown.code:
            raise Invalid(code=gettext("Type the code of this order: %(code)s.", code=order.shown.code))
        asked = form.model(DeletionAsked, revision=form.revision, reason=form["reason"].strip())
        force = form.ticked("force") and visit.may(Permission.ORDERS_DELETE_PAID)
        asking = change_commands.delete(visit.shop, order.id, key_of(form), visit.actor, asked, force=force)
    except Invalid as invalid:
        return invalid
    return await changed_once(visit, order.id, asking)


async def _gone_before(visit: Visit, form: Form) -> Response:
    """This very form deleted it a moment ago. Raises Missing when it was not this form."""
    async with visit.reading() as connection:
        command_id = await store.command_of(connection, visit.shop, key_of(form))
    if command_id is None:
        raise Missing
    outcome = await wait_for(visit, command_id)
    code = read_code(visit.path("order")) or ""

    async def again(errors: Mapping[str, str]) -> Response:
        raise Missing

    return await answer(visit, outcome, form, to=AFTERWARDS, flash=_told(code), again=again)


async def _show(visit: Visit, order: OrderRead, errors: Mapping[str, str]) -> Response:
    reasons, blocked = [], ""
    try:
        found = await previewing.reasons_against_deletion(visit.office.hub, visit.shop, order.id)
        reasons = [explain(reason) for reason in found]
    except Stale:
        raise
    except Refusal as refusal:
        blocked = explain_refusal(refusal)
    return visit.render(
        "order/deletion.html",
        422 if errors else 200,
        order=order.shown,
        reasons=reasons,
        blocked=blocked,
        may_force=visit.may(Permission.ORDERS_DELETE_PAID),
        errors=errors,
        typed=visit.form_read,
    )


def _told(code: str) -> str:
    return gettext("The order %(code)s is deleted.", code=code)
