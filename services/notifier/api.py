"""Operators' routes: list and show mails, preview one that does not exist yet, resend or confirm one.

The edge lets only holders of the operators' token reach them.

A preview holds text that customers wrote: it is served with a policy that lets nothing in it run or load.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.chassis.http import edge
from services.chassis.http.paging import dated
from services.chassis.http.problems import Errors
from services.chassis.runtime.hub import Hub
from services.notifier.conversation import thread_routes
from services.notifier.conversation.thread_routes import NotReceived
from services.notifier.links.link import EXAMPLE, url_of
from services.notifier.mails import resending, store
from services.notifier.mails import settings as configured
from services.notifier.mails.compose import previewing
from services.notifier.mails.compose.composing import Pages, write_pages
from services.notifier.mails.compose.logo import with_logo
from services.notifier.mails.compose.previewing import PreviewUnusable
from services.notifier.mails.compose.screening import one_line
from services.notifier.mails.listing import BadRequest, identifier_of, query_of
from services.notifier.mails.mail import MAIL, TO_MERCHANT
from services.notifier.mails.recipients import read_recipients
from services.notifier.mails.resending import MailNotUncertain, MailOnItsWay, MailUnknown
from services.notifier.mails.rules.routes import show_rules
from services.notifier.mails.settings import ShopUnknown
from services.notifier.mails.texts.kept import KeptTexts
from services.notifier.mails.texts.planning import language_of, wording_of
from services.notifier.profile import routes
from services.notifier.sending.bounces.routes import list_alarms, list_suppressions

_HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Endpoint = Callable[[Hub, Request], Awaitable[Response]]
ERRORS: Errors = {
    MailUnknown: 404,
    NotReceived: 404,
    MailOnItsWay: 409,
    MailNotUncertain: 409,
    BadRequest: 422,
    PreviewUnusable: 422,
    ShopUnknown: 422,
}


def build_app(hub: Hub) -> Starlette:
    """Return the notifier's own routes."""
    endpoints: list[tuple[str, str, Endpoint]] = [
        ("GET", "/internal/mails", list_mails),
        ("POST", "/internal/mails/preview", preview_unwritten),
        ("GET", "/internal/mails/{id}", show_mail),
        ("GET", "/internal/mails/{id}/preview", preview),
        ("POST", "/internal/mails/{id}/resend", resend),
        ("POST", "/internal/mails/{id}/arrived", arrived),
        ("GET", "/internal/threads", thread_routes.list_threads),
        ("GET", "/internal/threads/{shop}/{order_id}", thread_routes.show_thread),
        ("GET", "/internal/inbound", thread_routes.list_inbound),
        ("GET", "/internal/inbound/{id}/raw", thread_routes.download_raw),
        ("GET", "/internal/attachments/{id}", thread_routes.download_attachment),
        ("GET", "/internal/suppressions", list_suppressions),
        ("GET", "/internal/mail-rules", show_rules),
        ("GET", "/internal/mail-alarms", list_alarms),
    ]
    return edge.routed(
        [
            Route(path, partial(endpoint, hub), methods=[method])
            for method, path, endpoint in [*endpoints, *routes.ROUTES]
        ],
        {**ERRORS, **routes.ERRORS},
    )


async def list_mails(hub: Hub, request: Request) -> Response:
    """Return `?state=&template=&shop=&order=&text=&ids=&limit=&before=`: mails, the latest first; `next` is
    the `before` of the following page.
    """
    query = query_of(request.query_params)
    async with hub.acquire() as connection:
        found = await store.list_mails(connection, query)
    last = found[-1].mail if len(found) == query.limit else None
    return JSONResponse(
        {
            "mails": [_shown(listed) for listed in found],
            "next": dated(last.created_at, last.id) if last else None,
        }
    )


async def show_mail(hub: Hub, request: Request) -> Response:
    """Return one mail with its outcome, its subject, text and HTML."""
    identifier = identifier_of(request.path_params["id"])
    async with hub.acquire() as connection:
        listed = await store.read_listed(connection, identifier)
    if listed is None:
        raise MailUnknown(identifier)
    pages = await _pages(hub, identifier)
    return JSONResponse({**_shown(listed), **_read(pages)}, headers={"Cache-Control": "no-store"})


async def preview_unwritten(hub: Hub, request: Request) -> Response:
    """Return subject, text and HTML of a mail from the data in the body; nothing is read and nothing changes."""
    return JSONResponse(
        _read(previewing.preview(await request.body(), configured.of(hub), _example_link(hub)))
    )


async def preview(hub: Hub, request: Request) -> Response:
    """Return the mail as HTML, or as text with `?part=text`."""
    pages = await _pages(hub, identifier_of(request.path_params["id"]))
    if request.query_params.get("part", "html") == "text":
        return PlainTextResponse(f"{pages.subject}\n\n{pages.text}", headers=_HARMLESS)
    return HTMLResponse(pages.html, headers=_HARMLESS)


async def resend(hub: Hub, request: Request) -> Response:
    """Send a settled mail again; `?actor=` names the person who requested it."""
    identifier = identifier_of(request.path_params["id"])
    async with hub.unit() as unit:
        await resending.send_again(unit, identifier, _actor(request))
    hub.nudge(MAIL)
    return JSONResponse({"id": str(identifier), "state": "planned"}, 202)


async def arrived(hub: Hub, request: Request) -> Response:
    """Mark an uncertain mail as delivered; `?actor=` names the person who confirmed it."""
    identifier = identifier_of(request.path_params["id"])
    async with hub.unit() as unit:
        await resending.take_as_arrived(unit, identifier, _actor(request))
    return JSONResponse({"id": str(identifier), "state": "done"})


def _actor(request: Request) -> str:
    return one_line(request.query_params.get("actor", "operator"))[:200]


async def _pages(hub: Hub, identifier: UUID) -> Pages:
    async with hub.acquire() as connection:
        mails = await store.read_mails(connection, [identifier])
        if not mails:
            raise MailUnknown(identifier)
        recipients = await read_recipients(connection, mails)
    mail = mails[0]
    wording, language = wording_of(mail.template, mail.context), language_of(mail.locale)
    planned = await KeptTexts().of(mail, wording, language, hub.acquire)
    shop = planned.shop(configured.of(hub).profile(mail.shop))
    link = _example_link(hub) if mail.template not in TO_MERCHANT else None
    pages = write_pages(mail, recipients[mail.id], shop, link, planned.texts)
    return replace(pages, html=with_logo(pages.html, shop))


def _example_link(hub: Hub) -> str | None:
    """Return a link as mails have one, which opens nothing: staff are not given a customer's own."""
    page_url = configured.of(hub).page_url
    return url_of(page_url, EXAMPLE) if page_url else None


def _read(pages: Pages) -> dict[str, str]:
    return {"subject": pages.subject, "text": pages.text, "html": pages.html}


def _shown(listed: store.ListedMail) -> dict[str, Any]:
    mail = listed.mail
    return {
        "id": str(mail.id),
        "shop": mail.shop,
        "order_id": str(mail.order_id) if mail.order_id else None,
        "code": mail.code or None,
        "cause_id": str(mail.cause_id),
        "template": mail.template.value,
        "recipient": mail.recipient,
        "locale": mail.locale,
        "message_id": mail.message_id,
        "created_at": mail.created_at.isoformat(),
        "state": listed.state,
        "attempts": listed.attempts,
        "next_at": listed.next_at.isoformat() if listed.next_at else None,
        "detail": listed.detail,
        "kind": listed.kind,
        "status": listed.status,
        "ended_at": listed.ended_at.isoformat() if listed.ended_at else None,
        "diagnostic": listed.diagnostic,
    }
