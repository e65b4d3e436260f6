"""Operations: running services, queues, parked messages, the auditor's findings, and actions on them.

The page polls every few seconds. It shows what services, broker and auditor report now; an unavailable one
does not affect the rest.
"""

import asyncio
import json

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import N_, gettext, pgettext
from services.orders.backoffice.operations import findings, parked, words
from services.orders.backoffice.operations.alerting import needs
from services.orders.backoffice.operations.store import read_deeds
from services.orders.backoffice.web.clients.looking import Seen, ServiceSeen
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import PageContext

pages = Pages()
pages.in_menu("/operations", N_("Operations"), "operations", 80, Permission.OPERATIONS_VIEW)

DEEDS = {
    "parked.redrive": N_("Replayed parked messages"),
    "parked.discard": N_("Set parked messages aside"),
    "events.replay": N_("Replayed events"),
    "truth.resync": N_("Started a resync from the owning service"),
    "messages.send_again": N_("Sent lost messages again"),
    "command.end": N_("Ended a request without an answer"),
}
"""What people of operations do, by its name in the audit."""
MOST_DEEDS = 15


@pages.get("/operations", Permission.OPERATIONS_VIEW)
async def show_operations(context: PageContext) -> Response:
    """Show the overview."""
    return await _show(context)


@pages.get("/operations/now", Permission.OPERATIONS_VIEW, is_use=False)
async def show_again(context: PageContext) -> Response:
    """Return the same for a page that polls; it does not count as use of the session."""
    return await _show(context)


def tabs_of_operations(here: str, dead: int | None = None) -> list[tuple[str, str, bool, int | None]]:
    """Return the tabs of operations."""
    named = {
        "/operations": pgettext("operations", "Overview"),
        "/operations/parked": pgettext("operations", "Parked messages"),
        "/operations/replay": pgettext("operations", "Replay events"),
        "/operations/lost": pgettext("operations", "Lost messages"),
        "/operations/unanswered": pgettext("operations", "Unanswered requests"),
        "/operations/findings": pgettext("operations", "Auditor"),
    }
    return [
        (path, text, path == here, dead if path == "/operations/parked" and dead else None)
        for path, text in named.items()
    ]


async def _show(context: PageContext) -> Response:
    seen, waiting, audited = await asyncio.gather(
        context.app_state.lookout.look(), parked.read_groups(context), findings.read_findings(context)
    )
    async with context.reading() as connection:
        deeds = await read_deeds(connection, context.shop, list(DEEDS), MOST_DEEDS)
    return context.render(
        "operations/overview.html",
        seen=seen,
        queues=seen.queues_of(context.shop),
        parked=waiting,
        needs=needs(seen, waiting),
        is_fine=is_fine(seen, context.shop),
        audited=audited,
        deeds=[{**deed, "detail": json.loads(deed["detail"])} for deed in deeds],
        deed_words=DEEDS,
        deed_outcomes=deed_outcomes(),
        tabs_shown=tabs_of_operations("/operations", waiting.dead),
        troubles=queue_troubles(),
        service_state=service_state,
        words=words,
    )


def is_fine(seen: Seen, shop: str) -> bool:
    """Return whether every service runs and every queue is being consumed."""
    runs = all(not one.is_away and not one.told.get("missing") for one in seen.services)
    return runs and not any(queue.trouble for queue in seen.queues_of(shop))


def queue_troubles() -> dict[str, tuple[str, str]]:
    """Return a queue's problem in words, and the tone of its badge."""
    return {
        "": (gettext("Fine"), "good"),
        "unheard": (gettext("Nobody listens"), "danger"),
        "stuck": (gettext("Nothing is taken"), "warning"),
        "missing": (gettext("Not there"), "danger"),
    }


def service_state(seen: ServiceSeen) -> tuple[str, str]:
    """Return a service's state in a word, and its tone."""
    if seen.is_away:
        return gettext("Does not answer"), "danger"
    if seen.down is not None:
        return gettext("Not connected"), "neutral"
    if seen.told.get("missing"):
        return gettext("Not ready"), "warning"
    return gettext("Runs"), "good"


def deed_outcomes() -> dict[str, str]:
    """Return labels for outcomes of actions other than plain success."""
    return {
        "repeated": gettext("had been done already"),
        "refused": gettext("refused"),
        "forbidden": gettext("not allowed"),
        "missing": gettext("not found"),
        "failed": gettext("failed"),
        "forged": gettext("refused"),
    }
