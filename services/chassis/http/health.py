"""Health routes of a process: liveness, readiness and metrics. Operators' actions are in `operator_routes.py`.

`/livez` fails only when the process should be replaced. `/readyz` fails while a dependency is unavailable and
names it; `/readyz/intake` checks only PostgreSQL and the connection to it, which is all that receiving a webhook
needs.
"""

from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from services.chassis.http import edge, effect_routes, operator_routes
from services.chassis.http.tokens import operators
from services.chassis.messaging.binding_watch import BindingWatch
from services.chassis.messaging.inbound.consuming import Consumers
from services.chassis.messaging.outbound.relaying import Relay
from services.chassis.messaging.recovery.pausing import Pause
from services.chassis.messaging.recovery.restored import Restored
from services.chassis.storage import database

MOST_CLOCK_SECONDS = 5.0
STALLED_SECONDS = 15.0
"""Longer than a commit may last with all its attempts."""

PUBLIC_PATHS = ("/livez", "/readyz", "/readyz/intake")
"""Routes that need no token; without one they return only yes or no."""
METRICS_PATH = "/metrics"


class MonitoredProcess(operator_routes.OperatedProcess, Protocol):
    """One process of a service as its health routes see it. `consumers` and `binding_watch` are None where
    there are none."""

    @property
    def consumes(self) -> bool: ...

    @property
    def is_connected(self) -> bool: ...

    @property
    def can_log_today(self) -> bool: ...

    @property
    def warnings(self) -> list[str]: ...

    @property
    def schema_warnings(self) -> list[str]: ...

    @property
    def pauses(self) -> list[Pause]: ...

    @property
    def restored(self) -> Restored: ...

    @property
    def consumers(self) -> Consumers | None: ...

    @property
    def relay(self) -> Relay: ...

    @property
    def binding_watch(self) -> BindingWatch | None: ...


class ProgressWatch(Protocol):
    """The watchdog. `stuck` is the reason why the process should be replaced, None while it should not be."""

    @property
    def stuck(self) -> str | None: ...


def application(
    process: MonitoredProcess, watchdog: ProgressWatch, own: ASGIApp | None = None, *, is_public: bool = False
) -> ASGIApp:
    """Return the application of a process: health and operators' routes, then the service's own application. A
    public one has no operators' routes and no metrics.
    """
    if is_public:
        health = [route for route in routes(process, watchdog) if route.path in PUBLIC_PATHS]
        return edge.public_application(health, own)
    return edge.application(process.settings, routes(process, watchdog), own, operator_routes.ERRORS)


def metrics_application(process: MonitoredProcess, watchdog: ProgressWatch) -> ASGIApp:
    """Return the application of the port for health and metrics alone."""
    paths = (*PUBLIC_PATHS, METRICS_PATH)
    found = [route for route in routes(process, watchdog) if route.path in paths]
    return edge.application(process.settings, found, None, operator_routes.ERRORS)


def routes(process: MonitoredProcess, watchdog: ProgressWatch) -> list[Route]:
    """Return the health routes of every service."""
    known = operators(process.settings)

    async def livez(_: Request) -> Response:
        return PlainTextResponse(watchdog.stuck or "alive", 503 if watchdog.stuck else 200)

    async def readyz(request: Request) -> Response:
        missing = await what_is_missing(process)
        return readiness(request, missing, warnings=warnings_of(process))

    async def readyz_intake(request: Request) -> Response:
        return readiness(request, await _database_missing(process))

    def readiness(request: Request, missing: list[str], **more: list[str]) -> Response:
        """Return the status to any client, and the reasons only to operators."""
        why = {"missing": missing, **more} if known.holder(request.headers) else {}
        return JSONResponse({"ready": not missing, **why}, 503 if missing else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/readyz/intake", readyz_intake),
        Route(METRICS_PATH, metrics),
        *operator_routes.routes(process, lambda: what_is_missing(process), lambda: warnings_of(process)),
        *effect_routes.routes(process),
    ]


def warnings_of(process: MonitoredProcess) -> list[str]:
    """Return conditions that an operator should look at although the process works."""
    found = [*map(str, process.pauses), *process.restored.warnings]
    found += [*process.schema_warnings, *process.warnings]
    seconds = -process.clock.ahead.total_seconds()
    if abs(seconds) < MOST_CLOCK_SECONDS:
        return found
    way = "ahead of" if seconds > 0 else "behind"
    return [
        *found,
        f"this machine's clock is {abs(seconds):.0f} s {way} the database's, which is used instead",
    ]


async def what_is_missing(process: MonitoredProcess) -> list[str]:
    """Return the reasons why this process can't work now; empty when it can."""
    missing = await _database_missing(process)
    if process.stopping.is_set():
        missing.append("stopping")
    if not process.can_log_today:
        missing.append("database: no partition for today; housekeeping makes it, see its errors")
    if not process.consumes:
        return missing  # it can work without a broker: its messages wait in the outbox
    is_paused = process.consumers is not None and process.consumers.is_paused
    if process.consumers is None or not (process.consumers.is_consuming or is_paused):
        missing.append(
            f"broker: not consuming ({process.consumers.last_error if process.consumers else 'not started'})"
        )
    elif problem := process.relay.problem:
        missing.append(f"broker: not publishing ({problem})")
    return [*missing, *_queues_missing(process)]


def _queues_missing(process: MonitoredProcess) -> list[str]:
    """Queues of this process of which nothing is handled, and why."""
    consumers = process.consumers
    absent = consumers.missing if consumers is not None and consumers.is_consuming else []
    return [
        *(process.binding_watch.words() if process.binding_watch is not None else ()),
        *(f"broker: the queue {queue} is missing; apply the topology" for queue in absent),
        *(f"database: {reader.queue} waits ({reader.outage})" for reader in process.readers if reader.outage),
        *(
            f"{reader.queue}: messages were received and none was committed for {reader.stalled_seconds:.0f} s"
            for reader in process.readers
            if reader.outage is None and reader.stalled_seconds > STALLED_SECONDS
        ),
    ]


async def _database_missing(process: MonitoredProcess) -> list[str]:
    if not process.is_connected:
        return ["database: this process is not connected yet"]
    if await database.answers(process.settings.database_url.get_secret_value()):
        return []
    return ["database: no answer on a fresh connection"]
