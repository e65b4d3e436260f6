"""Operations: running services, queues, parked messages, the auditor's findings, and actions on them.

The page polls every few seconds. It shows what services, broker and auditor report now; an unavailable one
does not affect the rest.
"""

import asyncio
import json

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import N_, gettext, pgettext
from services.orders.backoffice.operations import failed, findings, parked, words
from services.orders.backoffice.operations.alerts import mail_alarms, needs
from services.orders.backoffice.operations.store import read_actions
from services.orders.backoffice.web.clients.monitor import Seen, ServiceSeen
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
pages.in_menu("/operations", N_("Operations"), "operations", 80, Permission.OPERATIONS_VIEW)

ACTIONS = {
    "parked.redrive": N_("Retried parked messages"),
    "parked.discard": N_("Set parked messages aside"),
    "events.replay": N_("Replayed events"),
    "truth.resync": N_("Started a resync from the owning service"),
    "messages.send_again": N_("Sent lost messages again"),
    "command.end": N_("Ended a request without an answer"),
    "effects.acknowledge": N_("Marked failed work as seen, nothing to do"),
}
"""Labels of operators' actions, by their names in the audit."""
MOST_ACTIONS = 15


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
        "/operations/failed": pgettext("operations", "Failed work"),
        "/operations/findings": pgettext("operations", "Auditor"),
    }
    return [
        (path, text, path == here, dead if path == "/operations/parked" and dead else None)
        for path, text in named.items()
    ]


async def _show(context: PageContext) -> Response:
    seen, waiting, audited, alarms = await asyncio.gather(
        context.app_state.monitor.current(),
        parked.read_groups(context),
        findings.read_findings(context),
        mail_alarms(context),
    )
    failed_work = await failed.count(context, seen)
    async with context.reading() as connection:
        actions = await read_actions(connection, context.shop, list(ACTIONS), MOST_ACTIONS)
    return context.render(
        "operations/overview.html",
        seen=seen,
        queues=seen.queues_of(context.shop),
        parked=waiting,
        needs=[*needs(seen, waiting, failed_work), *alarms],
        is_fine=is_fine(seen, context.shop),
        audited=audited,
        actions=[{**action, "detail": json.loads(action["detail"])} for action in actions],
        action_words=ACTIONS,
        action_outcomes=action_outcomes(),
        tabs_shown=tabs_of_operations("/operations", waiting.dead),
        problems=queue_problems(),
        service_state=service_state,
        words=words,
        monitoring=monitoring(context),
    )


def monitoring(context: PageContext) -> list[tuple[str, str]]:
    """Return name and address of each monitoring program that the settings name."""
    settings = context.app_state.settings
    programs = (("Prometheus", settings.prometheus_url), ("Alertmanager", settings.alertmanager_url))
    return [(name, str(url)) for name, url in programs if url is not None]


def is_fine(seen: Seen, shop: str) -> bool:
    """Return whether every service runs and every queue is being consumed."""
    runs = all(not one.is_unavailable and not one.report.get("missing") for one in seen.services)
    return runs and not any(queue.problem for queue in seen.queues_of(shop))


def queue_problems() -> dict[str, tuple[str, str]]:
    """Return label and badge tone by a queue's problem."""
    return {
        "": (gettext("OK"), "good"),
        "unheard": (gettext("No consumer"), "danger"),
        "stuck": (gettext("Not consumed"), "warning"),
        "missing": (gettext("Missing"), "danger"),
    }


def service_state(seen: ServiceSeen) -> tuple[str, str]:
    """Return the label and tone of a service's state."""
    if seen.is_unavailable:
        return gettext("Not responding"), "danger"
    if seen.down is not None:
        return gettext("Not connected"), "neutral"
    if seen.report.get("missing"):
        return gettext("Not ready"), "warning"
    return gettext("Working"), "good"


def action_outcomes() -> dict[str, str]:
    """Return labels for outcomes of actions other than plain success."""
    return {
        "repeated": gettext("already done"),
        "refused": gettext("refused"),
        "forbidden": gettext("not allowed"),
        "missing": gettext("not found"),
        "failed": gettext("failed"),
        "forged": gettext("refused"),
    }
