"""Carriers: their names, and where a parcel can be followed once its tracking number is known."""

from collections.abc import Mapping

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.changing import change
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import Missing, Visit
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
async def show_carriers(visit: Visit) -> Response:
    """All carriers, and a form for another."""
    return await _list(visit, {})


@pages.post(HERE, Permission.SETTINGS_CHANGE, action="carrier.add")
async def add_carrier(visit: Visit) -> Response:
    """Another carrier."""
    form = await visit.form()

    async def act(unit: Unit) -> None:
        carrier = _carrier(form)
        known = await settings_of.get(unit.connection, unit.owner, visit.shop)
        if known.carrier(carrier.name) is not None:
            raise _name_taken()
        await put_carrier(unit, visit.shop, carrier.name, carrier.tracking_url, visit.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _list(visit, errors, form)

    return await change(visit, act, again, HERE, gettext("The carrier is added."))


@pages.get(HERE + "/change", Permission.SETTINGS_VIEW)
async def show_carrier(visit: Visit) -> Response:
    """The carrier that `name` names."""
    return await _one(visit, visit.query.get("name", ""), {})


@pages.post(HERE + "/change", Permission.SETTINGS_CHANGE, action="carrier.change")
async def change_carrier(visit: Visit) -> Response:
    """Rename it, or change where its parcels are followed."""
    form = await visit.form()

    async def act(unit: Unit) -> None:
        carrier, now = _carrier(form), form["renames"]
        try:
            await put_carrier(unit, visit.shop, carrier.name, carrier.tracking_url, visit.actor, now)
        except SettingUnusable:
            raise _name_taken() from None

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(visit, form["renames"], errors, form)

    return await change(visit, act, again, HERE, gettext("The carrier is changed."))


@pages.post(HERE + "/remove", Permission.SETTINGS_CHANGE, action="carrier.remove")
async def take_carrier_away(visit: Visit) -> Response:
    """Remove it; shipments that name it stay as they are."""
    form = await visit.form()

    async def act(unit: Unit) -> None:
        await remove_carrier(unit, visit.shop, form["renames"], visit.actor)

    async def again(errors: Mapping[str, str]) -> Response:
        return await _one(visit, form["renames"], errors)

    return await change(visit, act, again, HERE, gettext("The carrier is removed."))


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


async def _settings(visit: Visit) -> ShopSettings:
    async with visit.reading() as connection:
        return await settings_of.get(connection, visit.office.hub.owner, visit.shop)


async def _list(visit: Visit, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    return visit.render(
        "settings/carriers.html",
        422 if errors else 200,
        carriers=(await _settings(visit)).carriers,
        example=EXAMPLE_NUMBER,
        example_postcode=EXAMPLE_POSTCODE,
        typed=typed if typed is not None else {"name": "", "tracking_url": ""},
        errors=errors,
    )


async def _one(visit: Visit, name: str, errors: Mapping[str, str], typed: Form | None = None) -> Response:
    carrier = (await _settings(visit)).carrier(name)
    if carrier is None:
        raise Missing
    shown = {"name": carrier.name, "tracking_url": carrier.tracking_url or ""}
    return visit.render(
        "settings/carrier.html",
        422 if errors else 200,
        carrier=carrier,
        example=EXAMPLE_NUMBER,
        example_postcode=EXAMPLE_POSTCODE,
        typed=typed if typed is not None else shown,
        errors=errors,
    )
