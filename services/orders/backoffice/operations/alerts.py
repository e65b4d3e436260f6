"""Alerts for shop owners: an unavailable service and its consequences, work that could not finish.

Invariant: no text here names a queue, a message or a service's internals; those are on the pages the alerts
link to.
"""

import asyncio

from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import N_, gettext, ngettext
from services.orders.backoffice.operations import failed, parked
from services.orders.backoffice.operations.parked import Parked
from services.orders.backoffice.web.clients.monitor import Seen
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.words import OWNER_NAMES

OLD_ENOUGH_SECONDS = 15.0
MEANINGS = {
    "orders": N_("New orders appear later; none are lost."),
    "payments": N_("Payments and refunds appear later; none are lost."),
    "fulfillment": N_("Stock and parcels can’t be changed for now; nothing is lost."),
    "notifier": N_("Mails are sent later; none are lost."),
}
"""Consequences for the shop while a service is unavailable."""


async def alerts_for(context: PageContext) -> list[tuple[str, str]]:
    """Return links and reasons, for users who may see them; services that were never set up cause no alert."""
    if not context.may(Permission.OPERATIONS_VIEW):
        return []
    seen, waiting, alarms = await asyncio.gather(
        context.app_state.monitor.current(OLD_ENOUGH_SECONDS),
        parked.read_groups(context),
        mail_alarms(context),
    )
    return [*needs(seen, waiting, await failed.count(context, seen)), *alarms]


async def mail_alarms(context: PageContext) -> list[tuple[str, str]]:
    """Return a link and a reason while mails of the shop are refused as unwanted: one alert for many mails."""
    found = await context.app_state.clients.get("notifier", "/internal/mail-alarms", shop=context.shop)
    if isinstance(found, ServiceUnavailable) or found.status != 200:
        return []
    return [("/mails?state=bounced", _refused(int(alarm["faults"]))) for alarm in found.body["alarms"]]


def _refused(faults: int) -> str:
    return ngettext(
        "%(count)s mail from the shop was refused as spam: its mail server’s reputation is the cause.",
        "%(count)s mails from the shop were refused as spam: its mail server’s reputation is the cause.",
        faults,
    )


def needs(seen: Seen, waiting: Parked, failed_work: int) -> list[tuple[str, str]]:
    """Return links and reasons."""
    found = [("/operations", _unavailable(one.name)) for one in seen.services if one.is_unavailable]
    if waiting.dead:
        text = ngettext(
            "%(count)s action could not be finished and waits for a decision.",
            "%(count)s actions could not be finished and wait for a decision.",
            waiting.dead,
        )
        found.append(("/operations/parked", text))
    if failed_work:
        text = ngettext(
            "%(count)s refund or document failed for good and waits for somebody to look at it.",
            "%(count)s refunds or documents failed for good and wait for somebody to look at them.",
            failed_work,
        )
        found.append(("/operations/failed", text))
    return found


def _unavailable(service: str) -> str:
    text = gettext("%(owner)s is not responding.", owner=gettext(OWNER_NAMES[service]))
    return f"{text} {gettext(MEANINGS[service])}" if service in MEANINGS else text
