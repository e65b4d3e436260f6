"""The customer's page as a program: `faststream run services.notifier.page.app:app`.

It is a second program of the notifier, on its database, without consumers and without a mail server: what it
writes, the notifier sends. Its listener is public: it has no operators' routes and no metrics, only health; for
metrics there is another port.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from services.chassis.http import edge, problems
from services.chassis.runtime.application import application
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.service import Service
from services.chassis.storage.database import is_conflict, is_outage
from services.notifier.handlers import subscribers
from services.notifier.links.link import PATH
from services.notifier.page import pages
from services.notifier.page import settings as configured
from services.notifier.page.actions import Actions
from services.notifier.page.branding import COLOUR_PATH, serve_colour
from services.notifier.page.page_request import PageRequest
from services.notifier.page.rendering import STYLE_PATH, refused, render, requested_language, serve_style
from services.notifier.page.security import Guard
from services.notifier.page.service_clients import PageClients
from services.notifier.page.settings import PageSettings

NAME = "notifier-page"
Endpoint = Callable[[PageRequest], Awaitable[Response]]
_REFUSALS = {404: "nowhere", 405: "method", 413: "large"}


def build_app(hub: Hub) -> Starlette:
    """Return the page's routes."""
    settings, actions = configured.of(hub), Actions()
    clients = PageClients(settings)
    endpoints: list[tuple[str, str, Endpoint]] = [
        ("GET", "/c/{token}", pages.show_order),
        ("GET", "/c/{token}/cancel", pages.show_cancellation),
        ("GET", "/c/{token}/logo", pages.show_logo),
        ("GET", "/c/{token}/documents/{document}", pages.show_document),
        ("GET", "/c/{token}/files/{file}", pages.show_file),
        ("POST", "/c/{token}/message", actions.post_message),
        ("POST", "/c/{token}/cancel", actions.ask_to_cancel),
        ("POST", "/c/{token}/new-link", actions.ask_for_link),
    ]
    app = edge.routed(
        [
            *(
                Route(path, partial(_answer, hub, clients, endpoint), methods=[method])
                for method, path, endpoint in endpoints
            ),
            Route(STYLE_PATH, serve_style),
            Route(COLOUR_PATH, serve_colour),
            Route("/robots.txt", _robots),
            Route("/favicon.ico", _no_icon),
        ],
        middleware=[Middleware(Guard, page_url=settings.page_url)],
    )
    app.add_exception_handler(HTTPException, _refused)
    return app


async def _answer(hub: Hub, clients: PageClients, endpoint: Endpoint, request: Request) -> Response:
    """Answer a request; for an error of ours a page that says so. It is logged once, without the address."""
    try:
        return await endpoint(await PageRequest.begin(hub, clients, request))
    except HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - a customer is never shown a problem document
        problems.note_fault(request, error)
        status = 503 if is_outage(error) or is_conflict(error) else 500
        return render("failed.html", requested_language(request, ""), request.url.path, status)


async def _robots(_: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


async def _no_icon(_: Request) -> Response:
    return Response(status_code=204)


async def _refused(request: Request, error: Exception) -> Response:
    """Answer unmatched requests with a page; a form's address that is opened like a page leads to the order."""
    assert isinstance(error, HTTPException)
    status, token = error.status_code, request.path_params.get("token")
    if status == 405 and token and request.method in ("GET", "HEAD"):
        return RedirectResponse(f"{PATH}{token}?{request.url.query}".removesuffix("?"), 303)
    return refused(request, _REFUSALS.get(status, "form"), status, problems.headers_of(request, error))


SERVICE = Service(
    name=NAME,
    settings=PageSettings,
    subscribers=subscribers,
    app=build_app,
    consumes=False,
    module="services.notifier.page",
    is_public=True,
)
app = application(SERVICE)
