"""Carriers: their names, and the tracking URLs of their parcels."""

from collections.abc import Mapping

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.changing import change
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, PageContext
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


@pages.get(HERE, Permission.SETTINGS_VIEW)
async def show_carriers(context: PageContext) -> Response:
    """Show all carriers, and a form for another."""
    return await _list(context, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="carrier.add")
async def add_carrier(context: PageContext) -> Response:
    """Add a carrier."""
    form = await context.form()

    async def act(unit: Unit) -> None:
        carrier = _carrier(form)
        known = await settings_of.get(unit.connection, unit.owner, context.shop)
        if known.carrier(carrier.name) is not None:
            raise _name_taken()
        await put_carrier(unit, context.shop, carrier.name, carrier.tracking_url, context.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _list(context, errors, form)

    return await change(context, act, again, HERE, gettext("The carrier is added."))


@pages.get(HERE + "/change", Permission.SETTINGS_VIEW)
async def show_carrier(context: PageContext) -> Response:
    """Show the carrier in the parameter `name`."""
    return await _one(context, context.query.get("name", ""), {})


@pages.post(HERE + "/change", Permission.SETTINGS_CHANGE, action="carrier.change")
async def change_carrier(context: PageContext) -> Response:
    """Rename the carrier, or change its tracking URL."""
    form = await context.form()

    async def act(unit: Unit) -> None:
        carrier, now = _carrier(form), form["renames"]
        try:
            await put_carrier(unit, context.shop, carrier.name, carrier.tracking_url, context.actor, now)
        except SettingUnusable:
            raise _name_taken() from None

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(context, form["renames"], errors, form)

    return await change(context, act, again, HERE, gettext("The carrier is changed."))


@pages.post(HERE + "/remove", Permission.SETTINGS_CHANGE, action="carrier.remove")
async def take_carrier_away(context: PageContext) -> Response:
    """Remove the carrier; shipments that name it are not changed."""
    form = await context.form()

    async def act(unit: Unit) -> None:
        await remove_carrier(unit, context.shop, form["renames"], context.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(context, form["renames"], errors)

    return await change(context, act, again, HERE, gettext("The carrier is removed."))


def _carrier(form: Form) -> Carrier:
    try:
        return form.model(Carrier)
    except Invalid as invalid:
        errors = dict(invalid.errors)
        if "tracking_url" in errors:
            errors["tracking_url"] = gettext(
                "Write an address that begins with https:// and has {number} in it once, {postcode} at most once."
            )
        raise Invalid(**errors) from None


def _name_taken() -> Invalid:
    return Invalid(name=gettext("There is a carrier of that name already."))


async def _settings(context: PageContext) -> ShopSettings:
    async with context.reading() as connection:
        return await settings_of.get(connection, context.app_state.hub.owner, context.shop)


async def _list(context: PageContext, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    return context.render(
        "settings/carriers.html",
        422 if errors else 200,
        carriers=(await _settings(context)).carriers,
        example=EXAMPLE_NUMBER,
        example_postcode=EXAMPLE_POSTCODE,
        typed=typed if typed is not None else {"name": "", "tracking_url": ""},
        errors=errors,
    )


async def _one(
    context: PageContext, name: str, errors: Mapping[str, str], typed: Form | None = None
) -> Response:
    carrier = (await _settings(context)).carrier(name)
    if carrier is None:
        raise Missing
    shown = {"name": carrier.name, "tracking_url": carrier.tracking_url or ""}
    return context.render(
        "settings/carrier.html",
        422 if errors else 200,
        carrier=carrier,
        example=EXAMPLE_NUMBER,
        example_postcode=EXAMPLE_POSTCODE,
        typed=typed if typed is not None else shown,
        errors=errors,
    )
