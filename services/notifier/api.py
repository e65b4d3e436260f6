"""The operators' routes: mails by state, a mail as it reads, send one again. All ask for the internal token.

A preview holds text that customers wrote: it is served with a policy that lets nothing in it run or load.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.chassis.health import may_operate
from services.chassis.hub import Hub
from services.notifier import resending, store
from services.notifier import settings as configured
from services.notifier.book import MAIL
from services.notifier.composing import Pages, write_pages
from services.notifier.resending import MailOnItsWay, UnknownMail
from services.notifier.screening import one_line
from services.notifier.settings import UnknownShop

STATES = ("planned", "in_flight", "done", "failed", "uncertain", "discarded")
_PAGE = 100
_MOST = 500
_HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Endpoint = Callable[[Hub, Request], Awaitable[Response]]


class BadRequest(ValueError):
    """The request's parameters can't be used; the text says which and how to mend it."""


def build_app(hub: Hub) -> Starlette:
    """The notifier's own routes."""
    return Starlette(
        routes=[
            Route("/internal/mails", _guarded(hub, list_mails)),
            Route("/internal/mails/{id}/preview", _guarded(hub, preview)),
            Route("/internal/mails/{id}/resend", _guarded(hub, resend), methods=["POST"]),
        ]
    )


async def list_mails(hub: Hub, request: Request) -> Response:
    """`?state=&limit=&before=`: mails, the latest first; `next` is the `before` of the following page."""
    state, limit, before = _listing(request)
    async with hub.acquire() as connection:
        found = await store.list_mails(connection, state, before, limit)
    last = found[-1].mail if len(found) == limit else None
    return JSONResponse(
        {
            "mails": [_shown(listed) for listed in found],
            "next": f"{last.created_at.isoformat()}_{last.id}" if last else None,
        }
    )


async def preview(hub: Hub, request: Request) -> Response:
    """The mail as HTML, or as text with `?part=text`."""
    pages = await _pages(hub, _identifier(request))
    if request.query_params.get("part", "html") == "text":
        return PlainTextResponse(f"{pages.subject}\n\n{pages.text}", headers=_HARMLESS)
    return HTMLResponse(pages.html, headers=_HARMLESS)


async def resend(hub: Hub, request: Request) -> Response:
    """Send a settled mail again; `?actor=` says who asked."""
    identifier = _identifier(request)
    actor = one_line(request.query_params.get("actor", "operator"))[:200]
    async with hub.unit() as unit:
        await resending.send_again(unit, identifier, actor)
    hub.nudge(MAIL)
    return JSONResponse({"id": str(identifier), "state": "planned"}, 202)


def _guarded(hub: Hub, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if not may_operate(hub, request):
            return _problem(401, "send the operators' token: Authorization: Bearer …")
        try:
            return await endpoint(hub, request)
        except UnknownMail as unknown:
            return _problem(404, str(unknown))
        except MailOnItsWay as moving:
            return _problem(409, str(moving))
        except (BadRequest, UnknownShop) as bad:
            return _problem(422, str(bad))

    return answer


async def _pages(hub: Hub, identifier: UUID) -> Pages:
    async with hub.acquire() as connection:
        mails = await store.read_mails(connection, [identifier])
        if not mails:
            raise UnknownMail(identifier)
        addressees = await store.read_addressees(connection, [(mails[0].shop, mails[0].order_id)])
    return write_pages(mails[0], addressees[0], configured.of(hub).profile(mails[0].shop))


def _listing(request: Request) -> tuple[str | None, int, tuple[datetime, UUID] | None]:
    asked = request.query_params
    state = asked.get("state")
    if state is not None and state not in STATES:
        raise BadRequest(f"state {state[:40]!r} is not known; one of {', '.join(STATES)}")
    limit = asked.get("limit", str(_PAGE))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:6]) <= _MOST):
        raise BadRequest(f"limit {limit[:20]!r} is not a number from 1 to {_MOST}")
    return state, int(limit), _before(asked.get("before"))


def _before(text: str | None) -> tuple[datetime, UUID] | None:
    if text is None:
        return None
    moment, _, identifier = text.replace(" ", "+").partition("_")
    try:
        created_at, seen = datetime.fromisoformat(moment), UUID(identifier)
    except ValueError:
        created_at, seen = datetime.min, UUID(int=0)  # noqa: DTZ901 - the naive value is refused below
    if created_at.tzinfo is None:
        raise BadRequest(f"before {text[:80]!r} can't be read; give the `next` of the page before")
    return created_at, seen


def _identifier(request: Request) -> UUID:
    text = request.path_params["id"]
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest(f"{text[:40]!r} is not a mail's id") from None


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


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"status": status, "detail": detail}, status, media_type="application/problem+json")
