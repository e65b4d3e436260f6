"""Processing of a settings form: once, and shown again with errors beside the fields when it is rejected.

An object that was deleted meanwhile (such as the tag being renamed) is no error of the form: it gets its own
page.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain_refusal
from services.orders.backoffice.language.translating import gettext, speech
from services.orders.backoffice.web.actions.doing import do
from services.orders.backoffice.web.visit import PageContext
from services.orders.order.refusal import Refusal
from services.orders.order.shop.colours import NAMES, Colour
from services.orders.order.shop.naming import NameUnusable, cleaned

Again = Callable[[Mapping[str, str]], Awaitable[Response]]


async def change(
    context: PageContext,
    act: Callable[[Unit], Awaitable[Any]],
    again: Again,
    to: str,
    flash: str,
    fields: Mapping[str, str] | None = None,
) -> Response:
    """Carry `act` out and redirect to `to`. `fields` maps a rejection's code to its field; others are shown
    above the form.

    Raises rejections about what does not exist (404), FormSentBefore.
    """
    form = await context.form()
    try:
        await do(context, form, act)
    except Invalid as invalid:
        return await again(invalid.errors)
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return await again({(fields or {}).get(refusal.code, ""): explain_refusal(refusal)})
    return context.redirect(to, flash)


def names_in(form: Form, *fields: str) -> list[str]:
    """Return the names typed into these fields. Raises Invalid, with every invalid one."""
    errors, names = {}, []
    for field in fields:
        try:
            names.append(cleaned(form[field]))
        except NameUnusable as unusable:
            errors[field] = explain_refusal(unusable)
    if errors:
        raise Invalid(**errors)
    return names


def colour_in(form: Form) -> Colour:
    """Return the chosen colour. Raises Invalid."""
    try:
        return Colour(form["colour"])
    except ValueError:
        raise Invalid(colour=gettext("Choose one of the list.")) from None


def colours() -> list[tuple[str, str]]:
    """Return the eight colours with their names in the request's language."""
    return [(colour.value, names[speech().language].capitalize()) for colour, names in NAMES.items()]
