"""A service's FastStream application, and what starts and stops with it.

`faststream run services.<name>.app:app` and `python -m services.<name>` run the same application, in one event loop:

| FastStream calls | here |
|---|---|
| `lifespan`, at its start | settings and logs; HTTP answers: alive, not ready |
| `on_startup` | wait for the database; then relay, commits and workers run |
| the broker's `start` | consume as soon as RabbitMQ answers, and again after each lost connection |
| `on_shutdown` | not ready; HTTP stops |
| the broker's `stop` | cancel the consumers, commit and ack the messages received |
| `lifespan`, at its end | workers stop, emitted messages are sent, all is closed |

The exit status is 0 after a requested stop, 1 when the watchdog or a failing loop ended the process, so that
a supervisor restarts it. Settings are read when the application starts, not when its module is imported: the
broker is therefore added in the lifespan.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated

import asyncpg
import structlog
from faststream import Context, FastStream

from services.chassis.background import retention
from services.chassis.background.workers import Worker, timer_worker
from services.chassis.errors import describe
from services.chassis.http import health
from services.chassis.logs import configure_logs
from services.chassis.messaging.process import Process
from services.chassis.messaging.recovery import resyncing
from services.chassis.messaging.snapshots import Snapshot
from services.chassis.runtime.garbage import freeze_present_objects
from services.chassis.runtime.http_server import HttpServer
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.service import Service
from services.chassis.runtime.specification import CatalogueSpecification
from services.chassis.runtime.start_checks import (
    StartRefused,
    check_broker,
    check_database,
    check_services,
)
from services.chassis.runtime.watchdog import LoopWatch, Watchdog
from services.chassis.settings import ServiceSettings, load_settings
from services.chassis.storage.database import is_outage
from services.chassis.storage.migrating import CHASSIS_MIGRATIONS
from services.chassis.storage.schema_check import compare_schema, newest_version
from services.chassis.tls import OwnCertificate
from services.chassis.unknown_settings import log_unknown_settings

log = structlog.get_logger()
SCHEMA_SECONDS = 10.0


class StartFailed(Exception):
    """The service can't start, and waiting won't help; the reason has been logged."""


class Run:
    """One run of a service, from its settings to its exit status. `exit_application` makes FastStream stop."""

    def __init__(self, service: Service, exit_application: Callable[[], None], worker: int) -> None:
        settings = load_settings(service.settings)
        configure_logs(service.name, settings.log_level)
        log_unknown_settings()
        self._service = service
        self._exit_application = exit_application
        self._folders = (CHASSIS_MIGRATIONS, service.migrations)
        process = f"{service.name}@{newest_version(self._folders)}"  # read by `migrate --after`
        self.hub = Hub(settings, service.subscribers, name=process, consumes=service.consumes)
        self.broker = self.hub.subscribe()
        self._watchdog = Watchdog(settings.watchdog_seconds)
        self._loop_watch = LoopWatch(settings.watchdog_seconds)
        own = service.app(self.hub) if service.app is not None else None
        http = health.application(self.hub, self._watchdog, own, is_public=service.is_public)
        certificate = _own_certificate(settings)
        self._servers = [HttpServer(http, settings.http_host, settings.http_port + worker, certificate)]
        if settings.metrics_port is not None:
            metrics = health.metrics_application(self.hub, self._watchdog)
            port = settings.metrics_port + worker
            self._servers.append(HttpServer(metrics, settings.metrics_host, port, certificate))
        self._is_stopping = False
        self.status = 0

    def begin(self) -> None:
        """Answer liveness and readiness checks; stop the application when a server or the hub ends
        unexpectedly.
        """
        for server in self._servers:
            server.begin(on_end=self.hub.stopping.set)
        self._guard = asyncio.create_task(self._wait_for_failure())

    async def _wait_for_failure(self) -> None:
        await self.hub.stopping.wait()
        if not self._is_stopping:
            self.status = 1
            self._exit_application()

    async def open(self) -> None:
        """Wait for the database, then start everything but the consumers."""
        await self._open_patiently()
        if not self.hub.stopping.is_set():
            await self._check_others()
            self.hub.start([*self._workers(), self._watchdog.beater(self._loop_watch)])
            self._loop_watch.start()

    async def _open_patiently(self) -> None:
        """Wait for the database: one that is unavailable at start may become available."""
        settings, folders = self.hub.settings, self._folders
        pause = 0.2
        while not self.hub.stopping.is_set():
            try:
                await check_database(settings, self._service.program, folders)
                await self.hub.open()
                return
            except Exception as error:
                if not is_outage(error):
                    _log_start_failure(self._service, error)
                    raise StartFailed from error
                log.warning("waiting for the database", error=describe(error))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.hub.stopping.wait(), pause)
            pause = min(pause * 2, 5.0)

    async def _check_others(self) -> None:
        """Check the broker and the service's own dependencies. Raise StartFailed when one can't be used."""
        settings = self.hub.settings
        try:
            await check_broker(settings, self.hub.service, consumes=self._service.consumes)
            for check in self._service.checks:
                await check(settings)
        except StartRefused as error:
            _log_start_failure(self._service, error)
            raise StartFailed from error
        self._checking = asyncio.create_task(check_services(settings))

    def _workers(self) -> list[Worker]:
        service = self._service
        workers = [*service.workers, self._watchdog.worker(self.hub), self._schema_worker()]
        if service.consumes:
            workers += [timer_worker(service.timers), retention.worker(service.retention)]
            if service.subscribers.snapshots:
                workers.append(_resync_worker(service.subscribers.snapshots))
        workers += [Worker(effect.kind, effect.run) for effect in service.effects]
        if service.prepare is not None:
            workers += service.prepare(self.hub)
        return workers

    def _schema_worker(self) -> Worker:
        """Return the worker that warns while steps after an upgrade are pending."""

        async def look(process: Process) -> bool:
            async with process.acquire() as connection:
                self.hub.schema_warnings = (await compare_schema(connection, self._folders)).warnings
            return False

        return Worker("schema", look, SCHEMA_SECONDS)

    async def stop_serving(self) -> None:
        """Report not ready, and stop HTTP. The loop is no longer watched: workers end, its heartbeat too."""
        self._is_stopping = True
        self.hub.stopping.set()
        await asyncio.gather(*(server.end() for server in self._servers))
        self._loop_watch.end()

    async def end(self) -> None:
        """Stop everything that still runs, and close."""
        await self.stop_serving()
        await self.hub.stop()
        log.info("stopped")


def application(service: Service) -> FastStream:
    """Return the FastStream application of a service."""

    @contextlib.asynccontextmanager
    async def lifespan(worker_id: int | None = None) -> AsyncIterator[None]:
        freeze_present_objects()
        run = Run(service, app.exit, worker_id or 0)
        app.context.set_global("run", run)
        app.add_broker(run.broker)
        run.begin()
        try:
            yield
        except StartFailed:
            run.status = 1
        finally:
            await run.end()
        if run.status:
            raise SystemExit(run.status)

    app = FastStream(
        logger=None,
        lifespan=lifespan,
        on_startup=[_open],
        on_shutdown=[_stop_serving],
        specification=CatalogueSpecification(service.subscribers.service),
    )
    return app


async def _open(run: Annotated[Run, Context()]) -> None:
    await run.open()


async def _stop_serving(run: Annotated[Run, Context()]) -> None:
    await run.stop_serving()


def _log_start_failure(service: Service, error: Exception) -> None:
    if isinstance(error, StartRefused):
        log.critical(str(error))
    elif isinstance(error, asyncpg.UndefinedTableError | asyncpg.InvalidSchemaNameError):
        log.critical(f"run `python -m {service.program} migrate` first", error=describe(error))
    elif isinstance(error, asyncpg.PostgresError):
        log.critical(
            "the database rejects the connection; check COMPTOIR_DATABASE_URL", error=describe(error)
        )
    elif isinstance(error, ValueError | asyncpg.InterfaceError):
        log.critical("COMPTOIR_DATABASE_URL can't be used; correct its options", error=describe(error))
    else:
        log.critical("the service can't start", exc_info=error)


def _own_certificate(settings: ServiceSettings) -> OwnCertificate | None:
    if settings.http_certificate_file is None or settings.http_key_file is None:
        return None
    return OwnCertificate(settings.http_certificate_file, settings.http_key_file)


def _resync_worker(snapshots: Mapping[str, Snapshot]) -> Worker:
    async def resync_next(process: Process) -> bool:
        return await resyncing.resync_next(process, snapshots)

    return Worker(resyncing.WORKER, resync_next, resyncing.IDLE_SECONDS)
