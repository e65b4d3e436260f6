"""Received mails without a conversation: read, filed under an order with one click, or set aside with a reason.

A mail belongs to the shop that received it. Its original is shown in a frame in which no script runs and nothing
is loaded, and can be downloaded unchanged.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response, StreamingResponse

from contracts.notifier.conversation import TO_BE_FILED, FileMail
from services.orders.api.owners.clients import File, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.conversation import store, words
from services.orders.backoffice.conversation.original import MOST_BYTES, original
from services.orders.backoffice.conversation.pages import MAILS, tabs_of
from services.orders.backoffice.conversation.waiting import count_again
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.order.facts import order_named
from services.orders.backoffice.order.store import read_facts
from services.orders.backoffice.web.actions.action import Errors, carry_out, command
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import FRAMED_POLICY
from services.orders.order.search.folding import fold

pages = Pages()
PAGE = 30
DOWNLOAD_SECONDS = 30.0
SHOWS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "": (N_("To be filed"), {"waiting": "yes"}),
    "parked": (N_("Unreadable"), {"outcome": "parked", "filed": "no"}),
    "filed": (N_("Filed or set aside"), {"filed": "yes"}),
    "all": (N_("All received mails"), {}),
}
"""Filters of the list: label, and the outcomes requested from the notifier."""
DOWNLOAD_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
Row = Mapping[str, Any]


@pages.get(MAILS, Permission.CONVERSATION_READ)
async def show_mails(context: PageContext) -> Response:
    """Show a page of received mails, the latest first."""
    return await _show_list(context)


@pages.get(MAILS + "/now", Permission.CONVERSATION_READ, is_use=False)
async def show_mails_again(context: PageContext) -> Response:
    """Return the same for a page that polls; it does not count as use of the session."""
    return await _show_list(context)


async def show_mail_again(context: PageContext, errors: Errors) -> Response:
    """Show one received mail, with the submitted values and their errors."""
    found = await _mail(context)
    mail = found if isinstance(found, ServiceUnavailable) else (await _with_suggestions(context, [found]))[0]
    return context.render(
        "conversation/mail.html",
        422 if errors else 200,
        mail=mail,
        mail_id=context.path_uuid("mail"),
        errors=errors,
        typed=context.form_read,
        outcomes=words.OUTCOMES,
        fileable=TO_BE_FILED,
        attachment_notes=words.ATTACHMENTS,
        longest=words.LONGEST_REASON,
    )


@pages.get(MAILS + "/{mail}", Permission.CONVERSATION_READ)
async def show_mail(context: PageContext) -> Response:
    """Show one received mail with its original."""
    return await show_mail_again(context, {})


@pages.get(MAILS + "/{mail}/original", Permission.CONVERSATION_READ)
async def show_original(context: PageContext) -> Response:
    """Return the mail for the frame on its page: no script runs, nothing is fetched."""
    found = await _raw(context)
    content = b""
    async for piece in found.content:
        content += piece
        if len(content) > MOST_BYTES:
            break
    html = await asyncio.to_thread(original, content)
    return HTMLResponse(html, headers={"Content-Security-Policy": FRAMED_POLICY, "Cache-Control": "no-store"})


@pages.get(MAILS + "/{mail}/raw", Permission.CONVERSATION_READ)
async def download_raw(context: PageContext) -> Response:
    """Return the unchanged mail as a file."""
    found = await _raw(context)
    return _download(found.content, f"{context.path_uuid('mail')}.eml")


@pages.get("/conversation/attachments/{attachment}", Permission.CONVERSATION_READ)
async def download_attachment(context: PageContext) -> Response:
    """Return an attachment as a file, which a browser saves and never shows."""
    path = f"/internal/attachments/{context.path_uuid('attachment')}"
    found = await _file(context, path)
    response = StreamingResponse(found.content, media_type=found.media_type, headers=DOWNLOAD_HEADERS)
    response.headers["Content-Disposition"] = found.disposition
    return response


@pages.post(MAILS + "/{mail}/file", Permission.CONVERSATION_WRITE, action="mail.file", again=show_mail_again)
async def file_mail(context: PageContext) -> Response:
    """File the mail under the order with the typed or clicked code; it is posted in that conversation."""
    mail_id = context.path_uuid("mail")
    order_id, code = order_named_in(context.form_read["order"])
    async with context.reading() as connection:
        row = await read_facts(connection, context.shop, order_id, code)
    if row is None:
        raise Invalid(order=gettext("There is no order with this code."))
    about = {"shop": context.shop, "inbound_id": mail_id, "order_id": row["order_id"]}
    filing = command(context, row["order_id"], lambda _: FileMail(**about, actor=context.actor))
    flash = gettext("Mail filed under order %(code)s.", code=row["code"])
    response = await carry_out(context, filing, to=f"/orders/{row['code']}/conversation", flash=flash)
    count_again(context)
    return response


@pages.post(
    MAILS + "/{mail}/set-aside", Permission.CONVERSATION_WRITE, action="mail.set_aside", again=show_mail_again
)
async def set_aside(context: PageContext) -> Response:
    """Set the mail aside; it stays readable, with the reason."""
    mail_id, reason = context.path_uuid("mail"), context.form_read.text("reason", words.LONGEST_REASON)
    if reason is None:
        raise Invalid(reason=gettext("Give a reason."))
    about = {"shop": context.shop, "inbound_id": mail_id, "reason": reason}
    setting = command(context, None, lambda _: FileMail(**about, actor=context.actor))
    response = await carry_out(context, setting, to=MAILS, flash=gettext("Mail set aside."))
    count_again(context)
    return response


def order_named_in(typed: str) -> tuple[Any, str | None]:
    """Return the typed order id or code, None for the other. Raises Invalid."""
    try:
        return order_named(typed.strip().lstrip("#"))
    except Missing:
        raise Invalid(order=gettext("There is no order with this code.")) from None


async def _show_list(context: PageContext) -> Response:
    show, back_links = context.query.get("show", ""), BackLinks.of(context.query, "before")
    if show not in SHOWS:
        raise Missing
    found = await _listed(context, limit=str(PAGE), before=back_links.here[:100], **SHOWS[show][1])
    if isinstance(found, ServiceUnavailable):
        mails, more = [], None
    else:
        mails, more = await _with_suggestions(context, found["mails"]), found["next"]
    return context.render(
        "conversation/mails.html",
        owner=found if isinstance(found, ServiceUnavailable) else None,
        mails=mails,
        show=show,
        shows=[(_href(one), gettext(name), one == show) for one, (name, _) in SHOWS.items()],
        tabs_shown=await tabs_of(context, MAILS),
        query=urlencode(_filled(show, back_links.stay)),
        next_href=_href(show, back_links.on(more)) if more else "",
        previous_href=_href(show, back_links.back) if back_links.back is not None else "",
        outcomes=words.OUTCOMES,
        fileable=TO_BE_FILED,
    )


async def _mail(context: PageContext) -> Row | ServiceUnavailable:
    """Return the received mail in the path. Raises Missing when the shop has no such mail."""
    found = await _listed(context, id=str(context.path_uuid("mail")), limit="1")
    if isinstance(found, ServiceUnavailable):
        return found
    if not found["mails"]:
        raise Missing
    mail: Row = found["mails"][0]
    return mail


async def _listed(context: PageContext, **filters: str) -> Row | ServiceUnavailable:
    """Return the notifier's list of received mails of the user's shop. Raises Missing for a forged link."""
    query = {name: value for name, value in filters.items() if value}
    found = await context.app_state.clients.get("notifier", "/internal/inbound", shop=context.shop, **query)
    if isinstance(found, ServiceUnavailable):
        return found
    if found.status != 200:
        raise Missing
    mails = [timestamps_read(mail, "received_at", "filed_at") for mail in found.body["mails"]]
    return {**found.body, "mails": mails}


async def _with_suggestions(context: PageContext, mails: Sequence[Row]) -> list[Row]:
    """Return mails with the latest orders of their senders."""
    senders = {mail["id"]: fold(parseaddr(mail["sender"] or mail["envelope_from"])[1]) for mail in mails}
    wanted = sorted({sender for sender in senders.values() if sender})
    async with context.reading() as connection:
        rows = await store.read_orders_of(connection, context.shop, wanted) if wanted else []
    return [
        {**mail, "suggested": [row for row in rows if row["mail"] == senders[mail["id"]]]} for mail in mails
    ]


async def _raw(context: PageContext) -> File:
    return await _file(context, f"/internal/inbound/{context.path_uuid('mail')}/raw")


async def _file(context: PageContext, path: str) -> File:
    """Return a file of the notifier that the user's shop received. Raises Missing."""
    found = await context.app_state.clients.file(
        "notifier", path, seconds=DOWNLOAD_SECONDS, shop=context.shop
    )
    if not isinstance(found, File):
        raise Missing
    return found


def _download(content: AsyncIterator[bytes], name: str) -> Response:
    headers = {**DOWNLOAD_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)


def _href(show: str, cursor: Mapping[str, str] | None = None) -> str:
    query = urlencode(_filled(show, cursor or {}))
    return f"{MAILS}?{query}" if query else MAILS


def _filled(show: str, cursor: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in {"show": show, **cursor}.items() if value}
