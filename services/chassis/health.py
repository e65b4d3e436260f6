"""What a process says of itself over HTTP: alive, ready, its figures. What operators do there is in `operating.py`.

`/livez` fails only when the process should be replaced. `/readyz` fails while a dependency is away and says which;
`/readyz/intake` asks for PostgreSQL alone, which is all that receiving a webhook needs.
"""

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.chassis import database, operating
from services.chassis.watchdog import Watchdog

if TYPE_CHECKING:
    from services.chassis.hub import Hub

MOST_CLOCK_SECONDS = 5.0
STALLED_SECONDS = 15.0
"""Longer than a commit may take with all its tries."""

PUBLIC_PATHS = ("/livez", "/readyz", "/readyz/intake")
"""Routes that need no token; without one they tell yes or no."""


def routes(hub: "Hub", watchdog: Watchdog) -> list[Route]:
    """The routes every service has."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse(watchdog.stuck or "alive", 503 if watchdog.stuck else 200)

    async def readyz(request: Request) -> Response:
        missing = await what_is_missing(hub)
        return said(request, missing, warnings=warnings_of(hub))

    async def readyz_intake(request: Request) -> Response:
        return said(request, await _database_missing(hub))

    def said(request: Request, missing: list[str], **more: list[str]) -> Response:
        """Anybody may ask whether, those who operate also why not."""
        why = {"missing": missing, **more} if operating.may_operate(hub, request) else {}
        return JSONResponse({"ready": not missing, **why}, 503 if missing else 200)

    async def metrics(request: Request) -> Response:
        if not operating.may_scrape(hub, request):
            return PlainTextResponse(
                "a bearer token is needed: COMPTOIR_METRICS_TOKEN or the operators'", 401
            )
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/readyz/intake", readyz_intake),
        Route("/metrics", metrics),
        *operating.routes(hub, what_is_missing, warnings_of),
    ]


def warnings_of(hub: "Hub") -> list[str]:
    """What a person should look at although the work goes on."""
    seconds = -hub.clock.ahead.total_seconds()
    if abs(seconds) < MOST_CLOCK_SECONDS:
        return hub.warnings
    way = "ahead of" if seconds > 0 else "behind"
    return [
        *hub.warnings,
        f"the clock here is {abs(seconds):.0f} s {way} the database's, by which this works",
    ]


async def what_is_missing(hub: "Hub") -> list[str]:
    """Why this process can't do its work now; empty when it can."""
    missing = await _database_missing(hub)
    if hub.stopping.is_set():
        missing.append("stopping")
    if not hub.can_log_today:
        missing.append("database: no partition for today; housekeeping makes it, see its errors")
    if not hub.consumes:
        return missing  # it can work without a broker: what it says waits in the outbox
    if hub.consumers is None or not hub.consumers.is_consuming:
        missing.append(
            f"broker: not consuming ({hub.consumers.last_error if hub.consumers else 'not started'})"
        )
    elif trouble := hub.relay.trouble:
        missing.append(f"broker: not publishing ({trouble})")
    return [*missing, *_queues_missing(hub)]


def _queues_missing(hub: "Hub") -> list[str]:
    """Queues of this process of which nothing is handled, and why."""
    consumers = hub.consumers
    absent = consumers.missing if consumers is not None and consumers.is_consuming else []
    return [
        *(hub.binding_watch.words() if hub.binding_watch is not None else ()),
        *(f"broker: the queue {queue} is missing; apply the topology" for queue in absent),
        *(f"database: {reader.queue} waits ({reader.outage})" for reader in hub.readers if reader.outage),
        *(
            f"{reader.queue}: messages are in hand and none was committed for {reader.stalled_seconds:.0f} s"
            for reader in hub.readers
            if reader.outage is None and reader.stalled_seconds > STALLED_SECONDS
        ),
    ]


async def _database_missing(hub: "Hub") -> list[str]:
    if await database.answers(hub.settings.database_url.get_secret_value()):
        return []
    return ["database: no answer on a fresh connection"]
