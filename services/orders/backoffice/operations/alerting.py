"""What people of operations are told wherever they start: a service that is away, messages that wait for somebody."""

import asyncio

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.operations import parked
from services.orders.backoffice.translating import gettext, ngettext
from services.orders.backoffice.visit import Visit
from services.orders.backoffice.words import OWNER_NAMES

OLD_ENOUGH_SECONDS = 15.0


async def alerts_for(visit: Visit) -> list[tuple[str, str]]:
    """Where to look and why, for those who may look; services that were never set up are no alert."""
    if not visit.may(Permission.OPERATIONS_VIEW):
        return []
    seen, waiting = await asyncio.gather(
        visit.office.lookout.look(OLD_ENOUGH_SECONDS), parked.read_groups(visit)
    )
    found = [
        ("/operations", gettext("%(owner)s does not answer.", owner=gettext(OWNER_NAMES[one.name])))
        for one in seen.services
        if one.is_away
    ]
    if waiting.dead:
        text = ngettext("%(count)s message is parked", "%(count)s messages are parked", waiting.dead)
        found.append(("/operations/parked", text))
    return found
