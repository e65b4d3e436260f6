"""Cancellation of an order and its reversal: a preview of money, stock and parcels, then the command.

The preview is computed from orders' own data and changes nothing; only fulfillment has the current shipments and
stock, so the command's outcome may differ, and the page waits for it.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.responses import Response

from services.chassis.runtime.hub import Hub
from services.chassis.texts import trimmed
from services.orders.api.actions import change_actions
from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.reasons import explain, explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.changes.mail_choice import (
    LONGEST_COMMENT,
    mail_shown,
    notification_request,
)
from services.orders.backoffice.order.facts import read_facts
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.showing import beside
from services.orders.backoffice.order.steps import may_be_cancelled, may_be_reinstated
from services.orders.backoffice.web.actions.action import Errors, carry_out, key_of
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.changes import previewing
from services.orders.changes.requests import CancellationRequest, ReinstatementRequest
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal

pages = Pages()
Look = Callable[[Hub, str, UUID], Awaitable[previewing.Preview]]


async def _show_cancellation(
    context: PageContext, errors: Errors, mail: Answer | ServiceUnavailable | None = None
) -> Response:
    order = await read_order(context)
    if not errors and not may_be_cancelled(order.shown):
        why = gettext("Nothing in this order can be cancelled.")
        return context.redirect(f"/orders/{order.shown.code}", why, "note")
    look = previewing.preview_cancellation
    return await _show(context, order, errors, "order/cancellation.html", look, mail)


async def _show_reinstatement(context: PageContext, errors: Errors) -> Response:
    order = await read_order(context)
    if not errors and not may_be_reinstated(order.shown):
        why = gettext("Only a cancelled order can be reinstated.")
        return context.redirect(f"/orders/{order.shown.code}", why, "note")
    return await _show(context, order, errors, "order/reinstatement.html", previewing.preview_reinstatement)


async def _show(
    context: PageContext,
    order: OrderRead,
    errors: Errors,
    template: str,
    look: Look,
    mail: Answer | ServiceUnavailable | None = None,
) -> Response:
    """Render the page. An obstacle to the whole action removes the form; a rejection keeps it."""
    preview, against = None, list[str]()
    try:
        preview = await look(context.app_state.hub, context.shop, order.id)
        against = [explain(reason) for reason in preview.reasons]
    except Stale:
        raise
    except Refusal as refusal:
        against = [explain_refusal(refusal)]
    return context.render(
        template,
        422 if errors else 200,
        order=order.shown,
        preview=preview,
        against=against,
        descriptions={line.line: line.description for line in order.shown.lines},
        errors=beside(errors),
        typed=context.form_read,
        mail=mail,
    )


@pages.get("/orders/{order}/cancellation", Permission.ORDERS_CANCEL)
async def show_cancellation(context: PageContext) -> Response:
    """Show the effects of cancelling the order."""
    return await _show_cancellation(context, {})


@pages.post(
    "/orders/{order}/cancellation",
    Permission.ORDERS_CANCEL,
    action="order.cancel",
    again=_show_cancellation,
)
async def cancel(context: PageContext) -> Response:
    """Cancel everything in the order that has not been shipped."""
    order, form = await read_facts(context), context.form_read
    notification, reason = notification_request(form), form.text("reason", 2000)
    request = form.model(CancellationRequest, revision=form.revision, reason=reason, **notification)
    action = change_actions.cancel(context.shop, order.id, key_of(form), context.actor, request)
    flash = gettext("Everything not yet shipped was cancelled.")
    return await carry_out(context, action, to=f"/orders/{order.code}", flash=flash)


@pages.post(
    "/orders/{order}/cancellation-mail",
    Permission.ORDERS_CANCEL,
    action="order.cancel.preview_mail",
    kept=_show_cancellation,
)
async def preview_mail(context: PageContext) -> Response:
    """Show the mail that would inform the customer of the cancellation."""
    form, order = await context.form(), await read_order(context)
    context.about(order.id)
    context.outcome = "previewed"
    comment = trimmed(form["public_comment"])[:LONGEST_COMMENT] or None
    mail = await mail_shown(context, order.shown, "order_cancelled", {"public_comment": comment})
    if context.target == "mail_preview":
        return context.render("order/mail_preview.html", mail=mail)
    return await _show_cancellation(context, {}, mail)


@pages.get("/orders/{order}/reinstatement", Permission.ORDERS_CANCEL)
async def show_reinstatement(context: PageContext) -> Response:
    """Show the effects of reinstating the order."""
    return await _show_reinstatement(context, {})


@pages.post(
    "/orders/{order}/reinstatement",
    Permission.ORDERS_CANCEL,
    action="order.reinstate",
    again=_show_reinstatement,
)
async def reinstate(context: PageContext) -> Response:
    """Reverse the cancellation, if there is stock for all of it."""
    order, form = await read_facts(context), context.form_read
    request = form.model(ReinstatementRequest, revision=form.revision, reason=form.text("reason", 2000))
    action = change_actions.reinstate(context.shop, order.id, key_of(form), context.actor, request)
    return await carry_out(context, action, to=f"/orders/{order.code}", flash=gettext("Order reinstated."))
