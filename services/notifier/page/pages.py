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
from services.notifier.page.opening import Standing
from services.notifier.page.owners import OwnerUnavailable
from services.notifier.page.rendering import refused
from services.notifier.page.visit import NOTHING_TYPED, Typed, Visit

ON_ITS_WAY = timedelta(hours=1)
"""A request to cancel that orders has not received yet hides the form for this long."""
_DOWNLOAD = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store"}


async def show_order(visit: Visit, typed: Typed = NOTHING_TYPED, status: int = 200) -> Response:
    """Return the order's page; `typed` is a message that was not sent."""
    if visit.link.standing is not Standing.OPEN:
        return show_gone(visit)
    view = None
    try:
        document = await visit.order()
        if document is None:
            return show_gone(visit, 410)
        view = visit.view(document)
    except OwnerUnavailable:
        pass  # the page says so, and shows the conversation
    async with visit.hub.acquire() as connection:
        messages = await threads.read(connection, visit.link, visit.figures(), visit.words["thread"])
        is_asked = await _is_asked(connection, visit)
    is_posted = visit.named("message") in {one.id for one in messages if one.is_from_page}
    said = visit.words["cancel" if is_asked else "thread"]["sent"] if is_asked or is_posted else ""
    return visit.render(
        "order.html", status, order=view, messages=messages, said=said, typed=typed, is_asked=is_asked
    )


async def _is_asked(connection: Connection, visit: Visit) -> bool:
    """Return whether the request to cancel that the address names was sent for this order just now."""
    request_id, link = visit.named("request"), visit.link
    if request_id is None:
        return False
    event = type_of(CancellationRequested, visit.hub.service)
    sent_at = await emitted_at(connection, request_id, event, link.shop, str(link.order_id))
    return sent_at is not None and sent_at > visit.hub.clock.now() - ON_ITS_WAY


def show_gone(visit: Visit, status: int | None = None) -> Response:
    """Return the same page for every link that opens nothing."""
    return visit.render("gone.html", status or visit.link.status, is_sent=False)


async def show_cancellation(visit: Visit, typed: Typed = NOTHING_TYPED, status: int = 200) -> Response:
    """Return the page that asks whether to cancel, with what would be paid back; or the rule against it."""
    if visit.link.standing is not Standing.OPEN:
        return show_gone(visit)
    try:
        document = await visit.order()
    except OwnerUnavailable:
        return visit.render("cancel.html", 503, order=None, typed=typed)
    if document is None:
        return show_gone(visit, 410)
    return visit.render("cancel.html", status, order=visit.view(document), typed=typed)


async def show_document(visit: Visit) -> Response:
    """Return the PDF of an invoice or credit note of this order; any other one does not exist here."""
    if visit.link.standing is not Standing.OPEN:
        return show_gone(visit)
    try:
        document = await visit.order()
        wanted = visit.request.path_params["document"]
        found = [one for one in (document or {}).get("documents", ()) if one["invoice_id"] == wanted]
        if not found:
            return _nowhere(visit)
        pdf = await visit.owners.pdf(visit.link.shop, wanted)
    except OwnerUnavailable:
        return visit.render("down.html", 503)
    name = f"{_plain(found[0]['number'])}.pdf"
    headers = {**_DOWNLOAD, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(pdf, media_type="application/pdf", headers=headers)


async def show_logo(visit: Visit) -> Response:
    """Return the logo of the order's shop."""
    is_open = visit.link.standing is Standing.OPEN and visit.shop is not None
    picture = logo_response(visit.shop) if is_open and visit.shop else None
    return picture or (_nowhere(visit) if is_open else show_gone(visit))


async def show_file(visit: Visit) -> Response:
    """Return a file of the order's conversation, as a download."""
    identifier = _identifier(visit.request.path_params["file"])
    if visit.link.standing is not Standing.OPEN:
        return show_gone(visit)
    if identifier is None:
        return _nowhere(visit)
    async with visit.hub.acquire() as connection:
        row = await threads.read_file(connection, visit.link, identifier)
    if row is None:
        return _nowhere(visit)
    name = row["name"]
    disposition = f"attachment; filename=\"{_plain(name)}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(
        row["content"], media_type=row["type"], headers={**_DOWNLOAD, "Content-Disposition": disposition}
    )


def _nowhere(visit: Visit) -> Response:
    """Return the same page for what is of another order and what never was."""
    return refused(visit.request, "nowhere", 404, locale=visit.link.locale)


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _plain(name: str) -> str:
    return "".join(sign if (sign.isascii() and sign.isalnum()) or sign in "._- " else "_" for sign in name)
