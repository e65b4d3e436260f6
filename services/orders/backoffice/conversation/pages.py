"""The inbox: the conversations of a shop by state, with search; the number beside the menu's entry.

The list is the notifier's; the counts are orders' copies, so that the menu and the tabs show them on every page.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.conversation import store, words
from services.orders.backoffice.conversation.waiting import MENU_PATH, count_shown, waiting_of
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import N_, gettext, number
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
pages.in_menu(MENU_PATH, N_("Conversation"), "comment", 45, Permission.CONVERSATION_READ, count=waiting_of)

PAGE = 50
LONGEST_TEXT = 200
TABS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "": (N_("To answer"), {"state": "waiting_staff"}),
    "mine": (N_("Mine"), {"state": "not_closed"}),
    "customer": (N_("Waiting for the customer"), {"state": "waiting_customer"}),
    "closed": (N_("Closed"), {"state": "closed"}),
    "all": (N_("All"), {}),
}
"""Tabs by the filter requested from the notifier."""
COUNTS = {"": "staff", "mine": "mine", "customer": "customer", "closed": "closed", "all": "everything"}
MAILS = "/conversation/mails"


@pages.get("/conversation", Permission.CONVERSATION_READ)
async def show_inbox(context: PageContext) -> Response:
    """Show a page of conversations, the latest first."""
    return await _show(context)


@pages.get("/conversation/now", Permission.CONVERSATION_READ, is_use=False)
async def show_again(context: PageContext) -> Response:
    """Return the same for a page that polls; it does not count as use of the session."""
    return await _show(context)


@pages.get("/conversation/count", Permission.CONVERSATION_READ, is_use=False)
async def show_count(context: PageContext) -> Response:
    """Return the current number beside the menu's entry."""
    async with context.reading() as connection:
        count = await store.count_waiting(connection, context.shop)
    return context.render("conversation/count.html", count=count)


async def tabs_of(context: PageContext, here: str, text: str = "") -> list[tuple[str, str, bool, str]]:
    """Return the inbox's tabs, with mails to be filed as the last: address, text, whether it is selected, count."""
    async with context.reading() as connection:
        counts = await count_shown(context, connection)
    found = [
        (_href(tab, text), gettext(name), tab == here, _written(counts[COUNTS[tab]]))
        for tab, (name, _) in TABS.items()
    ]
    return [*found, (MAILS, gettext("Mails to be filed"), here == MAILS, _written(counts["mails"]))]


def _written(count: int) -> str:
    return number(count) + ("+" if count >= store.MOST_COUNTED else "")


async def _show(context: PageContext) -> Response:
    tab, text = context.query.get("tab", ""), context.query.get("q", "").strip()[:LONGEST_TEXT]
    if tab not in TABS:
        raise Missing
    back_links = BackLinks.of(context.query, "before")
    found = await _threads(context, tab, text, back_links.here[:100])
    body = (
        {"threads": [], "next": None}
        if found is None or isinstance(found, ServiceUnavailable)
        else found.body
    )
    return context.render(
        "conversation/inbox.html",
        owner=found,
        threads=[_thread(one) for one in body["threads"]],
        tabs_shown=await tabs_of(context, tab, text),
        tab=tab,
        text=text,
        query=urlencode(_filled({"tab": tab, "q": text, **back_links.stay})),
        next_href=_href(tab, text, back_links.on(body["next"])) if body["next"] else "",
        previous_href=_href(tab, text, back_links.back) if back_links.back is not None else "",
        states=words.STATES,
    )


async def _threads(
    context: PageContext, tab: str, text: str, before: str
) -> Answer | ServiceUnavailable | None:
    """Return a page of the notifier's threads; None from a notifier of an older version, which does not know the filter
    of the tab. Raises Missing for a forged link.
    """
    wanted = {**TABS[tab][1], "text": text, "before": before}
    if tab == "mine":
        wanted["assignee"] = context.actor
    found = await context.app_state.clients.get(
        "notifier", "/internal/threads", shop=context.shop, limit=str(PAGE), **_filled(wanted)
    )
    if isinstance(found, ServiceUnavailable) or found.status == 200:
        return found
    if tab == "mine" and not before:
        return None
    raise Missing


def _thread(thread: Mapping[str, Any]) -> dict[str, Any]:
    return {**thread, "summary": timestamps_read(thread["summary"], "last_at")}


def _href(tab: str, text: str, cursor: Mapping[str, str] | None = None) -> str:
    query = urlencode(_filled({"tab": tab, "q": text, **(cursor or {})}))
    return f"/conversation?{query}" if query else "/conversation"


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
