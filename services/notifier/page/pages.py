"""What the page shows: the order, its documents and files. GET only; nothing here changes anything."""

from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from starlette.responses import Response

from contracts.catalogue import type_of
from contracts.notifier.page import CancellationRequested
from services.chassis.messaging.outbox_store import emitted_at
from services.chassis.storage.database import Connection
from services.notifier.page import threads
from services.notifier.page.branding import logo_response
from services.notifier.page.opening import LinkState
from services.notifier.page.page_request import NOTHING_TYPED, PageRequest, Typed
from services.notifier.page.rendering import refused
from services.notifier.page.service_clients import OwnerUnavailable

ON_ITS_WAY = timedelta(hours=1)
"""A request to cancel that orders has not received yet hides the form for this long."""
_DOWNLOAD = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store"}


async def show_order(page_request: PageRequest, typed: Typed = NOTHING_TYPED, status: int = 200) -> Response:
    """Return the order's page; `typed` is a message that was not sent."""
    if page_request.link.state is not LinkState.OPEN:
        return show_gone(page_request)
    view = None
    try:
        document = await page_request.order()
        if document is None:
            return show_gone(page_request, 410)
        view = page_request.view(document)
    except OwnerUnavailable:
        pass  # the page says so, and shows the conversation
    async with page_request.hub.acquire() as connection:
        messages = await threads.read(
            connection, page_request.link, page_request.formatter(), page_request.words["thread"]
        )
        is_requested = await _is_cancellation_requested(connection, page_request)
    is_posted = page_request.named("message") in {one.id for one in messages if one.is_from_page}
    notice = (
        page_request.words["cancel" if is_requested else "thread"]["sent"]
        if is_requested or is_posted
        else ""
    )
    return page_request.render(
        "order.html",
        status,
        order=view,
        messages=messages,
        notice=notice,
        typed=typed,
        is_requested=is_requested,
    )


async def _is_cancellation_requested(connection: Connection, page_request: PageRequest) -> bool:
    """Return whether the request to cancel that the address names was sent for this order just now."""
    request_id, link = page_request.named("request"), page_request.link
    if request_id is None:
        return False
    event = type_of(CancellationRequested, page_request.hub.service)
    sent_at = await emitted_at(connection, request_id, event, link.shop, str(link.order_id))
    return sent_at is not None and sent_at > page_request.hub.clock.now() - ON_ITS_WAY


def show_gone(page_request: PageRequest, status: int | None = None) -> Response:
    """Return the same page for every link that opens nothing."""
    return page_request.render("gone.html", status or page_request.link.status, is_sent=False)


async def show_cancellation(
    page_request: PageRequest, typed: Typed = NOTHING_TYPED, status: int = 200
) -> Response:
    """Return the page that asks whether to cancel, with what would be paid back; or the rule against it."""
    if page_request.link.state is not LinkState.OPEN:
        return show_gone(page_request)
    try:
        document = await page_request.order()
    except OwnerUnavailable:
        return page_request.render("cancel.html", 503, order=None, typed=typed)
    if document is None:
        return show_gone(page_request, 410)
    return page_request.render("cancel.html", status, order=page_request.view(document), typed=typed)


async def show_document(page_request: PageRequest) -> Response:
    """Return the PDF of an invoice or credit note of this order; any other one does not exist here."""
    if page_request.link.state is not LinkState.OPEN:
        return show_gone(page_request)
    try:
        document = await page_request.order()
        wanted = page_request.request.path_params["document"]
        found = [one for one in (document or {}).get("documents", ()) if one["invoice_id"] == wanted]
        if not found:
            return _nowhere(page_request)
        pdf = await page_request.clients.pdf(page_request.link.shop, wanted)
    except OwnerUnavailable:
        return page_request.render("down.html", 503)
    name = f"{_plain(found[0]['number'])}.pdf"
    headers = {**_DOWNLOAD, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(pdf, media_type="application/pdf", headers=headers)


async def show_logo(page_request: PageRequest) -> Response:
    """Return the logo of the order's shop."""
    is_open = page_request.link.state is LinkState.OPEN and page_request.shop is not None
    picture = logo_response(page_request.shop) if is_open and page_request.shop else None
    return picture or (_nowhere(page_request) if is_open else show_gone(page_request))


async def show_file(page_request: PageRequest) -> Response:
    """Return a file of the order's conversation, as a download."""
    identifier = _identifier(page_request.request.path_params["file"])
    if page_request.link.state is not LinkState.OPEN:
        return show_gone(page_request)
    if identifier is None:
        return _nowhere(page_request)
    async with page_request.hub.acquire() as connection:
        row = await threads.read_file(connection, page_request.link, identifier)
    if row is None:
        return _nowhere(page_request)
    name = row["name"]
    disposition = f"attachment; filename=\"{_plain(name)}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(
        row["content"], media_type=row["type"], headers={**_DOWNLOAD, "Content-Disposition": disposition}
    )


def _nowhere(page_request: PageRequest) -> Response:
    """Return the same page for what is of another order and what never was."""
    return refused(page_request.request, "nowhere", 404, locale=page_request.link.locale)


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _plain(name: str) -> str:
    return "".join(sign if (sign.isascii() and sign.isalnum()) or sign in "._- " else "_" for sign in name)
