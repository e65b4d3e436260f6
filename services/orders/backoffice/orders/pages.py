"""The orders list: queues as tabs, filters as chips, rows with live updates; the «Infos» of an order.

The address is the view. The list's content comes from the engine in `../../finding`; no code here selects
orders.
"""

import json
from functools import partial
from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.orders.backoffice.access import store as people
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.account.preference_pages import CHOICES
from services.orders.backoffice.language.statuses import payment_words, status_words
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import N_, gettext, number
from services.orders.backoffice.order import steps
from services.orders.backoffice.order.actions import facts_of, offered_beside
from services.orders.backoffice.order.activity import timeline
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.orders import columns, filter_form, reading, store
from services.orders.backoffice.orders.chips import Names, chips
from services.orders.backoffice.orders.filter_form import ListRequest
from services.orders.backoffice.orders.reading import Vocabulary
from services.orders.backoffice.orders.words import queue_names, tab_names
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import is_local_path
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Count
from services.orders.listing.finder.rows import read_preview
from services.orders.listing.words import Sort, Tab

pages = Pages()
pages.in_menu("/orders", N_("Orders"), "orders", 20, Permission.ORDERS_VIEW)

MOST_REFRESHED = 100
LATEST = 6
"""Entries of the activity that «Infos» show; the order's page has them all."""


@pages.get("/orders", Permission.ORDERS_VIEW)
async def show_orders(context: PageContext) -> Response:
    """Show a page of the list."""
    async with context.reading() as connection:
        vocabulary = await reading.read_vocabulary(context, connection)
        list_request = filter_form.read(_pairs(context), vocabulary.currency)
        if list_request.is_rough:
            return context.redirect(filter_form.href(list_request.filters))
        if list_request.errors:
            return context.render("orders/list.html", 422, **_shown(context, list_request, vocabulary))
        listed = await reading.read_list(context, connection, list_request)
        if listed.only and list_request.filters == Filters(q=list_request.filters.q):
            return context.redirect(f"/orders/{listed.only}")
        is_new = not listed.rows and not await store.has_orders(connection, context.shop)
    return context.render(
        "orders/list.html",
        **{**_shown(context, list_request, vocabulary), "listed": listed, "is_new": is_new},
    )


@pages.get("/orders/counts", Permission.ORDERS_VIEW, is_use=False)
async def show_counts(context: PageContext) -> Response:
    """Return the tabs with their numbers of orders."""
    async with context.reading() as connection:
        vocabulary = await reading.read_vocabulary(context, connection)
        list_request = filter_form.read(_pairs(context), vocabulary.currency)
        counts = await reading.count_tabs(context, connection)
        of_views = await reading.count_views(context, connection, vocabulary.views)
    return context.render("orders/tabs.html", tabs_shown=_tabs(list_request, vocabulary, counts, of_views))


@pages.get("/orders/news", Permission.ORDERS_VIEW, is_use=False)
async def show_news(context: PageContext) -> Response:
    """Return the number of orders placed since the page was made, as a link that loads them."""
    first = context.query.get("first", "")[:100]
    async with context.reading() as connection:
        vocabulary = await reading.read_vocabulary(context, connection)
        pairs = [pair for pair in _pairs(context) if pair[0] != "first"]
        list_request = filter_form.read(pairs, vocabulary.currency)
        number = await reading.count_news(context, connection, list_request.filters, first)
    return context.render(
        "orders/news.html",
        number=number,
        most=reading.MOST_NEWS,
        again=filter_form.href(list_request.filters),
    )


@pages.get("/orders/rows", Permission.ORDERS_VIEW, is_use=False)
async def show_rows(context: PageContext) -> Response:
    """Return the current version of the rows that changed."""
    wanted = context.request.query_params.getlist("order")[:MOST_REFRESHED]
    async with context.reading() as connection:
        vocabulary = await reading.read_vocabulary(context, connection)
        rows = await reading.rows_of(context, connection, [one for text in wanted if (one := _uuid(text))])
    return context.render("orders/rows.html", rows=rows, **_of_rows(context, vocabulary))


@pages.get("/orders/{code}/infos", Permission.ORDERS_VIEW)
async def show_infos(context: PageContext) -> Response:
    """Show customer, items, shipments and latest activity of an order: beside the list, or as a page."""
    whole = await read_order(context, context.path("code"))
    async with context.reading() as connection:
        order = await read_preview(
            connection, context.shop, whole.id, with_personal=context.may(Permission.ORDERS_PERSONAL)
        )
    if order is None:
        raise Missing
    parts = ("customer", "billing_address", "shipping_address", "shipping", "extra_lines", "totals", "lines")
    read = {name: json.loads(order[name]) if order[name] else None for name in parts}
    return context.render("orders/infos.html", order={**order, **read}, **_followed(context, whole))


def _followed(context: PageContext, read: OrderRead) -> dict[str, Any]:
    """Return the part of «Infos» beside the sale: shipments, the latest activity, and the available actions."""
    order = read.shown
    return {
        "unplaced": order.state in steps.UNPLACED,
        "shipments": order.shipments,
        "arrived": {one.shipment_id: one for one in order.deliveries},
        "is_under_way": partial(steps.is_under_way, order),
        "to_ship": steps.parcels_to_ship(order),
        "entries": timeline(read.history[:LATEST], read.labels, "all"),
        "has_more": len(read.history) > LATEST,
        "actions": offered_beside(facts_of(order), context.may),
        "day_of": read_day,
    }


@pages.post("/orders/display", Permission.ORDERS_VIEW, action="preferences.orders")
async def choose_display(context: PageContext) -> Response:
    """Store a user's columns and row height."""
    form = await context.form()
    chosen = {columns.PREFERENCE: columns.preference_of(form.all("column"))}
    if form["density"] in CHOICES["density"]:
        chosen["density"] = form["density"]
    async with context.unit() as unit:
        await people.set_preferences(unit.connection, context.person.staff_id, json.dumps(chosen))
    return context.redirect(form["back"] if is_local_path(form["back"]) else "/orders")


def _pairs(context: PageContext) -> list[tuple[str, str]]:
    return context.request.query_params.multi_items()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _shown(context: PageContext, list_request: ListRequest, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the page's content except its rows."""
    filters = list_request.filters
    language = context.locale.language
    labels = {label.key: label.text(language) for label in vocabulary.labels.by_key.values()}
    tags = {str(tag["tag_id"]): tag["name"] for tag in vocabulary.tags}
    return {
        **_of_rows(context, vocabulary),
        "list_request": list_request,
        "filters": filters,
        "query": filters.url() or f"tab={Tab.EVERYTHING}",
        "is_new": False,
        "chips": chips(filters, Names(labels, tags)),
        "cleared": filter_form.href(Filters(tab=filters.tab or Tab.EVERYTHING)),
        "queue_options": list(queue_names().items()),
        "with_archived": filter_form.href(filters, tab=Tab.EVERYTHING.value),
        "sorted_currencies": _sorted_currencies(filters, vocabulary),
        "tabs_shown": _tabs(list_request, vocabulary, {}, {}),
        "vocabulary": vocabulary,
        "statuses": status_words(),
        "payments": payment_words(),
        "typed_amounts": {
            name: list_request.typed[name]
            or filter_form.typed_amount(getattr(filters, target), filters.currency)
            for name, target in filter_form.TYPED_AMOUNTS.items()
        },
        "sorted_by": {sort.value: filter_form.href(filters, sort=sort.value) for sort in Sort},
        "has_news": reading.can_have_news(list_request),
        "saved": next((view for view in vocabulary.views if view.query == filters.url()), None),
        "column_names": columns.names(),
        "label_options": [(one.key, one.text(language)) for one in vocabulary.labels.choices()],
        "carrier_options": [(one, one) for one in vocabulary.carriers],
        "export_manners": _formats(language),
        "currency_options": [("", gettext("All currencies")), *((one, one) for one in vocabulary.currencies)],
    }


def _sorted_currencies(filters: Filters, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Return the currencies that a list sorted by total mixes, each with the address of the list in only that
    one.
    """
    if not filters.sort.is_by_total or filters.currency or len(vocabulary.currencies) < 2:
        return []
    return [(one, filter_form.href(filters, currency=one)) for one in vocabulary.currencies]


def _formats(language: str) -> list[tuple[str, str, str]]:
    """Return the export formats, the user's own first: value, name, example."""
    found = [
        ("fr", gettext("CSV for French spreadsheets"), "1234,50"),
        ("en", gettext("CSV for English spreadsheets"), "1234.50"),
    ]
    return sorted(found, key=lambda one: one[0] != language)


def _of_rows(context: PageContext, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the values that every row needs."""
    return {
        "columns": columns.chosen(context.preference(columns.PREFERENCE, "")),
        "labels": vocabulary.labels.by_key,
        "listed": None,
    }


def _tabs(
    list_request: ListRequest, vocabulary: Vocabulary, counts: dict[Tab, Count], of_views: dict[UUID, Count]
) -> list[tuple[str, str, bool, str]]:
    """Return the tabs: queues first, then saved views; as address, text, whether it is selected, count."""
    bare = list_request.filters.url()
    is_view = any(bare == view.query for view in vocabulary.views)
    shown = Tab.ALL if list_request.filters.tab in (None, Tab.EVERYTHING) else list_request.filters.tab
    queues = [
        (filter_form.href(Filters(tab=tab)), text, tab is shown and not is_view, _counted(counts.get(tab)))
        for tab, text in tab_names().items()
    ]
    views = [
        (f"/orders?{view.query}", view.name, bare == view.query, _counted(of_views.get(view.view_id)))
        for view in vocabulary.views
    ]
    return [*queues, *views]


def _counted(count: Count | None) -> str:
    if count is None:
        return ""
    return number(count.number) + ("" if count.is_exact else "+")
