"""Dispatching of requests to page functions: the one place for access control and the audit.

In this order, for every route: the session is looked up; a forged request is rejected; the route's
requirement is compared with the user's role; every named action (each POST has one) is recorded in the audit;
then the page's own code runs. Any exception becomes a page in the same shell. A route cannot leave out a step,
because pages contain none of them.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from contracts.envelope import uuid7
from services.chassis.http.problems import note_fault
from services.chassis.storage.database import is_conflict, is_outage
from services.orders.api.actions.action import KeyTaken
from services.orders.backoffice.access import sessions, staff, store
from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.access.sessions import SessionLookup
from services.orders.backoffice.forms.fields import FormTooLarge, FormUnreadable, Invalid
from services.orders.backoffice.language.reasons import explain_refusal
from services.orders.backoffice.language.translating import (
    LANGUAGES,
    PageLocale,
    language_wanted,
    using_locale,
)
from services.orders.backoffice.web import kept_forms, security
from services.orders.backoffice.web.actions import staleness
from services.orders.backoffice.web.app_state import AppState
from services.orders.backoffice.web.page_context import Deleted, Missing, NotAllowed, PageContext, ShopKnown
from services.orders.backoffice.web.routing import Page
from services.orders.backoffice.web.settings import BackofficeSettings
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal
from services.orders.order.shop.profile import profile_of

log = structlog.get_logger()
Endpoint = Callable[[Request], Awaitable[Response]]
_OUTCOMES = {
    202: "pending",
    401: "signed_out",
    403: "forbidden",
    404: "missing",
    409: "stale",
    422: "refused",
}


def session_cookie(settings: BackofficeSettings) -> str:
    """Return the cookie's name; `__Host-` binds it to this very host and to TLS."""
    return "__Host-comptoir" if settings.is_secure else "comptoir"


def endpoint(app_state: AppState, page: Page) -> Endpoint:
    """Return the Starlette handler of a route."""

    async def serve(request: Request) -> Response:
        nobody = PageContext(
            app_state, request, page, SessionLookup(), _locale(app_state, request, SessionLookup())
        )
        try:
            found, known = await _identify(app_state, request, page)
            locale = _locale(app_state, request, found, known.people)
            context = PageContext(app_state, request, page, found, locale, known)
        except Exception as error:  # noqa: BLE001 - every error before dispatching becomes a page
            return _failed(nobody, error)
        with using_locale(context.locale):
            return await _answer(context)

    return serve


async def _identify(app_state: AppState, request: Request, page: Page) -> tuple[SessionLookup, ShopKnown]:
    """Return the session, and the data of the user's shop that every page shows."""
    token = request.cookies.get(session_cookie(app_state.settings), "")
    if not token:
        return SessionLookup(), ShopKnown()
    async with app_state.hub.acquire() as connection:
        found = await sessions.find(connection, token, app_state.lifetime, is_use=page.is_use)
        if found.person is None:
            return found, ShopKnown()
        owner, person = app_state.hub.owner, found.person
        known = ShopKnown(
            people=await staff.names_of.get(connection, owner, person.shop),
            profile=await profile_of.get(connection, owner, person.shop),
            counts={
                entry.path: await entry.count.get(connection, owner, person.shop)
                for entry in app_state.menu
                if entry.count is not None and person.may(entry.demand)
            },
        )
        return found, known


async def _answer(context: PageContext) -> Response:
    settings, request, page = context.app_state.settings, context.request, context.page
    if "\0" in request.url.path:
        return problem(context, 404, "missing")
    if kept_forms.is_kept(request):
        return await _run_page(context)
    why = security.why_forged(request.method, request.headers, settings.backoffice_origin)
    if why is not None:
        log.warning("forged request refused", path=request.url.path, why=why)
    if page.method == "GET" and not page.action:
        return problem(context, 403, "forged") if why else await _run_page(context)
    if context.found.person is None:
        return problem(context, 403, "forged") if why else await _answer_without_session(context)
    try:
        audit_id = await _begin_audit(context)
    except Exception as error:  # noqa: BLE001 - no action without an audit record
        return _failed(context, error)
    response = problem(context, 403, "forged") if why else await _run_page(context)
    await _end_audit(context, audit_id, "forged" if why else None, response)
    return response


async def _answer_without_session(context: PageContext) -> Response:
    """Answer a POST without a session. It is recorded only if it signs in, because anyone could otherwise fill
    the audit.
    """
    response = await _run_page(context)
    if context.entered is not None:
        try:
            audit_id = await _begin_audit(context)
        except Exception as error:  # noqa: BLE001 - no sign-in without an audit record
            return _failed(context, error)
        await _end_audit(context, audit_id, None, response)
    return response


async def _run_page(context: PageContext) -> Response:
    page, person = context.page, context.found.person
    try:
        if page.demand is not Entry.PUBLIC:
            if person is None:
                return await kept_forms.ask_to_sign_in(context)
            if not person.may(page.demand):
                return problem(context, 403, "not_allowed")
        return await kept_forms.view_of(context)(context)
    except ClientDisconnect:
        return Response(status_code=499)
    except Exception as error:  # noqa: BLE001 - every error ends as a page
        return _failed(context, error)


def _failed(context: PageContext, error: Exception) -> Response:
    if isinstance(error, Deleted):
        return problem(context, 404, "deleted", code=error.code, deleted_at=error.deleted_at)
    if isinstance(error, Missing):
        return problem(context, 404, "missing")
    if isinstance(error, NotAllowed):
        return problem(context, 403, "not_allowed")
    if isinstance(error, FormTooLarge):
        return problem(context, 413, "too_large")
    if isinstance(error, FormUnreadable | Invalid):
        return problem(context, 400, "unreadable")
    if isinstance(error, KeyTaken):
        return problem(context, 409, "key_taken")
    if isinstance(error, Stale):
        return staleness.changed_meanwhile(context, error)
    if isinstance(error, Refusal):
        return problem(context, error.status, "refused", why=explain_refusal(error))
    if is_outage(error) or is_conflict(error):
        note_fault(context.request, error)
        return problem(context, 503, "database_unavailable")
    reference = str(uuid7())
    log.error("page failed", path=context.request.url.path, reference=reference, exc_info=error)
    return problem(context, 500, "internal_error", reference=reference)


def problem(context: PageContext, status: int, kind: str, **values: Any) -> Response:
    """Return a page with the problem and its remedy, in the shell; `kind` is its name below
    templates/problem.
    """
    try:
        block = "main" if context.is_part else None
        response = context.render(f"problem/{kind}.html", status, block=block, **values)
    except Exception as error:
        log.error("error page failed", kind=kind, exc_info=error)
        response = HTMLResponse(f"<!doctype html><title>{status}</title><h1>{status}</h1>", status)
    if context.is_part:
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#main", "innerHTML"
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def _locale(
    app_state: AppState, request: Request, session: SessionLookup, people: Mapping[str, str] | None = None
) -> PageLocale:
    """Return the locale: the account's language, else this browser's choice, else the browser's
    `Accept-Language`.
    """
    chosen = session.person.preferences.get("language") if session.person else None
    for language in (chosen, request.cookies.get("comptoir-language")):
        if language in LANGUAGES:
            break
    else:
        language = language_wanted(request.headers.get("accept-language"))
    facts = app_state.settings.shop(session.person.shop) if session.person else None
    zone = (facts.time_zone if facts else None) or app_state.settings.time_zone
    mark = sessions.mark_of(session.person.staff_id if session.person else None)
    return PageLocale(str(language), ZoneInfo(zone), datetime.now(UTC), people=people or {}, form_mark=mark)


async def _begin_audit(context: PageContext) -> UUID:
    person, audit_id = context.found.person, uuid7()
    staff_id, shop, login = context.entered or (
        (person.staff_id, person.shop, person.login) if person else (None, None, None)
    )
    row = (
        audit_id,
        shop,
        staff_id,
        login,
        datetime.now(UTC),
        context.page.action,
        security.address_of(context.request),
        context.request.url.path[:500],
        person.session_id if person else None,
    )
    async with context.app_state.hub.acquire() as connection:
        await store.begin_audit(connection, row)
    return audit_id


async def _end_audit(context: PageContext, audit_id: UUID, outcome: str | None, response: Response) -> None:
    outcome = outcome or context.outcome or _outcome(response.status_code)
    try:
        async with context.app_state.hub.acquire() as connection:
            await store.end_audit(
                connection,
                audit_id,
                outcome,
                response.status_code,
                context.audited_order,
                _detail(context.audited),
            )
    except Exception as error:
        log.error("audit not completed", audit_id=str(audit_id), exc_info=error)


def _outcome(status: int) -> str:
    if status < 400:
        return _OUTCOMES.get(status, "done")
    return _OUTCOMES.get(status, "failed")


def _detail(detail: Mapping[str, Any]) -> str:
    return json.dumps(detail, ensure_ascii=False, default=str)
