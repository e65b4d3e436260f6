"""Statuses: built-in ones, which cannot be renamed or deleted, and the shop's own, each of a fixed state."""

from collections.abc import Mapping

from starlette.responses import Response

from contracts.orders import OrderState
from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext, speech
from services.orders.backoffice.settings.changing import change, colour_in, colours, names_in
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, PageContext
from services.orders.order.state import LOCKED_STATES
from services.orders.staff import labelling
from services.orders.staff.labels import Label, Labels, combined, labels_of

pages = Pages()
HERE = "/settings/statuses"
LARGEST_POSITION = 10_000


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_statuses(context: PageContext) -> Response:
    """Show all statuses, and a form for another."""
    return await _list(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="label.add")
async def add_status(context: PageContext) -> Response:
    """Add a status of the shop."""
    form = await context.form()

    async def act(unit: Unit) -> None:
        await labelling.add_label(unit, context.shop, _state(form), _wish(form), context.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _list(context, errors, form)

    flash = gettext("The status is added.")
    return await change(context, act, again, HERE, flash, {"label_taken": "fr", "label_fixed": "state"})


@pages.get(HERE + "/{label}", Permission.SETTINGS_VIEW)
async def show_status(context: PageContext) -> Response:
    """Show one status."""
    return await _one(context, {})


@pages.post(HERE + "/{label}", Permission.SETTINGS_CHANGE, action="label.change")
async def change_status(context: PageContext) -> Response:
    """Rename, recolour or move the status; the texts of a built-in one cannot be changed."""
    form, label = await context.form(), await _label(context)

    async def act(unit: Unit) -> None:
        wish = _wish(form, label if label.is_built_in else None)
        await labelling.change_label(unit, context.shop, label.key, wish, context.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(context, errors, form)

    return await change(context, act, again, HERE, gettext("The status is changed."), {"label_taken": "fr"})


@pages.post(HERE + "/{label}/delete", Permission.SETTINGS_CHANGE, action="label.delete")
async def delete_status(context: PageContext) -> Response:
    """Delete a status that no order has."""

    async def act(unit: Unit) -> None:
        await labelling.delete_label(unit, context.shop, context.path("label"), context.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(context, {"delete": " ".join(errors.values())})

    return await change(context, act, again, HERE, gettext("The status is deleted."))


def _state(form: Form) -> OrderState:
    try:
        return OrderState(form["state"])
    except ValueError:
        raise Invalid(state=gettext("Choose one of the list.")) from None


def _wish(form: Form, built_in: Label | None = None) -> labelling.LabelRequest:
    if built_in is None:
        fr, en = names_in(form, "fr", "en")
    else:
        fr, en = built_in.texts["fr"], built_in.texts["en"]
    return labelling.LabelRequest(fr, en, colour_in(form), form.whole("position", 0, LARGEST_POSITION))


async def _labels(context: PageContext) -> Labels:
    async with context.reading() as connection:
        return await labels_of.get(connection, context.app_state.hub.owner, context.shop)


async def _label(context: PageContext) -> Label:
    label = (await _labels(context)).by_key.get(context.path("label"))
    if label is None or label.is_deleted:
        raise Missing
    return label


async def _list(context: PageContext, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    names = _state_names()
    return context.render(
        "settings/statuses.html",
        422 if errors else 200,
        labels=(await _labels(context)).choices(),
        state_names=names,
        states=[(state.value, names[state]) for state in OrderState if state not in LOCKED_STATES],
        colours=colours(),
        typed=typed
        if typed is not None
        else {"fr": "", "en": "", "state": OrderState.READY, "colour": "grey"},
        errors=errors,
    )


async def _one(context: PageContext, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    label = await _label(context)
    shown = {**label.texts, "colour": label.colour.value, "position": str(label.position)}
    return context.render(
        "settings/status.html",
        422 if errors else 200,
        label=label,
        state_name=_state_names()[label.state],
        colours=colours(),
        typed=typed if typed is not None else shown,
        errors=errors,
    )


def _state_names() -> dict[OrderState, str]:
    """Return the name of each state by its built-in statuses, in the request's language."""
    found: dict[OrderState, list[str]] = {}
    for label in combined([]).choices():
        found.setdefault(label.state, []).append(label.text(speech().language))
    return {state: " / ".join(texts) for state, texts in found.items()}
