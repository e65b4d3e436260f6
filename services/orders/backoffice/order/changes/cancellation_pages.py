"""Cancellation of an order and its reversal: a preview of money, stock and parcels, then the command.

The preview is computed from orders' own data and changes nothing; only fulfillment has the current shipments
and stock, so the command's outcome may differ in these, and the page waits for it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.chassis.runtime.hub import Hub
from services.orders.api.actions import change_commands
from services.orders.api.actions.change_commands import ChangeRequest
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain, explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import words
from services.orders.backoffice.order.changes.mail_choice import LONGEST_COMMENT, mail_shown, told_asked
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.sending import beside, changed_once
from services.orders.backoffice.order.steps import may_be_cancelled, may_be_reinstated
from services.orders.backoffice.web.actions.commanding import answer, key_of
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import PageContext
from services.orders.changes import previewing
from services.orders.changes.requests import CancellationRequest, ReinstatementRequest
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal

pages = Pages()
Show = Callable[[PageContext, OrderRead, Mapping[str, str]], Awaitable[Response]]
Ask = Callable[[OrderRead, Form], ChangeRequest]
Look = Callable[[Hub, str, UUID], Awaitable[previewing.Preview]]


@pages.get("/orders/{order}/cancellation", Permission.ORDERS_CANCEL)
async def show_cancellation(context: PageContext) -> Response:
    """Show the effects of cancelling the order."""
    return await _show_cancellation(context, await read_order(context), {})


@pages.post("/orders/{order}/cancellation", Permission.ORDERS_CANCEL, action="order.cancel")
async def cancel(context: PageContext) -> Response:
    """Cancel everything in the order that has not been shipped."""

    def ask(order: OrderRead, form: Form) -> ChangeRequest:
        told = told_asked(form)
        asked = form.model(
            CancellationRequest, revision=form.revision, reason=form.text("reason", 2000), **told
        )
        return change_commands.cancel(context.shop, order.id, key_of(form), context.actor, asked)

    return await _carry_out(context, ask, _show_cancellation, gettext("What had not left is cancelled."))


@pages.post("/orders/{order}/cancellation-mail", Permission.ORDERS_CANCEL, action="order.cancel.preview_mail")
async def preview_mail(context: PageContext) -> Response:
    """Show the mail that would inform the customer of the cancellation."""
    form, order = await context.form(), await read_order(context)
    context.about(order.id)
    context.outcome = "previewed"
    comment = form["public_comment"].strip()[:LONGEST_COMMENT] or None
    mail = await mail_shown(context, order, "order_cancelled", {"public_comment": comment})
    if context.target == "mail_preview":
        return context.render("order/mail_preview.html", mail=mail)
    return await _show_cancellation(context, order, {}, mail)


@pages.get("/orders/{order}/reinstatement", Permission.ORDERS_CANCEL)
async def show_reinstatement(context: PageContext) -> Response:
    """Show the effects of reinstating the order."""
    return await _show_reinstatement(context, await read_order(context), {})


@pages.post("/orders/{order}/reinstatement", Permission.ORDERS_CANCEL, action="order.reinstate")
async def reinstate(context: PageContext) -> Response:
    """Reverse the cancellation, if there is stock for all of it."""

    def ask(order: OrderRead, form: Form) -> ChangeRequest:
        asked = form.model(ReinstatementRequest, revision=form.revision, reason=form.text("reason", 2000))
        return change_commands.reinstate(context.shop, order.id, key_of(form), context.actor, asked)

    return await _carry_out(context, ask, _show_reinstatement, gettext("The order is reinstated."))


async def _carry_out(context: PageContext, ask: Ask, show: Show, flash: str) -> Response:
    form, order = await context.form(), await read_order(context)
    context.field_labels = words.FIELD_LABELS

    async def again(errors: Mapping[str, str]) -> Response:
        return await show(context, await read_order(context), beside(errors))

    try:
        asking = ask(order, form)
    except Invalid as invalid:
        return await again(invalid.errors)
    outcome = await changed_once(context, order.id, asking)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    return await answer(context, outcome, form, to=f"/orders/{order.shown.code}", flash=flash, again=again)


async def _show_cancellation(
    context: PageContext, order: OrderRead, errors: Mapping[str, str], mail: Any = None
) -> Response:
    if not errors and not may_be_cancelled(order.shown):
        why = gettext("There is nothing to cancel about this order.")
        return context.redirect(f"/orders/{order.shown.code}", why, "note")
    look = previewing.preview_cancellation
    return await _show(context, order, errors, "order/cancellation.html", look, mail)


async def _show_reinstatement(context: PageContext, order: OrderRead, errors: Mapping[str, str]) -> Response:
    if not errors and not may_be_reinstated(order.shown):
        why = gettext("Only a cancelled order can be reinstated.")
        return context.redirect(f"/orders/{order.shown.code}", why, "note")
    return await _show(context, order, errors, "order/reinstatement.html", previewing.preview_reinstatement)


async def _show(
    context: PageContext,
    order: OrderRead,
    errors: Mapping[str, str],
    template: str,
    look: Look,
    mail: Any = None,
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
        errors=errors,
        typed=context.form_read,
        mail=mail,
    )
