"""From a form of the order page to its commands and back to the page, in one way for every section.

A rejection is shown in its section, beside the field it names when the form has one of that name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from starlette.responses import Response

from contracts.message import Command
from contracts.shipping_days import DayFault
from services.orders.api.actions.change_commands import ChangeRequest
from services.orders.api.actions.change_commands import send as begin_change
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import words
from services.orders.backoffice.order.days import FIELDS, objections_to_days
from services.orders.backoffice.order.reading import OrderRead, already_sent, read_order, require_fresh
from services.orders.backoffice.order.showing import back_of, show_again
from services.orders.backoffice.web.actions.commanding import Outcome, answer, by_field, send, wait_for
from services.orders.backoffice.web.visit import PageContext
from services.orders.changes.changing import ChangeRefused
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal

Made = Callable[[UUID], Command]
Make = Callable[[PageContext, OrderRead, Form], list[Made]]
Days = Callable[[PageContext, OrderRead, Form], list[DayFault]]
"""What is wrong with the days that a form gives a shipment."""
Again = Callable[[Mapping[str, str]], Awaitable[Response]]


async def carry_out(
    context: PageContext, section: str, make: Make, flash: str, anchor: str, days: Days | None = None
) -> Response:
    """Send a section's commands, once each, and answer with their outcomes; `days` are checked before."""
    form, order = await context.form(), await read_order(context)

    async def again(errors: Mapping[str, str]) -> Response:
        return await show_again(context, section, beside(errors))

    outcome = await sent_once(context, order, form, make, days)
    if isinstance(outcome, Invalid):
        return await again(outcome.errors)
    to = back_of(form) or f"/orders/{order.shown.code}#{anchor}"
    return await answer(context, outcome, form, to=to, flash=flash, again=again)


async def sent_once(
    context: PageContext, order: OrderRead, form: Form, make: Make, days: Days | None = None
) -> Outcome | Invalid:
    """Return the outcome of a form's commands, or the form's errors. Raises Stale, KeyTaken."""
    context.field_labels = {**words.FIELD_LABELS, **context.field_labels}
    try:
        await require_fresh(context, order, form)
        wanted = make(context, order, form)
        if days is not None:
            await require_days(context, form, days(context, order, form))
        commands = [
            send(context, order.id, form, made, f"-{number}" if number else "")
            for number, made in enumerate(wanted)
        ]
        return _worst(await asyncio.gather(*commands))
    except Invalid as invalid:
        return invalid


async def changed_once(context: PageContext, order_id: UUID, asking: ChangeRequest) -> Outcome | Invalid:
    """Return the outcome of a change of the order itself, or why it cannot be made. Raises Stale, KeyTaken."""
    context.about(order_id)
    try:
        begun = await begin_change(context.app_state.hub, asking)
    except Stale:
        raise
    except ChangeRefused as refused:
        return Invalid(**by_field(refused.reasons))
    except Refusal as refusal:
        return Invalid(**{"": explain_refusal(refusal)})
    return await wait_for(context, begun.command_id)


async def require_days(context: PageContext, form: Form, faults: Sequence[DayFault]) -> None:
    """Check that a form about to become a command has possible days. Raises Invalid."""
    if faults and not await already_sent(context, form):
        raise Invalid(**objections_to_days(faults))


def beside(errors: Mapping[str, str]) -> dict[str, str]:
    """Return the errors by the form's field names: `amount` for a message's `amount_minor`.

    Errors without a field in the form are shown above it (`objections` of `templates/parts/forms.html`).
    """
    found: dict[str, list[str]] = {}
    for name, text in errors.items():
        found.setdefault(FIELDS.get(name, name.removesuffix("_minor")), []).append(text)
    return {name: " ".join(texts) for name, texts in found.items()}


def id_typed(form: Form, name: str) -> UUID:
    """Return an id from a hidden field. Raises Invalid."""
    try:
        return UUID(form[name])
    except ValueError:
        raise Invalid(**{"": gettext("This form is incomplete. Open the page again.")}) from None


def _worst(outcomes: list[Outcome]) -> Outcome:
    """Return the combined outcome of a form's commands: rejected or pending when one of them is."""
    severity = ("done", "rejected", "pending", "parked")
    return max(outcomes, key=lambda one: severity.index(one.state))
