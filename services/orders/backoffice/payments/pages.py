"""Payments: every ledger entry of the shop, the latest first, by kind, method, period and order.

The entries are orders' copy of payments' ledger. There are no totals: the sum of one page would be
misleading.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.responses import Response

from services.chassis.http.paging import CursorInvalid
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.actors import who
from services.orders.backoffice.language.statuses import method_words
from services.orders.backoffice.language.times import read_day, timestamps_read
from services.orders.backoffice.language.translating import (
    LANGUAGES,
    N_,
    gettext,
    page_locale,
    pgettext,
    using_locale,
)
from services.orders.backoffice.order.words import SIGNS, ledger_reference, signed_minor
from services.orders.backoffice.orders.downloading import TooManyExports, download, plain
from services.orders.backoffice.payments import store as payments_store
from services.orders.backoffice.payments.words import kind_words
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.listing import payments as payments_listing
from services.orders.listing.export.payments import ColumnTexts, export_entries
from services.orders.listing.payments import EntriesQuery
from services.orders.order.short_code import read_code

pages = Pages()
pages.in_menu("/payments", N_("All payments"), "payments", 40, Permission.PAYMENTS_VIEW)

PAGE = 50
FILTERS = ("kind", "method", "from", "to", "order")
NOTHING: dict[str, Any] = {"entries": [], "next": None}


@pages.get("/payments", Permission.PAYMENTS_VIEW)
async def show_payments(context: PageContext) -> Response:
    """Show a page of the ledger."""
    typed = _typed(context)
    errors: Mapping[str, str] = {}
    try:
        found = await _read(context, typed)
    except Invalid as invalid:
        found, errors = NOTHING, invalid.errors
    back_links = BackLinks.of(context.query, "after")
    return context.render(
        "payments/list.html",
        entries=[_entry(one) for one in found["entries"]],
        next_href=_href({**typed, **back_links.on(found["next"])}) if found["next"] else "",
        previous_href=_href({**typed, **back_links.back}) if back_links.back is not None else "",
        typed=typed,
        errors=errors,
        is_filtered=any(typed.values()),
        tabs_shown=tabs_of_payments("/payments"),
        kinds=kind_words(),
        methods=method_words(),
        export_query=urlencode({name: text for name, text in typed.items() if text}),
    )


@pages.get("/payments/export.csv", Permission.ORDERS_EXPORT, action="payments.export")
async def export_payments(context: PageContext) -> Response:
    """Export every entry that matches the address's filters as CSV."""
    typed = _typed(context)
    numbers = context.query.get("numbers", "")
    language = numbers if numbers in LANGUAGES else context.locale.language
    try:
        query = await _query(context, typed, after=None)
        context.audited.update(filters=urlencode({name: text for name, text in typed.items() if text}))
        words = _words(context, language)
        return await download(
            context,
            language,
            _file_name(context, language),
            lambda connection, cell_format: export_entries(
                connection, context.shop, query, cell_format, words
            ),
        )
    except Invalid:
        return context.redirect(_href(typed))
    except TooManyExports:
        return context.redirect(
            _href(typed), gettext("Other exports are still running. Try again in a minute."), "note"
        )


def _typed(context: PageContext) -> dict[str, str]:
    return {name: context.query.get(name, "").strip()[:100] for name in FILTERS}


def _words(context: PageContext, language: str) -> ColumnTexts:
    """Return the file's texts in its language; actors have the names that the user sees."""
    with using_locale(replace(context.locale, language=language)):
        headings = [
            pgettext("ledger", "Date"),
            gettext("Received on"),
            pgettext("ledger", "Order"),
            gettext("Customer"),
            pgettext("ledger", "Entry"),
            pgettext("ledger", "Method"),
            gettext("Currency"),
            gettext("Money in or out"),
            gettext("Without money movement"),
            pgettext("ledger", "Reference"),
            gettext("Provider’s reference"),
            pgettext("ledger", "Recorded by"),
            pgettext("ledger", "Note"),
        ]
        return ColumnTexts(headings, kind_words(), SIGNS, who, gettext("Refund sent, not confirmed yet"))


def _file_name(context: PageContext, language: str) -> str:
    """Return a file name such as reglements-maison-2026-11-22-1142-fr.csv."""
    timestamp = context.locale.now.astimezone(context.locale.zone)
    return (
        plain("-".join([gettext("payments"), context.shop, f"{timestamp:%Y-%m-%d-%H%M}", language])) + ".csv"
    )


def tabs_of_payments(here: str) -> list[tuple[str, str, bool, None]]:
    """Return the tabs of the payments pages."""
    tabs = {
        "/payments": pgettext("payments tab", "All entries"),
        "/payments/invoices": pgettext("payments tab", "Invoices"),
        "/payments/unmatched": pgettext("payments tab", "To identify"),
        "/payments/disputes": pgettext("payments tab", "Disputes"),
        "/payments/reconciliation": pgettext("payments tab", "Reconciliation"),
        "/payments/closings": pgettext("payments tab", "Closings"),
        "/payments/webhooks": pgettext("payments tab", "Webhooks"),
    }
    return [(href, text, href == here, None) for href, text in tabs.items()]


async def _read(context: PageContext, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the requested entries. Raises Invalid for typed values, Missing for a forged link."""
    query = await _query(context, typed, context.query.get("after"))
    async with context.reading() as connection:
        try:
            return await payments_listing.read_entries(connection, context.shop, query, context.locale.zone)
        except CursorInvalid:
            raise Missing from None


async def _query(context: PageContext, typed: Mapping[str, str], after: str | None) -> EntriesQuery:
    """Return the requested query. Raises Invalid and Missing as `_read` does."""
    form = Form(list(typed.items()))
    days = {name: form.day(name) for name in ("from", "to")}
    if days["from"] and days["to"] and days["from"] > days["to"]:
        raise Invalid(to=gettext("The start of the range is after its end."))
    kind, method = form.choice("kind", kind_words()), form.choice("method", method_words())
    chosen = {"kind": [kind] if kind else [], "method": [method] if method else []}
    async with context.reading() as connection:
        order_id = await _order_id(context, connection, typed["order"]) if typed["order"] else None
    try:
        return EntriesQuery.model_validate(
            {**chosen, **days, "order_id": order_id, "limit": PAGE, "after": after}
        )
    except ValidationError:
        raise Missing from None


async def _order_id(context: PageContext, connection: Any, text: str) -> Any:
    code = read_code(text)
    order = await payments_store.read_order(connection, context.shop, code) if code else None
    if order is None:
        raise Invalid(order=gettext("No order has this code."))
    return order["order_id"]


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    clearing_on = entry["clearing_on"]
    return {
        **timestamps_read(entry, "recorded_at"),
        "signed_minor": signed_minor(entry["kind"], entry["amount_minor"]),
        "has_sign": entry["kind"] in SIGNS,
        "received_on": _other_day(entry),
        "shown_reference": ledger_reference(entry["kind"], entry["reference"], entry["provider_reference"]),
        "clearing_on": read_day(clearing_on) if clearing_on else None,
    }


def _other_day(entry: Mapping[str, Any]) -> date | None:
    """Return the day the money was received, when it differs from that of the entry."""
    received_on = read_day(entry["received_on"]) if entry["received_on"] else None
    recorded = timestamps_read(entry, "recorded_at")["recorded_at"].astimezone(page_locale().zone).date()
    return received_on if received_on != recorded else None


def _href(values: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in values.items() if value})
    return f"/payments?{query}" if query else "/payments"
