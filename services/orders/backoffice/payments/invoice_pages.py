"""Invoices and credit notes: the list, their PDFs, several printed as one, and files for the accountant.

Payments owns the documents: everything is read there. A PDF is shown in the browser, which prints it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import File, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations.parked import request
from services.orders.backoffice.payments.pages import tabs_of_payments
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.clients.invoicing import read_invoicing_state
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
LIST = "/payments/invoices"
SETTINGS = "/settings/invoices"
PAGE = 50
FILTERS = ("kind", "number", "from", "to")
SHEETS = ("csv", "journal", "zip")
DOWNLOAD_SECONDS = 120.0
MOST_TO_PRINT, MOST_NAMED = 200, 12


async def _show(context: PageContext, errors: Errors) -> Response:
    typed = {name: context.query.get(name, "").strip()[:100] for name in FILTERS}
    back_links = BackLinks.of(context.query, "after")
    answer: Mapping[str, Any] | ServiceUnavailable = {}
    invoicing = await read_invoicing_state(context)
    try:
        answer = await _read(context, typed, back_links.here)
    except Invalid as invalid:
        errors = invalid.errors
    down = answer if isinstance(answer, ServiceUnavailable) else None
    body: Mapping[str, Any] = {} if isinstance(answer, ServiceUnavailable) else answer
    following = body.get("next")
    return context.render(
        "payments/invoices.html",
        down=down,
        invoicing=invoicing,
        invoices=[_row(one) for one in body.get("invoices", [])],
        without_pdf=body.get("without_pdf", 0),
        pdf_states=pdf_states(),
        next_href=_href({**typed, **back_links.on(following)}) if following else "",
        previous_href=_href({**typed, **back_links.back}) if back_links.back is not None else "",
        typed=typed,
        errors=errors,
        is_filtered=any(typed.values()),
        kinds=kinds(),
        tabs_shown=tabs_of_payments(LIST),
        query=urlencode({name: text for name, text in typed.items() if text}),
    )


@pages.get(LIST, Permission.PAYMENTS_VIEW)
async def show_invoices(context: PageContext) -> Response:
    """Show a page of documents, the latest first."""
    return await _show(context, {})


@pages.post(f"{LIST}/retry", Permission.SETTINGS_CHANGE, action="invoicing.retry", again=_show)
async def retry_failed(context: PageContext) -> Response:
    """Request a retry of the invoices that could not be issued, and of the PDFs that failed."""

    async def act(_: Unit) -> None:
        answer = await request(context, "payments", "invoicing/retry", {"shop": context.shop})
        context.audited["orders"] = answer.get("orders", 0)

    flash = gettext("Retry started. Invoices that fail again are listed here.")
    return await carry_out(
        context, act, to=LIST if context.form_read.ticked("from_list") else SETTINGS, flash=flash
    )


@pages.get(f"{LIST}/print", Permission.PAYMENTS_VIEW, action="invoices.print")
async def print_invoices(context: PageContext) -> Response:
    """Show the chosen documents as one PDF."""
    chosen = context.query.getlist("id")
    if not chosen:
        return context.redirect(LIST, gettext("Tick the invoices to print first."), "note")
    context.audited.update(documents=len(chosen))
    if why := await _unprinted(context, chosen):
        return context.redirect(LIST, why, "note")
    return await _file(context, "/internal/invoices/print", shop=context.shop, id=chosen)


async def _unprinted(context: PageContext, chosen: list[str]) -> str:
    """Return which of the chosen documents have no PDF, as a sentence; empty when all can be printed. A payments of a
    version that does not report it answers the request for the file itself."""
    answer = await context.app_state.clients.get(
        "payments", "/internal/invoices", shop=context.shop, id=chosen, limit=str(MOST_TO_PRINT)
    )
    rows = [] if isinstance(answer, ServiceUnavailable) or answer.status != 200 else answer.body["invoices"]
    failed, waiting = (
        _numbers(sorted(one["number"] for one in rows if one.get("pdf") == state))
        for state in ("failed", "waiting")
    )
    if not failed and not waiting:
        return ""
    sentences = [gettext("Nothing was printed. Tick only the others and print again.")]
    if failed:
        sentences.append(gettext("Creating the PDF failed for: %(numbers)s.", numbers=failed))
    if waiting:
        sentences.append(gettext("The PDF is not ready yet for: %(numbers)s.", numbers=waiting))
    return " ".join(sentences)


def _numbers(numbers: list[str]) -> str:
    """Return numbers as a list, the first ones of many: a short notice must hold it, and the page marks each."""
    return ", ".join(numbers[:MOST_NAMED]) + (", …" if len(numbers) > MOST_NAMED else "")


@pages.get(f"{LIST}/export/{{form}}", Permission.ORDERS_EXPORT, action="invoices.export")
async def export_invoices(context: PageContext) -> Response:
    """Send all documents of the filter as CSV, as a sales journal, or their PDFs as ZIP."""
    form = context.path("form")
    if form not in SHEETS:
        raise Missing
    typed = {name: text for name in FILTERS if (text := context.query.get(name, "").strip()[:100])}
    context.audited.update(form=form, filters=urlencode(typed))
    return await _file(context, f"/internal/invoices/export/{form}", shop=context.shop, **typed)


@pages.get(f"{LIST}/{{invoice}}/pdf", Permission.ORDERS_VIEW)
async def show_pdf(context: PageContext) -> Response:
    """Show a document's PDF."""
    return await _file(context, f"/internal/invoices/{context.shop}/{context.path_uuid('invoice')}/pdf")


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as the list shows it: the amounts of a credit note are negative, as in the files."""
    sign = -1 if one["kind"] == "credit_note" else 1
    amounts = {name: sign * one[name] for name in ("net_minor", "tax_minor", "total_minor")}
    return {**one, **amounts, "issued_on": read_day(one["issued_on"])}


def kinds() -> dict[str, str]:
    """Return the labels of the kinds of documents."""
    return {"invoice": gettext("Invoice"), "credit_note": gettext("Credit note")}


def pdf_states() -> dict[str, tuple[str, str]]:
    """Return label and badge tone of a document whose PDF is not made, by its state."""
    return {
        "failed": (gettext("PDF failed"), "danger"),
        "waiting": (gettext("PDF not ready yet"), "neutral"),
    }


async def _file(context: PageContext, path: str, **query: str | list[str]) -> Response:
    """Return a file from payments, or redirect to the list with the reason why there is none."""
    found = await context.app_state.clients.file("payments", path, seconds=DOWNLOAD_SECONDS, **query)
    if isinstance(found, File):
        headers = {"content-disposition": found.disposition}
        return StreamingResponse(found.content, media_type=found.media_type, headers=headers)
    if found == 404:
        raise Missing
    if found == 409:
        return context.redirect(
            LIST, gettext("The PDF can’t be created. Contact your administrator."), "note"
        )
    return context.redirect(LIST, gettext("The PDF is not ready yet. Try again in a moment."), "note")


async def _read(
    context: PageContext, typed: Mapping[str, str], after: str
) -> Mapping[str, Any] | ServiceUnavailable:
    """Return a page of documents. Raises Invalid for typed values, Missing for a forged link."""
    form = Form(list(typed.items()))
    days = {name: form.day(name) for name in ("from", "to")}
    if days["from"] and days["to"] and days["from"] > days["to"]:
        raise Invalid(to=gettext("The start of the range is after its end."))
    kind, number = form.choice("kind", kinds()), form.text("number", longest=40)
    query = {"kind": kind, "number": number, "after": after or None}
    query |= {name: day.isoformat() for name, day in days.items() if day}
    given = {name: text for name, text in query.items() if text}
    answer = await context.app_state.clients.get(
        "payments", "/internal/invoices", shop=context.shop, limit=str(PAGE), **given
    )
    if isinstance(answer, ServiceUnavailable):
        return answer
    if answer.status != 200:
        raise Missing
    return answer.body


def _href(values: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{LIST}?{query}" if query else LIST
