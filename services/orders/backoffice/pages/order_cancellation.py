"""Cancelling an order: first what it would do to money, stock and parcels, then the command.

What is shown is counted from what is known here and changes nothing; only fulfillment knows what has left, so the
command's outcome may differ by that, and the page waits for it.
"""

from collections.abc import Mapping

from starlette.responses import Response

from services.orders import change_commands, previewing
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.commanding import answer, key_of, wait_for
from services.orders.backoffice.forms import Invalid
from services.orders.backoffice.order_page import words
from services.orders.backoffice.order_page.reading import OrderRead, read_order
from services.orders.backoffice.order_page.steps import may_be_cancelled
from services.orders.backoffice.reasons import explain
from services.orders.backoffice.routing import Pages
from services.orders.backoffice.translating import gettext
from services.orders.backoffice.visit import Visit
from services.orders.requesting_edits import CancellationAsked

pages = Pages()


@pages.get("/orders/{order}/cancellation", Permission.ORDERS_CANCEL)
async def show_cancellation(visit: Visit) -> Response:
    """What cancelling the order would do."""
    return await _show(visit, await read_order(visit), {})


@pages.post("/orders/{order}/cancellation", Permission.ORDERS_CANCEL, action="order.cancel")
async def cancel(visit: Visit) -> Response:
    """Cancel all of the order that has not left."""
    form, order = await visit.form(), await read_order(visit)
    visit.field_labels = words.FIELD_LABELS
    visit.about(order.id)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _show(visit, await read_order(visit), errors)

    try:
        asked = form.model(CancellationAsked, revision=form.revision, reason=form.text("reason", 2000))
        asking = change_commands.cancel(visit.shop, order.id, key_of(form), visit.actor, asked)
    except Invalid as invalid:
        return await again(invalid.errors)
    sent = await change_commands.send(visit.office.hub, asking)
    outcome = await wait_for(visit, sent.command_id)
    to, flash = f"/orders/{order.shown.code}", gettext("What had not left is cancelled.")
    return await answer(visit, outcome, form, to=to, flash=flash, again=again)


async def _show(visit: Visit, order: OrderRead, errors: Mapping[str, str]) -> Response:
    shown = order.shown
    if not may_be_cancelled(shown):
        return visit.redirect(
            f"/orders/{shown.code}", gettext("There is nothing to cancel about this order."), "note"
        )
    preview = await previewing.preview_cancellation(visit.office.hub, visit.shop, order.id)
    return visit.render(
        "order/cancellation.html",
        422 if errors else 200,
        order=shown,
        preview=preview,
        against=[explain(reason) for reason in preview.reasons],
        descriptions={line.line: line.description for line in shown.lines},
        errors=errors,
        typed=visit.form_read,
    )
