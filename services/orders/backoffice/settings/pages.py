"""Settings of the shop: checkouts, completion of orders, notifications, retention of personal data."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.shop.settings import change_settings, settings_of

pages = Pages()
pages.in_menu("/settings", N_("Settings"), "settings", 90, Permission.SETTINGS_VIEW)

LONGEST_CHECKOUT_MINUTES = 1440
LONGEST_DAYS = 3650
TICKS = ("completes_alone", "places_paid_checkouts", "notifies_customer")


async def _show(context: PageContext, errors: Errors) -> Response:
    async with context.reading() as connection:
        chosen = await settings_of.get(connection, context.app_state.hub.owner, context.shop)
    values: Mapping[str, Any] = chosen.model_dump()
    typed = context.form_read
    if errors:
        ticks = {name: typed.ticked(name) for name in TICKS}
        values = {**values, **typed, **ticks}
    return context.render("settings/shop.html", 422 if errors else 200, values=values, errors=errors)


@pages.get("/settings", Permission.SETTINGS_VIEW)
async def show_shop(context: PageContext) -> Response:
    """Show the shop's settings."""
    return await _show(context, {})


@pages.post("/settings", Permission.SETTINGS_CHANGE, action="settings.change", again=_show)
async def change_shop(context: PageContext) -> Response:
    """Change the shop's settings."""
    form = context.form_read

    async def act(unit: Unit) -> None:
        await change_settings(unit, context.shop, _chosen(form), context.actor)

    return await carry_out(context, act, to="/settings", flash=gettext("Settings saved."))


def _chosen(form: Form) -> dict[str, Any]:
    minutes = form.whole("checkout_minutes", 1, LONGEST_CHECKOUT_MINUTES)
    if minutes is None:
        raise Invalid(checkout_minutes=gettext("This field is required."))
    return {
        "checkout_minutes": minutes,
        "completes_alone": form.ticked("completes_alone"),
        "places_paid_checkouts": form.ticked("places_paid_checkouts"),
        "notifies_customer": form.ticked("notifies_customer"),
        "keeps_ip_days": form.whole("keeps_ip_days", 1, LONGEST_DAYS),
    }
