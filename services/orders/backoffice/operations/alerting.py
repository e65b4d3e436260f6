"""Alerts in a shop owner's words: an unavailable service and what that means, work that could not finish.

Invariant: no text here names a queue, a message or a service's internals; those are on the pages the alerts
link to.
"""

import asyncio

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import N_, gettext, ngettext
from services.orders.backoffice.operations import parked
from services.orders.backoffice.operations.parked import Parked
from services.orders.backoffice.web.clients.looking import Seen
from services.orders.backoffice.web.visit import PageContext
from services.orders.backoffice.web.words import OWNER_NAMES

OLD_ENOUGH_SECONDS = 15.0
MEANINGS = {
    "orders": N_("New orders show later; none is lost."),
    "payments": N_("Payments and refunds show later; none is lost."),
    "fulfillment": N_("Stock and parcels can’t be changed meanwhile; nothing is lost."),
    "notifier": N_("Mails leave later; none is lost."),
}
"""What a service's being away means for the shop."""


async def alerts_for(context: PageContext) -> list[tuple[str, str]]:
    """Return links and reasons, for users who may see them; services that were never set up are no alert."""
    if not context.may(Permission.OPERATIONS_VIEW):
        return []
    seen, waiting = await asyncio.gather(
        context.app_state.lookout.look(OLD_ENOUGH_SECONDS), parked.read_groups(context)
    )
    return needs(seen, waiting)


def needs(seen: Seen, waiting: Parked) -> list[tuple[str, str]]:
    """Return links and reasons."""
    found = [("/operations", _away(one.name)) for one in seen.services if one.is_away]
    if waiting.dead:
        text = ngettext(
            "%(count)s action could not be finished and waits for a decision.",
            "%(count)s actions could not be finished and wait for a decision.",
            waiting.dead,
        )
        found.append(("/operations/parked", text))
    return found


def _away(service: str) -> str:
    text = gettext("%(owner)s does not answer.", owner=gettext(OWNER_NAMES[service]))
    return f"{text} {gettext(MEANINGS[service])}" if service in MEANINGS else text
