"""Resync of orders' copies from the owning service: counted first, then confirmed.

Where a replay ends with the event log, the owner re-emits the current state of the shop's orders from its own tables.
Orders handles it without external effects, and state it already has changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations import parked, words
from services.orders.backoffice.operations.messages.replay_pages import PATH as REPLAY
from services.orders.backoffice.operations.messages.replay_pages import TELLERS
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.parked import OwnerUnavailable
from services.orders.backoffice.web.actions.doing import do
from services.orders.backoffice.web.clients.owners import Owner
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import PageContext

pages = Pages()
PATH = "/operations/resync"
LISTENER = "orders"


@pages.get(PATH, Permission.OPERATIONS_REDRIVE)
async def count_orders(context: PageContext) -> Response:
    """Show how many orders the chosen service would resync, to be confirmed."""
    return await _show(context, context.query)


@pages.post(PATH, Permission.OPERATIONS_REDRIVE, action="truth.resync")
async def resync(context: PageContext) -> Response:
    """Start the resync of the shop's orders."""
    form = await context.form()
    try:
        owner = _owner_of(form)
        context.audited.update(service=owner, consumer=LISTENER)

        async def act(_: Unit) -> None:
            said = await _ask(context, owner, is_dry=False)
            if "orders" not in said:
                raise Invalid(**{"": str(said.get("detail", ""))})
            context.audited["orders"] = said["orders"]

        await do(context, form, act)
        context.app_state.lookout.forget()
    except Invalid as invalid:
        return await _show(context, form, invalid.errors)
    except OwnerUnavailable:
        why = gettext("The service does not answer. Look in a moment whether it was done, and try again.")
        return await _show(context, form, {"": why})
    return context.redirect(REPLAY, gettext("Resync started. Progress is shown below."))


async def _show(
    context: PageContext, typed: Mapping[str, str], faults: Mapping[str, str] | None = None
) -> Response:
    found, owner, counted = dict(faults or {}), None, None
    try:
        owner = _owner_of(typed)
        if not found:
            counted = (await _ask(context, owner, is_dry=True)).get("orders", 0)
    except Invalid as invalid:
        found = invalid.errors
    except OwnerUnavailable:
        found = {"": gettext("The service does not answer; try again in a moment.")}
    return context.render(
        "operations/resync.html",
        422 if found else 200,
        errors=found,
        owner=owner,
        owners=TELLERS,
        listener=LISTENER,
        counted=counted,
        tabs_shown=tabs_of_operations(REPLAY),
        words=words,
    )


def _owner_of(typed: Mapping[str, str]) -> Owner:
    for owner in TELLERS:
        if typed.get("service") == owner:
            return owner
    raise Invalid(service=gettext("Choose one of the list."))


async def _ask(context: PageContext, owner: Owner, *, is_dry: bool) -> Mapping[str, Any]:
    body = {"consumer": LISTENER, "shop": context.shop, "dry": is_dry}
    return await parked.ask(context, owner, "resync", body)
