"""From a request to a page's function and back: the one place that lets people in and writes down what they do.

In this sequence, for every route: the session is looked up; a forged request is refused; what the route asks for is
compared with the person's role; what names an action (every POST does) is noted in the audit; then the page's own
code runs. Whatever it raises becomes a page in the same shell. A route can't leave out a step, since pages hold none.
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
from services.chassis.http.edge import note_fault
from services.chassis.storage.database import is_conflict, is_outage
from services.orders.api.actions.commanding import KeyTaken
from services.orders.backoffice.access import sessions, staff, store
from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.access.sessions import Found
from services.orders.backoffice.forms.fields import FormTooLarge, FormUnreadable, Invalid
from services.orders.backoffice.language.reasons import explain_refusal
from services.orders.backoffice.language.translating import LANGUAGES, Speech, language_wanted, speaking
from services.orders.backoffice.web import keeping, security
from services.orders.backoffice.web.actions import staleness
from services.orders.backoffice.web.actions.doing import FormSentBefore
from services.orders.backoffice.web.office import Office
from services.orders.backoffice.web.routing import Page
from services.orders.backoffice.web.settings import BackofficeSettings
from services.orders.backoffice.web.visit import Deleted, Missing, NotAllowed, Visit
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal

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
    """The cookie's name; `__Host-` binds it to this very host and to TLS."""
    return "__Host-comptoir" if settings.is_secure else "comptoir"


def endpoint(office: Office, page: Page) -> Endpoint:
    """What Starlette calls for a route."""

    async def serve(request: Request) -> Response:
        nobody = Visit(office, request, page, Found(), _speech(office, request, Found()))
        try:
            found, people = await _who(office, request, page)
            visit = Visit(office, request, page, found, _speech(office, request, found, people))
        except Exception as error:  # noqa: BLE001 - whatever stops us at the door becomes a page
            return _failed(nobody, error)
        with speaking(visit.speech):
            return await _answer(visit)

    return serve


async def _who(office: Office, request: Request, page: Page) -> tuple[Found, Mapping[str, str]]:
    """Whose session it is, and the names of that person's colleagues by login."""
    token = request.cookies.get(session_cookie(office.settings), "")
    if not token:
        return Found(), {}
    async with office.hub.acquire() as connection:
        found = await sessions.find(connection, token, office.lifetime, is_use=page.is_use)
        if found.person is None:
            return found, {}
        return found, await staff.names_of.get(connection, office.hub.owner, found.person.shop)


async def _answer(visit: Visit) -> Response:
    settings, request, page = visit.office.settings, visit.request, visit.page
    if "\0" in request.url.path:
        return problem(visit, 404, "missing")
    why = security.why_forged(request.method, request.headers, settings.backoffice_origin)
    if why is not None:
        log.warning("forged request refused", path=request.url.path, why=why)
    if page.method == "GET" and not page.action:
        return problem(visit, 403, "forged") if why else await _let_in(visit)
    if visit.found.person is None:
        return problem(visit, 403, "forged") if why else await _stranger(visit)
    try:
        audit_id = await _begin(visit)
    except Exception as error:  # noqa: BLE001 - nothing is done that the audit can't hold
        return _failed(visit, error)
    response = problem(visit, 403, "forged") if why else await _let_in(visit)
    await _end(visit, audit_id, "forged" if why else None, response)
    return response


async def _stranger(visit: Visit) -> Response:
    """A POST by nobody is not noted, for strangers could fill the audit; it is when it turns out who they are."""
    response = await _let_in(visit)
    if visit.entered is not None:
        try:
            audit_id = await _begin(visit)
        except Exception as error:  # noqa: BLE001 - they do not get in unseen
            return _failed(visit, error)
        await _end(visit, audit_id, None, response)
    return response


async def _let_in(visit: Visit) -> Response:
    page, person = visit.page, visit.found.person
    try:
        if page.demand is not Entry.PUBLIC:
            if person is None:
                return await keeping.ask_to_sign_in(visit)
            if not person.may(page.demand):
                return problem(visit, 403, "not_allowed")
        return await page.view(visit)
    except ClientDisconnect:
        return Response(status_code=499)
    except Exception as error:  # noqa: BLE001 - every error ends as a page
        return _failed(visit, error)


def _failed(visit: Visit, error: Exception) -> Response:
    if isinstance(error, Deleted):
        return problem(visit, 404, "deleted", code=error.code, deleted_at=error.deleted_at)
    if isinstance(error, Missing):
        return problem(visit, 404, "missing")
    if isinstance(error, NotAllowed):
        return problem(visit, 403, "not_allowed")
    if isinstance(error, FormTooLarge):
        return problem(visit, 413, "too_large")
    if isinstance(error, FormUnreadable | Invalid):
        return problem(visit, 400, "unreadable")
    if isinstance(error, KeyTaken | FormSentBefore):
        return problem(visit, 409, "key_taken")
    if isinstance(error, Stale):
        return staleness.changed_meanwhile(visit, error)
    if isinstance(error, Refusal):
        return problem(visit, error.status, "refused", why=explain_refusal(error))
    if is_outage(error) or is_conflict(error):
        note_fault(visit.request, error)
        return problem(visit, 503, "database_away")
    reference = str(uuid7())
    log.error("page broken", path=visit.request.url.path, reference=reference, exc_info=error)
    return problem(visit, 500, "broken", reference=reference)


def problem(visit: Visit, status: int, kind: str, **values: Any) -> Response:
    """A page that says what is wrong and what to do, in the shell; `kind` is its name below templates/problem."""
    try:
        block = "main" if visit.is_part else None
        response = visit.render(f"problem/{kind}.html", status, block=block, **values)
    except Exception as error:
        log.error("problem page broken", kind=kind, exc_info=error)
        response = HTMLResponse(f"<!doctype html><title>{status}</title><h1>{status}</h1>", status)
    if visit.is_part:
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#main", "innerHTML"
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def _speech(
    office: Office, request: Request, found: Found, people: Mapping[str, str] | None = None
) -> Speech:
    """The language: the account's, else this browser's choice, else what the browser asks for."""
    chosen = found.person.preferences.get("language") if found.person else None
    for language in (chosen, request.cookies.get("comptoir-language")):
        if language in LANGUAGES:
            break
    else:
        language = language_wanted(request.headers.get("accept-language"))
    facts = office.settings.shop(found.person.shop) if found.person else None
    zone = (facts.time_zone if facts else None) or office.settings.time_zone
    return Speech(str(language), ZoneInfo(zone), datetime.now(UTC), people=people or {})


async def _begin(visit: Visit) -> UUID:
    person, audit_id = visit.found.person, uuid7()
    staff_id, shop, login = visit.entered or (
        (person.staff_id, person.shop, person.login) if person else (None, None, None)
    )
    row = (
        audit_id,
        shop,
        staff_id,
        login,
        datetime.now(UTC),
        visit.page.action,
        security.address_of(visit.request),
        visit.request.url.path[:500],
        person.session_id if person else None,
    )
    async with visit.office.hub.acquire() as connection:
        await store.begin_audit(connection, row)
    return audit_id


async def _end(visit: Visit, audit_id: UUID, outcome: str | None, response: Response) -> None:
    outcome = outcome or visit.outcome or _outcome(response.status_code)
    try:
        async with visit.office.hub.acquire() as connection:
            await store.end_audit(
                connection,
                audit_id,
                outcome,
                response.status_code,
                visit.audited_order,
                _detail(visit.audited),
            )
    except Exception as error:
        log.error("audit not completed", audit_id=str(audit_id), exc_info=error)


def _outcome(status: int) -> str:
    if status < 400:
        return _OUTCOMES.get(status, "done")
    return _OUTCOMES.get(status, "failed")


def _detail(detail: Mapping[str, Any]) -> str:
    return json.dumps(detail, ensure_ascii=False, default=str)
