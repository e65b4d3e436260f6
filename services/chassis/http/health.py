"""Health routes of a process: liveness, readiness and metrics. Operators' actions are in `operating.py`.

`/livez` fails only when the process should be replaced. `/readyz` fails while a dependency is unavailable and
names it; `/readyz/intake` checks only PostgreSQL, which is all that receiving a webhook needs.
"""

from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.chassis.http import operating
from services.chassis.messaging.binding_watch import BindingWatch
from services.chassis.messaging.inbound.consuming import Consumers
from services.chassis.messaging.outbound.relaying import Relay
from services.chassis.storage import database

MOST_CLOCK_SECONDS = 5.0
STALLED_SECONDS = 15.0
"""Longer than a commit may last with all its attempts."""

PUBLIC_PATHS = ("/livez", "/readyz", "/readyz/intake")
"""Routes that need no token; without one they return only yes or no."""


class MonitoredProcess(operating.OperatedProcess, Protocol):
    """One process of a service as its health routes see it. `consumers` and `binding_watch` are None where
    there are none."""

    @property
    def consumes(self) -> bool: ...

    @property
    def can_log_today(self) -> bool: ...

    @property
    def warnings(self) -> list[str]: ...

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


def routes(process: MonitoredProcess, watchdog: ProgressWatch) -> list[Route]:
    """Return the health routes of every service."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse(watchdog.stuck or "alive", 503 if watchdog.stuck else 200)

    async def readyz(request: Request) -> Response:
        missing = await what_is_missing(process)
        return said(request, missing, warnings=warnings_of(process))

    async def readyz_intake(request: Request) -> Response:
        return said(request, await _database_missing(process))

    def said(request: Request, missing: list[str], **more: list[str]) -> Response:
        """Return the status to any client, and the reasons only to operators."""
        why = {"missing": missing, **more} if operating.may_operate(process, request) else {}
        return JSONResponse({"ready": not missing, **why}, 503 if missing else 200)

    async def metrics(request: Request) -> Response:
        if not operating.may_scrape(process, request):
            return PlainTextResponse(
                "a bearer token is needed: COMPTOIR_METRICS_TOKEN or the operators'", 401
            )
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/readyz/intake", readyz_intake),
        Route("/metrics", metrics),
        *operating.routes(process, lambda: what_is_missing(process), lambda: warnings_of(process)),
    ]


def warnings_of(process: MonitoredProcess) -> list[str]:
    """Return conditions that a person should look at although the process works."""
    seconds = -process.clock.ahead.total_seconds()
    if abs(seconds) < MOST_CLOCK_SECONDS:
        return process.warnings
    way = "ahead of" if seconds > 0 else "behind"
    return [
        *process.warnings,
        f"the clock here is {abs(seconds):.0f} s {way} the database's, by which this works",
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
    if process.consumers is None or not process.consumers.is_consuming:
        missing.append(
            f"broker: not consuming ({process.consumers.last_error if process.consumers else 'not started'})"
        )
    elif trouble := process.relay.trouble:
        missing.append(f"broker: not publishing ({trouble})")
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
    if await database.answers(process.settings.database_url.get_secret_value()):
        return []
    return ["database: no answer on a fresh connection"]
