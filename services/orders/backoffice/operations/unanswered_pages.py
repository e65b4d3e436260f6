"""Commands without an answer: the command, its actor and time, and ending one with a reason."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.api.actions import unanswered
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations import words
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
PATH = "/operations/unanswered"
MOST = 100


async def _show(context: PageContext, errors: Errors) -> Response:
    async with context.reading() as connection:
        rows: Any = await unanswered.list_unanswered(connection, context.shop, context.locale.now, MOST)
    return context.render(
        "operations/unanswered.html",
        422 if errors else 200,
        rows=rows,
        most=MOST,
        typed=context.form_read,
        errors=errors,
        minutes=unanswered.OPEN_FOR.seconds // 60,
        tabs_shown=tabs_of_operations(PATH),
        words=words,
    )


@pages.get(PATH, Permission.OPERATIONS_REDRIVE)
async def show_unanswered(context: PageContext) -> Response:
    """Show the shop's commands that have waited too long for an answer."""
    return await _show(context, {})


@pages.post(PATH, Permission.OPERATIONS_REDRIVE, action="command.end", again=_show)
async def end(context: PageContext) -> Response:
    """End a command, with a reason."""
    form = context.form_read
    command_id, reason = _chosen(form), form.text("reason", unanswered.LONGEST_REASON)
    if reason is None:
        raise Invalid(reason=gettext("Give a reason."))
    context.audited.update(command_id=str(command_id), reason=reason)

    async def act(unit: Unit) -> None:
        await unanswered.end(unit, context.shop, command_id, reason, context.actor)

    return await carry_out(context, act, to=PATH, flash=gettext("Request ended."))


def _chosen(form: Form) -> UUID:
    try:
        return UUID(form["command"])
    except ValueError:
        raise Invalid(command=gettext("Choose an option from the list.")) from None
