"""Home: pending work, figures of recent days, latest activity."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from services.chassis.storage.database import Connection
from services.orders.backoffice.access.permissions import Entry, Permission
from services.orders.backoffice.conversation.waiting import count_shown
from services.orders.backoffice.home import store as home_store
from services.orders.backoffice.language.activity_texts import event_text
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.language.translating import number as written
from services.orders.backoffice.operations.alerts import alerts_for
from services.orders.backoffice.orders.words import tab_names
from services.orders.backoffice.refused_sales import store as refused_sales_store
from services.orders.backoffice.web.clients.invoicing import MOST, read_invoicing_state
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.listing.filters import Filters
from services.orders.listing.payments import read_unmatched
from services.orders.listing.words import Tab
from services.orders.staff.labels import labels_of

pages = Pages()
pages.in_menu("/", N_("Home"), "home", 10, Entry.SIGNED_IN)

DAYS, ORDERS, HAPPENINGS = 14, 30, 12


@pages.get("/", Entry.SIGNED_IN)
async def show_home(context: PageContext) -> Response:
    """Show the home page."""
    return await _show(context)


@pages.get("/home/now", Entry.SIGNED_IN, is_use=False)
async def show_again(context: PageContext) -> Response:
    """Return the same for a page that polls; it does not count as use of the session."""
    return await _show(context)


async def _show(context: PageContext) -> Response:
    if not context.may(Permission.ORDERS_VIEW):
        return context.render("home/home.html", tiles=[], days=None, happened=[], alerts=[])
    alerts, invoices = await asyncio.gather(alerts_for(context), _invoices(context))
    async with context.reading() as connection:
        return context.render(
            "home/home.html",
            alerts=alerts,
            tiles=[*await _queues(context, connection), *await _problems(context, connection), *invoices],
            days=await _days(context, connection),
            happened=await _happened(context, connection),
        )


async def _queues(context: PageContext, connection: Connection) -> list[tuple[str, str, str, bool]]:
    """Return a tile for each queue: link, text, count, whether it is not empty."""
    if not _has(context, "/orders"):
        return []
    zone, tiles = ZoneInfo(str(context.locale.zone)), []
    for tab, text in queue_words().items():
        count = await context.app_state.finder.count(connection, context.shop, Filters(tab=tab), zone)
        tiles.append(_tile(f"/orders?tab={tab}", text, count.number, is_exact=count.is_exact))
    return tiles


def queue_words() -> dict[Tab, str]:
    """Return the queues whose counts are shown, with the names of the list's tabs."""
    return {tab: text for tab, text in tab_names().items() if tab not in (Tab.ALL, Tab.ARCHIVED)}


async def _problems(context: PageContext, connection: Connection) -> list[tuple[str, str, str, bool]]:
    """Return tiles for problems: one only when its count is above zero, so that zeros do not hide the queues."""
    tiles = [
        *await _mails(context, connection),
        *await _unmatched(context, connection),
        *await _conversation(context, connection),
        await _refused(context, connection),
    ]
    return [tile for tile in tiles if tile[-1]]


async def _mails(context: PageContext, connection: Connection) -> list[tuple[str, str, str, bool]]:
    if not context.may(Permission.MAILS_VIEW):
        return []
    problems = await home_store.read_mail_problems(connection, context.shop)
    return [
        _tile("/mails?state=uncertain", gettext("Mails to check"), problems.get("uncertain", 0)),
        _tile("/mails?state=failed", gettext("Mails that failed"), problems.get("failed", 0)),
        _tile("/mails?state=bounced", gettext("Bounced mails"), problems.get("bounced", 0)),
        _tile("/mails?state=suppressed", gettext("Held mails"), problems.get("suppressed", 0)),
    ]


async def _unmatched(context: PageContext, connection: Connection) -> list[tuple[str, str, str, bool]]:
    if not context.may(Permission.PAYMENTS_VIEW):
        return []
    found = await read_unmatched(connection, context.shop)
    href = "/payments/unmatched" if _has(context, "/payments") else ""
    return [_tile(href, gettext("Payments to identify"), len(found["payments"]))]


async def _invoices(context: PageContext) -> list[tuple[str, str, str, bool]]:
    """Return tiles for orders whose invoice waits for the shop's mentions, for invoices and for PDFs that failed."""
    if not context.may(Permission.PAYMENTS_VIEW) or (state := await read_invoicing_state(context)) is None:
        return []
    href = "/settings/invoices" if context.may(Permission.SETTINGS_VIEW) else "/payments/invoices"
    operations = "/operations/failed" if context.may(Permission.OPERATIONS_VIEW) else "/payments/invoices"
    tiles = [
        _tile(operations, gettext("Invoice PDFs that failed"), state.failed_pdfs),
        _tile(href, gettext("Orders waiting for an invoice"), state.waiting, is_exact=state.waiting < MOST),
        _tile(href, gettext("Invoices that failed"), state.failed, is_exact=state.failed < MOST),
    ]
    return [tile for tile in tiles if tile[-1]]


async def _conversation(context: PageContext, connection: Connection) -> list[tuple[str, str, str, bool]]:
    if not context.may(Permission.CONVERSATION_READ):
        return []
    counts = await count_shown(context, connection)
    return [
        _tile("/conversation", gettext("Messages to answer"), counts["staff"]),
        _tile("/conversation/mails", gettext("Mails to be filed"), counts["mails"]),
    ]


async def _refused(context: PageContext, connection: Connection) -> tuple[str, str, str, bool]:
    since = context.locale.now - timedelta(days=refused_sales_store.DAYS)
    count = await refused_sales_store.count_refused(connection, context.shop, since)
    is_exact = count < refused_sales_store.MOST
    return _tile("/refused-sales", gettext("Refused sales"), count, is_exact=is_exact)


def _tile(href: str, text: str, number: int, *, is_exact: bool = True) -> tuple[str, str, str, bool]:
    return href, text, written(number) + ("" if is_exact else "+"), number > 0


def _has(context: PageContext, path: str) -> bool:
    """Return whether this back office has such a page and the user may see it."""
    return any(entry.path == path and context.may(entry.demand) for entry in context.app_state.menu)


async def _days(context: PageContext, connection: Connection) -> dict[str, Any]:
    """Return today's figures and the series of recent days: orders, and turnover by currency."""
    zone = ZoneInfo(str(context.locale.zone))
    today = context.locale.now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    since = datetime.combine(days[0], time(), zone)
    until = datetime.combine(today + timedelta(days=1), time(), zone)
    return figures(await home_store.read_days(connection, context.shop, since, until, zone.key), days)


def figures(rows: Sequence[Mapping[str, Any]], days: Sequence[date]) -> dict[str, Any]:
    """Return home's figures from rows of day, currency, orders, paid, total_minor; the last of `days` is
    today. Pure.

    `turnover` has (currency, today's amount, the amounts by day), the currency with most orders first.
    """
    orders = [sum(row["orders"] for row in rows if row["day"] == day) for day in days]
    sold: dict[str, int] = {}
    for row in rows:
        sold[row["currency"]] = sold.get(row["currency"], 0) + row["orders"]
    by = {(row["currency"], row["day"]): row["total_minor"] for row in rows}
    amounts = {currency: [by.get((currency, day), 0) for day in days] for currency in sold}
    return {
        "orders": orders,
        "paid": sum(row["paid"] for row in rows if row["day"] == days[-1]),
        "turnover": [
            (currency, amounts[currency][-1], amounts[currency])
            for currency in sorted(sold, key=lambda one: (-sold[one], one))
        ],
    }


async def _happened(context: PageContext, connection: Connection) -> list[tuple[str, datetime, str, str]]:
    """Return the latest activity: order code, time, user ("": none), text."""
    labels = await labels_of.get(connection, context.app_state.hub.owner, context.shop)
    rows = await home_store.read_latest_activity(connection, context.shop, ORDERS, HAPPENINGS)
    return [
        (
            row["code"],
            row["happened_at"],
            row["actor"] if "@" in row["actor"] else "",  # services are not users
            event_text(row["kind"], json.loads(row["data"]), labels),
        )
        for row in rows
    ]
