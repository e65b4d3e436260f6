"""Resync of orders' copies from the owning service: counted first, then confirmed.

Where a replay ends with the event log, the owner re-emits the current state of the shop's orders from its own tables.
Orders handles it without external effects, and state it already has changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import Owner
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations import parked, words
from services.orders.backoffice.operations.messages.replay_pages import PATH as REPLAY
from services.orders.backoffice.operations.messages.replay_pages import RESYNC_OWNERS
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.parked import OwnerUnavailable
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
PATH = "/operations/resync"
LISTENER = "orders"


@pages.get(PATH, Permission.OPERATIONS_REDRIVE)
async def count_orders(context: PageContext) -> Response:
    """Show how many orders the chosen service would resync, to be confirmed."""
    return await _show(context, context.query)


async def _show_again(context: PageContext, errors: Errors) -> Response:
    return await _show(context, context.form_read, errors)


@pages.post(PATH, Permission.OPERATIONS_REDRIVE, action="truth.resync", again=_show_again)
async def resync(context: PageContext) -> Response:
    """Start the resync of the shop's orders."""
    owner = _owner_of(context.form_read)
    context.audited.update(service=owner, consumer=LISTENER)

    async def act(_: Unit) -> None:
        answer = await parked.request(context, owner, "resync", _body(context, is_dry=False))
        if "orders" not in answer:
            raise Invalid(**{"": str(answer.get("detail", ""))})
        context.audited["orders"] = answer["orders"]

    flash = gettext("Resync started. Progress is shown below.")
    response = await carry_out(context, act, to=REPLAY, flash=flash)
    context.app_state.monitor.invalidate()
    return response


async def _show(
    context: PageContext, typed: Mapping[str, str], faults: Mapping[str, str] | None = None
) -> Response:
    found, owner, counted = dict(faults or {}), None, None
    try:
        owner = _owner_of(typed)
        if not found:
            answer = await parked.ask(context, owner, "resync", _body(context, is_dry=True))
            counted = answer.get("orders", 0)
    except Invalid as invalid:
        found = invalid.errors
    except OwnerUnavailable:
        found = {"": gettext("The service is not responding; try again in a moment.")}
    return context.render(
        "operations/resync.html",
        422 if found else 200,
        errors=found,
        owner=owner,
        owners=RESYNC_OWNERS,
        listener=LISTENER,
        counted=counted,
        tabs_shown=tabs_of_operations(REPLAY),
        words=words,
    )


def _owner_of(typed: Mapping[str, str]) -> Owner:
    for owner in RESYNC_OWNERS:
        if typed.get("service") == owner:
            return owner
    raise Invalid(service=gettext("Choose an option from the list."))


def _body(context: PageContext, *, is_dry: bool) -> dict[str, Any]:
    return {"consumer": LISTENER, "shop": context.shop, "dry": is_dry}
