"""The list as CSV: all orders that match its filters, or the chosen ones; the audit has user and filters."""

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.orders import chosen, filter_form, reading
from services.orders.backoffice.orders.downloading import TooManyExports, download, plain
from services.orders.backoffice.orders.words import queue_names
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import is_local_path
from services.orders.listing.export.orders import export, export_chosen
from services.orders.listing.filters import Filters

pages = Pages()
NUMBERS = "numbers"
"""The parameter with the language of numbers; without it, the user's language applies."""


@pages.get("/orders/export.csv", Permission.ORDERS_EXPORT, action="orders.export")
async def export_list(context: PageContext) -> Response:
    """Export all orders that match the address's filters."""
    pairs = [pair for pair in context.request.query_params.multi_items() if pair[0] != NUMBERS]
    async with context.reading() as connection:
        vocabulary = await reading.read_vocabulary(context, connection)
    list_request = filter_form.read(pairs, vocabulary.currency)
    if list_request.errors:
        return context.redirect(f"/orders?{context.request.url.query}")
    language = _language(context, context.query.get(NUMBERS, ""))
    context.audited.update(filters=list_request.filters.url(), numbers=language)

    try:
        return await download(
            context,
            language,
            _name(context, language, list_request.filters),
            lambda connection, cell_format: export(
                connection, context.app_state.finder, context.shop, list_request.filters, cell_format
            ),
        )
    except TooManyExports:
        return _later(context, filter_form.href(list_request.filters))


@pages.post("/orders/export", Permission.ORDERS_EXPORT, action="orders.export")
async def export_ticked(context: PageContext) -> Response:
    """Export the chosen orders; a whole list is exported by `export_list`."""
    form = await context.form()
    back = form["back"] if is_local_path(form["back"]) else "/orders"
    if form["everything"]:
        return context.redirect(f"/orders/export.csv?{chosen.filters_of(form).url()}")
    ids = await chosen.orders_of(context, form)
    if not ids:
        return context.redirect(back, gettext("No orders are selected."), "note")
    language = _language(context, form[NUMBERS])
    context.audited.update(orders=len(ids), numbers=language)
    try:
        return await download(
            context,
            language,
            _name(context, language, None),
            lambda connection, cell_format: export_chosen(connection, context.shop, ids, cell_format),
        )
    except TooManyExports:
        return _later(context, back)


def _language(context: PageContext, wanted: str) -> str:
    return wanted if wanted in ("fr", "en") else context.locale.language


def _name(context: PageContext, language: str, filters: Filters | None) -> str:
    """Return a file name such as commandes-maison-a-traiter-2026-11-22-1142-fr.csv."""
    timestamp = context.locale.now.astimezone(context.locale.zone)
    parts = [gettext("orders"), context.shop]
    if filters is None:
        parts.append(gettext("selection"))
    elif filters.tab:
        parts.append(queue_names()[filters.tab])
    if filters and filters.url(tab=None):
        parts.append(gettext("filtered"))
    return plain("-".join([*parts, f"{timestamp:%Y-%m-%d-%H%M}", language])) + ".csv"


def _later(context: PageContext, to: str) -> Response:
    return context.redirect(to, gettext("Other exports are still running. Try again in a minute."), "note")
