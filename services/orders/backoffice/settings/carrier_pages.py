"""Carriers: their names, and the tracking URLs of their parcels."""

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.shop.settings import (
    Carrier,
    SettingUnusable,
    ShopSettings,
    put_carrier,
    remove_carrier,
    settings_of,
)

pages = Pages()
HERE = "/settings/carriers"
EXAMPLE_NUMBER, EXAMPLE_POSTCODE = "6A12345678901", "44000"


async def _settings(context: PageContext) -> ShopSettings:
    async with context.reading() as connection:
        return await settings_of.get(connection, context.app_state.hub.owner, context.shop)


async def _list(context: PageContext, errors: Errors) -> Response:
    return context.render(
        "settings/carriers.html",
        422 if errors else 200,
        carriers=(await _settings(context)).carriers,
        example=EXAMPLE_NUMBER,
        example_postcode=EXAMPLE_POSTCODE,
        typed=context.form_read if errors else {"name": "", "tracking_url": ""},
        errors=errors,
    )


async def _one(context: PageContext, errors: Errors) -> Response:
    form = context.form_read
    carrier = (await _settings(context)).carrier(form["renames"] or context.query.get("name", ""))
    if carrier is None:
        raise Missing
    shown = {"name": carrier.name, "tracking_url": carrier.tracking_url or ""}
    return context.render(
        "settings/carrier.html",
        422 if errors else 200,
        carrier=carrier,
        example=EXAMPLE_NUMBER,
        example_postcode=EXAMPLE_POSTCODE,
        typed=form if "name" in form else shown,
        errors=errors,
    )


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_carriers(context: PageContext) -> Response:
    """Show all carriers, and a form for another."""
    return await _list(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="carrier.add", again=_list)
async def add_carrier(context: PageContext) -> Response:
    """Add a carrier."""
    form = context.form_read

    async def act(unit: Unit) -> None:
        carrier = _carrier(form)
        known = await settings_of.get(unit.connection, unit.owner, context.shop)
        if known.carrier(carrier.name) is not None:
            raise _name_taken()
        await put_carrier(unit, context.shop, carrier.name, carrier.tracking_url, context.actor)

    return await carry_out(context, act, to=HERE, flash=gettext("Carrier added."))


@pages.get(HERE + "/change", Permission.SETTINGS_VIEW)
async def show_carrier(context: PageContext) -> Response:
    """Show the carrier in the parameter `name`."""
    return await _one(context, {})


@pages.post(HERE + "/change", Permission.SETTINGS_CHANGE, action="carrier.change", again=_one)
async def change_carrier(context: PageContext) -> Response:
    """Rename the carrier, or change its tracking URL."""
    form = context.form_read

    async def act(unit: Unit) -> None:
        carrier, now = _carrier(form), form["renames"]
        try:
            await put_carrier(unit, context.shop, carrier.name, carrier.tracking_url, context.actor, now)
        except SettingUnusable:
            raise _name_taken() from None

    return await carry_out(context, act, to=HERE, flash=gettext("Carrier changed."))


@pages.post(HERE + "/remove", Permission.SETTINGS_CHANGE, action="carrier.remove", again=_one)
async def delete_carrier(context: PageContext) -> Response:
    """Remove the carrier; shipments that name it are not changed."""
    form = context.form_read

    async def act(unit: Unit) -> None:
        await remove_carrier(unit, context.shop, form["renames"], context.actor)

    return await carry_out(context, act, to=HERE, flash=gettext("Carrier removed."))


def _carrier(form: Form) -> Carrier:
    try:
        return form.model(Carrier)
    except Invalid as invalid:
        errors = dict(invalid.errors)
        if "tracking_url" in errors:
            errors["tracking_url"] = gettext(
                "Enter a URL that begins with https:// and contains {number} once, {postcode} at most once."
            )
        raise Invalid(**errors) from None


def _name_taken() -> Invalid:
    return Invalid(name=gettext("There is already a carrier with this name."))
