"""Operators' routes: list and show mails, preview one that does not exist yet, resend or confirm one.

All require the internal token.

A preview holds text that customers wrote: it is served with a policy that lets nothing in it run or load.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.chassis.http import edge
from services.chassis.http.edge import problem
from services.chassis.http.operating import may_operate
from services.chassis.runtime.hub import Hub
from services.notifier.mails import resending, store
from services.notifier.mails import settings as configured
from services.notifier.mails.compose import previewing
from services.notifier.mails.compose.composing import Pages, write_pages
from services.notifier.mails.compose.previewing import PreviewUnusable
from services.notifier.mails.compose.screening import one_line
from services.notifier.mails.listing import BadRequest, identifier_of, query_of
from services.notifier.mails.resending import MailNotUncertain, MailOnItsWay, MailUnknown
from services.notifier.mails.settings import ShopUnknown
from services.notifier.mails.unit import MAIL

LARGEST_PREVIEW_BYTES = 256 * 1024
_HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Endpoint = Callable[[Hub, Request], Awaitable[Response]]


def build_app(hub: Hub) -> Starlette:
    """Return the notifier's own routes."""
    app = Starlette(
        routes=[
            Route("/internal/mails", _guarded(hub, list_mails)),
            Route("/internal/mails/preview", _guarded(hub, preview_unwritten), methods=["POST"]),
            Route("/internal/mails/{id}", _guarded(hub, show_mail)),
            Route("/internal/mails/{id}/preview", _guarded(hub, preview)),
            Route("/internal/mails/{id}/resend", _guarded(hub, resend), methods=["POST"]),
            Route("/internal/mails/{id}/arrived", _guarded(hub, arrived), methods=["POST"]),
        ]
    )
    edge.install(app)
    return app


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
            "next": f"{last.created_at.isoformat()}_{last.id}" if last else None,
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
    body = await request.body()
    if len(body) > LARGEST_PREVIEW_BYTES:
        raise BadRequest(f"the body has {len(body)} bytes, at most {LARGEST_PREVIEW_BYTES} make a mail")
    return JSONResponse(_read(previewing.preview(body, configured.of(hub))))


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


def _guarded(hub: Hub, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if not may_operate(hub, request):
            return problem(401, "send the operators' token: Authorization: Bearer …")
        try:
            return await endpoint(hub, request)
        except MailUnknown as unknown:
            return problem(404, str(unknown))
        except (MailOnItsWay, MailNotUncertain) as moving:
            return problem(409, str(moving))
        except (BadRequest, PreviewUnusable, ShopUnknown) as bad:
            return problem(422, str(bad))

    return answer


async def _pages(hub: Hub, identifier: UUID) -> Pages:
    async with hub.acquire() as connection:
        mails = await store.read_mails(connection, [identifier])
        if not mails:
            raise MailUnknown(identifier)
        addressees = await store.read_addressees(connection, [(mails[0].shop, mails[0].order_id)])
    return write_pages(mails[0], addressees[0], configured.of(hub).profile(mails[0].shop))


def _read(pages: Pages) -> dict[str, str]:
    return {"subject": pages.subject, "text": pages.text, "html": pages.html}


def _shown(listed: store.ListedMail) -> dict[str, Any]:
    mail = listed.mail
    return {
        "id": str(mail.id),
        "shop": mail.shop,
        "order_id": str(mail.order_id),
        "code": mail.code,
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
    }
