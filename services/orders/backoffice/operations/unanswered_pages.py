"""Commands without an answer: the command, its actor and time, and ending one with a reason."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.api.actions import unanswered
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations import words
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.web.actions.doing import do
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import PageContext
from services.orders.order.refusal import Refusal

pages = Pages()
PATH = "/operations/unanswered"
MOST = 100


@pages.get(PATH, Permission.OPERATIONS_REDRIVE)
async def show_unanswered(context: PageContext) -> Response:
    """Show the shop's commands that have waited too long for an answer."""
    return await _show(context, Form(), {})


@pages.post(PATH, Permission.OPERATIONS_REDRIVE, action="command.end")
async def end(context: PageContext) -> Response:
    """End a command, with a reason."""
    form = await context.form()
    try:
        command_id = _chosen(form)
        reason = form.text("reason", unanswered.LONGEST_REASON)
        if reason is None:
            raise Invalid(reason=gettext("Say why."))
        context.audited.update(command_id=str(command_id), reason=reason)

        async def act(unit: Unit) -> None:
            await unanswered.end(unit, context.shop, command_id, reason, context.actor)

        await do(context, form, act)
    except Invalid as invalid:
        return await _show(context, form, invalid.errors)
    except Refusal as refusal:
        return await _show(context, form, {"": explain_refusal(refusal)})
    return context.redirect(PATH, gettext("The request is ended."))


def _chosen(form: Form) -> UUID:
    try:
        return UUID(form["command"])
    except ValueError:
        raise Invalid(command=gettext("Choose one of the list.")) from None


async def _show(context: PageContext, typed: Form, errors: Mapping[str, str]) -> Response:
    async with context.reading() as connection:
        rows: Any = await unanswered.list_unanswered(connection, context.shop, context.speech.now, MOST)
    return context.render(
        "operations/unanswered.html",
        422 if errors else 200,
        rows=rows,
        most=MOST,
        typed=typed,
        errors=errors,
        minutes=unanswered.OPEN_FOR.seconds // 60,
        tabs_shown=tabs_of_operations(PATH),
        words=words,
    )
