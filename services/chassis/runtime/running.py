"""A service's program: `python -m services.<name>` runs it, `… migrate` migrates its database.

One event loop runs everything: consumers, relay, workers and HTTP. The shutdown is graceful: not ready,
consumers cancelled, received messages committed and acked, emitted messages sent, then closed. The exit
status is 0 after a requested stop, 1 when the watchdog or a failing loop ended the process, so that a
supervisor restarts it.
"""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from services.chassis.background import retention
from services.chassis.background.effects import EffectWorker
from services.chassis.background.retention import Rule
from services.chassis.background.working import TimerHandler, Worker, timer_worker
from services.chassis.errors import describe
from services.chassis.http import edge, health
from services.chassis.logs import configure_logs
from services.chassis.messaging.process import Process
from services.chassis.messaging.recovery import resyncing
from services.chassis.messaging.snapshots import Snapshot
from services.chassis.messaging.subscribers import Subscribers
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.watchdog import LoopWatch, Watchdog
from services.chassis.settings import ServiceSettings, load_settings
from services.chassis.storage.database import is_outage
from services.chassis.storage.migrating import MigrationFailed, migrate

log = structlog.get_logger()


@dataclass(frozen=True)
class Service:
    """The parts of a service's program. `app` builds its own HTTP application.

    A process that does not consume (`consumes=False`) works beside the one that does, on the same database
    and under its name on the wire: it has units, a relay and its own workers, but does not handle messages,
    retries and timers. `name` is then its own, for logs and connections, and `module` is the argument of
    `python -m`.
    """

    name: str
    settings: type[ServiceSettings]
    subscribers: Subscribers[Any]
    app: Callable[[Hub], ASGIApp] | None = None
    workers: Sequence[Worker] = ()
    effects: Sequence[EffectWorker] = ()
    timers: Mapping[str, TimerHandler] = field(default_factory=dict)
    prepare: Callable[[Hub], Sequence[Worker]] | None = None
    retention: Sequence[Rule] = ()
    consumes: bool = True
    module: str | None = None
    migrations_folder: str = "migrations"

    @property
    def program(self) -> str:
        """Return the argument of `python -m`."""
        return self.module or f"services.{self.name}"

    @property
    def migrations(self) -> Path:
        """Return the folder of the service's own migrations; the chassis' are applied first."""
        return Path(__file__).parents[2] / self.subscribers.service / self.migrations_folder


def main(service: Service, arguments: Sequence[str] | None = None) -> None:
    """Run the command given on the command line: none, or `migrate`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    settings = load_settings(service.settings)
    configure_logs(service.name, settings.log_level)
    if list(arguments) == ["migrate"]:
        try:
            migrate(settings.database_url.get_secret_value(), service.migrations)
        except MigrationFailed as failure:
            raise SystemExit(str(failure)) from None
        return
    if arguments:
        raise SystemExit(f"usage: python -m {service.program} [migrate]")
    _collect_garbage_seldom()
    uvloop.install()
    raise SystemExit(asyncio.run(run(service, settings)))


def _collect_garbage_seldom() -> None:
    """Make garbage collection rare. Messages are short-lived and without cycles: searching for cycles every
    700 objects cost a tenth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


async def run(service: Service, settings: ServiceSettings) -> int:
    """Run the service until it is asked to stop (0) or has to be replaced (1)."""
    hub = Hub(settings, service.subscribers, name=service.name, consumes=service.consumes)
    asked = _stop_on_signals(hub)
    watchdog, loop_watch = Watchdog(settings.watchdog_seconds), LoopWatch(settings.watchdog_seconds)
    server = _Server(_application(service, hub, watchdog), settings)
    serving = asyncio.create_task(server.serve())
    working = asyncio.create_task(_work(service, hub, watchdog, loop_watch))
    await asyncio.wait([serving, working], return_when=asyncio.FIRST_COMPLETED)
    hub.stopping.set()
    server.should_exit = True
    with contextlib.suppress(Exception, SystemExit):
        await asyncio.wait_for(serving, 5)
    loop_watch.end()
    await working
    await hub.stop()
    log.info("stopped")
    return 0 if asked.is_set() else 1


async def _work(service: Service, hub: Hub, watchdog: Watchdog, loop_watch: LoopWatch) -> None:
    """Open, start, and wait for the stop. Meanwhile the process already answers liveness and readiness checks."""
    try:
        await _open_patiently(hub)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as error:
        log.critical(f"run `python -m {service.program} migrate` first", error=describe(error))
        return
    except asyncpg.PostgresError as error:
        log.critical("the database refuses; check COMPTOIR_DATABASE_URL", error=describe(error))
        return
    except (ValueError, asyncpg.InterfaceError) as error:
        log.critical("COMPTOIR_DATABASE_URL can't be used; correct its options", error=describe(error))
        return
    if not hub.stopping.is_set():
        hub.start([*_workers(service, hub, watchdog), watchdog.beater(loop_watch)])
        loop_watch.start()
        await hub.stopping.wait()


async def _open_patiently(hub: Hub) -> None:
    """Wait for the database: one that is unavailable at start may become available."""
    pause = 0.2
    while not hub.stopping.is_set():
        try:
            await hub.open()
            return
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("waiting for the database", error=describe(error))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(hub.stopping.wait(), pause)
            pause = min(pause * 2, 5.0)


def _workers(service: Service, hub: Hub, watchdog: Watchdog) -> list[Worker]:
    workers = [*service.workers, watchdog.worker(hub)]
    if service.consumes:
        workers += [timer_worker(service.timers), retention.worker(service.retention)]
        if service.subscribers.truths:
            workers.append(_resync_worker(service.subscribers.truths))
    workers += [Worker(effect.kind, effect.run) for effect in service.effects]
    if service.prepare is not None:
        workers += service.prepare(hub)
    return workers


def _resync_worker(truths: Mapping[str, Snapshot]) -> Worker:
    async def tell_on(process: Process) -> bool:
        return await resyncing.tell_on(process, truths)

    return Worker(resyncing.WORKER, tell_on, resyncing.IDLE_SECONDS)


def _application(service: Service, hub: Hub, watchdog: Watchdog) -> ASGIApp:
    own = service.app(hub) if service.app is not None else None
    return edge.application(health.routes(hub, watchdog), own)


def _stop_on_signals(hub: Hub) -> asyncio.Event:
    asked = asyncio.Event()

    def stop() -> None:
        asked.set()
        hub.stopping.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    return asked


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the hub decides when to stop."""

    def __init__(self, application: ASGIApp, settings: ServiceSettings) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                host=settings.http_host,
                port=settings.http_port,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=3,
                server_header=False,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave the signal handlers unchanged."""
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; a port in use ends the process with a sentence instead of a traceback."""
        try:
            await super().serve(sockets)
        except SystemExit:
            log.critical("can't listen", host=self.config.host, port=self.config.port)
