"""Parts of settings forms: names, colours, and refusals that belong beside a field."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain_refusal
from services.orders.backoffice.language.translating import gettext, page_locale
from services.orders.backoffice.web.actions.action import carry_out
from services.orders.backoffice.web.page_context import PageContext
from services.orders.order.refusal import Refusal
from services.orders.order.shop.colours import NAMES, Colour
from services.orders.order.shop.names import NameUnusable, cleaned


async def change(
    context: PageContext,
    act: Callable[[Unit], Awaitable[Any]],
    to: str,
    flash: str,
    fields: Mapping[str, str],
) -> Response:
    """Carry `act` out and redirect to `to`. Raises Invalid for a refusal whose code has a field in `fields`."""
    try:
        return await carry_out(context, act, to=to, flash=flash)
    except Refusal as refusal:
        if refusal.code not in fields:
            raise
        raise Invalid(**{fields[refusal.code]: explain_refusal(refusal)}) from None


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
        raise Invalid(colour=gettext("Choose an option from the list.")) from None


def colours() -> list[tuple[str, str]]:
    """Return the eight colours with their names in the request's language."""
    return [(colour.value, names[page_locale().language].capitalize()) for colour, names in NAMES.items()]
