"""The back office's FastStream application: `faststream run services.orders.backoffice.app:app`.

It is a second program of the orders service: the same database and broker user, its own units of work and
relay, and no consumers. Its own status (`/livez`, `/readyz`, `/metrics`) is served beside the pages.
Responses are compressed: no page holds a secret that could be guessed from their length (BREACH), because
sessions are only in cookies, forged requests are detected by their origin and not by a token, and a form's
key is new each time it is shown.
"""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.chassis.background.workers import Worker
from services.chassis.http import edge, problems
from services.chassis.runtime.application import application
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.service import Service
from services.orders import backoffice
from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.orders.bulk.carrying_out import bulk_worker
from services.orders.backoffice.sweeping import sweeper
from services.orders.backoffice.web.app_state import AppState
from services.orders.backoffice.web.dispatching import Endpoint, endpoint, problem
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Page, found_in
from services.orders.backoffice.web.security import Guard
from services.orders.backoffice.web.settings import BackofficeSettings
from services.orders.handlers import subscribers
from services.orders.order.unit.announcements import announcer

NAME = "orders-backoffice"
_OF_BROWSERS = ("GET", "HEAD", "POST")


def service() -> Service:
    """Return the back office, ready to run."""
    back_offices: dict[int, AppState] = {}

    def build(hub: Hub) -> Starlette:
        back_offices[id(hub)] = app_state = make_app_state(hub)
        return build_app(app_state)

    def prepare(hub: Hub) -> list[Worker]:
        app_state = back_offices[id(hub)]
        closing = Worker("closing", app_state.close_at_stop, 1.0)
        return [app_state.live.worker(), bulk_worker(app_state.actions), closing]

    return Service(
        name=NAME,
        settings=BackofficeSettings,
        subscribers=subscribers,
        app=build,
        workers=[announcer(), sweeper()],
        prepare=prepare,
        consumes=False,
        module="services.orders.backoffice",
        migrations_folder="order/migrations",
    )


def make_app_state(hub: Hub) -> AppState:
    """Return the parts all pages share."""
    _, menu = found_in(backoffice)
    return AppState(hub, list(menu))


def build_app(app_state: AppState) -> Starlette:
    """Build the application: every page that a module `pages` or `…_pages` declares, and the static files."""
    routes, _ = found_in(backoffice)
    nowhere = endpoint(app_state, Page("/", "GET", Entry.PUBLIC, _nowhere))
    own = [Route(one.path, endpoint(app_state, one), methods=[one.method]) for one in routes]
    app = edge.routed(
        [Route("/static/{digest}/{name:path}", app_state.statics.serve), *own],
        middleware=[
            Middleware(Guard, settings=app_state.settings),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6),
        ],
    )
    app.add_exception_handler(HTTPException, _refusing(nowhere))
    return app


def _refusing(nowhere: Endpoint) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return the handler for unknown addresses and methods: a page for a browser, a problem document for
    other clients.
    """

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if request.method not in _OF_BROWSERS:
            return problems.refused(request, error)
        response = await nowhere(request)
        response.status_code = error.status_code
        response.headers.update(problems.headers_of(request, error) or {})
        return response

    return refuse


async def _nowhere(context: PageContext) -> Response:
    """Answer an address that no page has."""
    return problem(context, 404, "missing")


SERVICE = service()
app = application(SERVICE)
