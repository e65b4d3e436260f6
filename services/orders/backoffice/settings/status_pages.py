"""Statuses: built-in ones, which cannot be renamed or deleted, and the shop's own, each of a fixed state."""

from starlette.responses import Response

from contracts.orders.lifecycle import OrderState
from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext, page_locale
from services.orders.backoffice.settings.changing import change, colour_in, colours, names_in
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.state import LOCKED_STATES
from services.orders.staff import labelling
from services.orders.staff.labels import Label, Labels, combined, labels_of

pages = Pages()
HERE = "/settings/statuses"
LARGEST_POSITION = 10_000


async def _labels(context: PageContext) -> Labels:
    async with context.reading() as connection:
        return await labels_of.get(connection, context.app_state.hub.owner, context.shop)


async def _label(context: PageContext) -> Label:
    label = (await _labels(context)).by_key.get(context.path("label"))
    if label is None or label.is_deleted:
        raise Missing
    return label


async def _list(context: PageContext, errors: Errors) -> Response:
    names = _state_names()
    return context.render(
        "settings/statuses.html",
        422 if errors else 200,
        labels=(await _labels(context)).choices(),
        state_names=names,
        states=[(state.value, names[state]) for state in OrderState if state not in LOCKED_STATES],
        colours=colours(),
        typed=context.form_read
        if errors
        else {"fr": "", "en": "", "state": OrderState.READY, "colour": "grey"},
        errors=errors,
    )


async def _one(context: PageContext, errors: Errors) -> Response:
    label = await _label(context)
    shown = {**label.texts, "colour": label.colour.value, "position": str(label.position)}
    return context.render(
        "settings/status.html",
        422 if errors else 200,
        label=label,
        state_name=_state_names()[label.state],
        colours=colours(),
        typed=context.form_read if "colour" in context.form_read else shown,
        errors=errors,
    )


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_statuses(context: PageContext) -> Response:
    """Show all statuses, and a form for another."""
    return await _list(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="label.add", again=_list)
async def add_status(context: PageContext) -> Response:
    """Add a status of the shop."""
    form = context.form_read

    async def act(unit: Unit) -> None:
        await labelling.add_label(unit, context.shop, _state(form), _wish(form), context.actor)

    flash = gettext("Status added.")
    return await change(context, act, HERE, flash, {"label_taken": "fr", "label_fixed": "state"})


@pages.get(HERE + "/{label}", Permission.SETTINGS_VIEW)
async def show_status(context: PageContext) -> Response:
    """Show one status."""
    return await _one(context, {})


@pages.post(HERE + "/{label}", Permission.SETTINGS_CHANGE, action="label.change", again=_one)
async def change_status(context: PageContext) -> Response:
    """Rename, recolour or move the status; the texts of a built-in one cannot be changed."""
    form, label = context.form_read, await _label(context)

    async def act(unit: Unit) -> None:
        wish = _wish(form, label if label.is_built_in else None)
        await labelling.change_label(unit, context.shop, label.key, wish, context.actor)

    return await change(context, act, HERE, gettext("Status changed."), {"label_taken": "fr"})


async def _one_to_delete(context: PageContext, errors: Errors) -> Response:
    return await _one(context, {"delete": " ".join(errors.values())})


@pages.post(HERE + "/{label}/delete", Permission.SETTINGS_CHANGE, action="label.delete", again=_one_to_delete)
async def delete_status(context: PageContext) -> Response:
    """Delete a status that no order has."""

    async def act(unit: Unit) -> None:
        await labelling.delete_label(unit, context.shop, context.path("label"), context.actor)

    return await carry_out(context, act, to=HERE, flash=gettext("Status deleted."))


def _state(form: Form) -> OrderState:
    try:
        return OrderState(form["state"])
    except ValueError:
        raise Invalid(state=gettext("Choose an option from the list.")) from None


def _wish(form: Form, built_in: Label | None = None) -> labelling.LabelRequest:
    if built_in is None:
        fr, en = names_in(form, "fr", "en")
    else:
        fr, en = built_in.texts["fr"], built_in.texts["en"]
    return labelling.LabelRequest(fr, en, colour_in(form), form.whole("position", 0, LARGEST_POSITION))


def _state_names() -> dict[OrderState, str]:
    """Return the name of each state by its built-in statuses, in the request's language."""
    found: dict[OrderState, list[str]] = {}
    for label in combined([]).choices():
        found.setdefault(label.state, []).append(label.text(page_locale().language))
    return {state: " / ".join(texts) for state, texts in found.items()}
