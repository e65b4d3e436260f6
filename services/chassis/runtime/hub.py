"""One process of a service: its pool, its units, its relay, its consumers and its workers.

The hub starts without waiting for the broker or the database: an unavailable dependency makes it not ready,
and never makes it exit.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import structlog

from contracts.envelope import uuid7_floor, uuid7_time
from services.chassis import metrics
from services.chassis.background.working import Worker
from services.chassis.errors import describe
from services.chassis.failpoints import reach
from services.chassis.limits import within
from services.chassis.messaging import store
from services.chassis.messaging.binding_watch import LOOK_SECONDS, BindingWatch
from services.chassis.messaging.inbound.committing import Committer
from services.chassis.messaging.inbound.consuming import Consumers
from services.chassis.messaging.inbound.dead_letters import DeadLetterReader
from services.chassis.messaging.inbound.parking import RetryPolicy
from services.chassis.messaging.inbound.queue_reader import QueueReader
from services.chassis.messaging.outbound.relaying import Relay
from services.chassis.messaging.process import Process
from services.chassis.messaging.rating import Rates
from services.chassis.messaging.recovery import operations_store
from services.chassis.messaging.subscribers import Subscribers
from services.chassis.messaging.topology import dead_queue_of, listened_queues
from services.chassis.messaging.unit import Unit
from services.chassis.settings import ServiceSettings
from services.chassis.storage import clock
from services.chassis.storage.database import ACQUIRE_SECONDS, Connection, Pool, open_pool, transaction
from services.chassis.storage.partitions import inbox_window, keep_partitions

log = structlog.get_logger()
PREFETCH_BATCHES = 3
HOUSEKEEPING_SECONDS = 60.0
GAUGES_SECONDS = 2.0
COUNTS_SECONDS = 2.0
WORKERS_STOP_SECONDS = 4.0


class Hub:
    """State shared by the parts of a service. `owner` identifies this process on leases, `name` in logs and
    connections.

    With `consumes=False` it handles no messages: a second program of the service, beside the one that does.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        subscribers: Subscribers[Any],
        *,
        name: str | None = None,
        consumes: bool = True,
        own_clock: clock.Clock | None = None,
    ) -> None:
        self.settings = settings
        self.subscribers = subscribers
        self.service = subscribers.service
        self.name = name or subscribers.service
        self.consumes = consumes
        self.owner: UUID = uuid4()
        self.stopping = asyncio.Event()
        self.retry_policy = RetryPolicy(timedelta(seconds=settings.retry_seconds), settings.retry_attempts)
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._window = (uuid7_floor(datetime.now(UTC)), UUID(int=0))
        self._workers: dict[str, Worker] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._working: list[asyncio.Task[None]] = []
        self._pool: Pool | None = None
        self._relay: Relay | None = None
        self.consumers: Consumers | None = None
        self.readers: list[QueueReader] = []
        self.binding_watch: BindingWatch | None = None
        self.clock = own_clock or clock.Clock()
        self.is_clock_doubtful = False
        self.rates = Rates()
        self.warnings: list[str] = []
        self.committer: Committer[Any]

    @property
    def can_log_today(self) -> bool:
        """Return whether there is a partition for the present day; without one every message would fail."""
        return self._window[0] <= uuid7_floor(self.clock.now()) < self._window[1]

    @property
    def pool(self) -> Pool:
        """Return the pool of connections to this service's database."""
        if self._pool is None:
            raise ConnectionError(f"{self.service} has no connection to its database yet")
        return self._pool

    @property
    def relay(self) -> Relay:
        """Return the relay; there is none in a hub that was opened without a broker."""
        if self._relay is None:
            raise ConnectionError(f"{self.service} was opened without a broker")
        return self._relay

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Return a connection of the pool, waiting at most five seconds for one."""
        async with self.pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            yield connection

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """Open a transaction outside of a message; commit at the end, then send what was emitted."""
        async with self.acquire() as connection, transaction(connection):
            unit = self.open_unit(connection)
            yield unit
            await unit.flush()
            if unit.emitted:
                reach("before_commit", "unit")
        if unit.emitted:
            reach("after_commit", "unit")
        unit.committed()
        self.after_commit(unit)

    def open_unit(self, connection: Connection) -> Unit:
        """Return a unit on a connection that is in a transaction."""
        return Unit(connection, self.service, self.owner, self._lease, self.clock.now())

    def after_commit(self, unit: Unit) -> None:
        """Send the messages of a committed unit, and wake the workers it gave work to."""
        if self._relay is not None and unit.outgoing:
            self._relay.hand_over(unit.outgoing)
        for kind in unit.effect_kinds:
            self.nudge(kind)
        if unit.woken:
            self.nudge("retries")

    def nudge(self, worker: str) -> None:
        """Let a worker check for work at once. An unknown name is ignored: another process does that work."""
        if worker in self._workers:
            self._workers[worker].nudge()

    async def queue_counts(self) -> dict[str, tuple[int, int]]:
        """Return ready messages and consumers by queue, as the broker reports them; empty when it does not
        answer soon."""
        if self.consumers is None or not self.consumers.is_consuming:
            return {}
        try:
            return await within(COUNTS_SECONDS, self.consumers.counts())
        except Exception as error:
            log.info("could not read queue depths", error=describe(error))
            return {}

    async def open(self) -> None:
        """Connect to the database and prepare for handling messages. Raise when the database is unavailable."""
        url = self.settings.database_url.get_secret_value()
        self._pool = await open_pool(url, self.settings.pool_size, f"comptoir-{self.name}")
        try:
            await self.keep_house()
        except BaseException:
            self._pool.terminate()
            self._pool = None
            raise
        self.committer = Committer(
            self.subscribers,
            self._pool,
            self.open_unit,
            self.after_commit,
            lambda: self._window,
            self.retry_policy,
        )

    async def keep_house(self) -> None:
        """Maintain partitions and gauges; at start and periodically."""
        async with self.acquire() as connection:
            await self.clock.compare(connection)
            is_doubtful = await clock.is_doubtful(connection)
            if is_doubtful and not self.is_clock_doubtful:
                log.warning("the database's clock went ahead, or this is its first day: nothing is dropped")
            self.is_clock_doubtful = is_doubtful
            await keep_partitions(
                connection,
                self.clock.now().date(),
                self.settings.inbox_days,
                self.settings.event_log_days,
                may_drop=not is_doubtful,
            )
            self._window = await inbox_window(connection)

    def start(self, workers: Sequence[Worker]) -> None:
        """Start consuming, relaying and working. The database must be open."""
        amqp_url = self.settings.amqp_url.get_secret_value()
        self._relay = Relay(self.service, amqp_url, self.pool, self.owner, self._lease)
        loops: list[Coroutine[Any, Any, None]] = [self._relay.run()]
        own: list[Worker] = []
        if self.consumes:
            loops += self._consuming(amqp_url)
            own = [*self._watching(amqp_url), *_own_workers(self)]
        self._workers = {worker.name: worker for worker in [*own, *workers]}
        self._working = [asyncio.create_task(worker.loop(self)) for worker in self._workers.values()]
        self._tasks = [*map(asyncio.create_task, loops), *self._working]
        for task in self._tasks:
            task.add_done_callback(self._on_task_end)

    def _watching(self, amqp_url: str) -> list[Worker]:
        url = self.settings.broker_management_url
        if url is None:
            log.info("the bindings are not watched: COMPTOIR_BROKER_MANAGEMENT_URL is not set")
            return []
        self.binding_watch = watch = BindingWatch(self.service, url.get_secret_value(), amqp_url)

        async def look(_: Process) -> bool:
            await watch.look()
            return False

        return [Worker("bindings", look, LOOK_SECONDS)]

    def _consuming(self, amqp_url: str) -> list[Coroutine[Any, Any, None]]:
        readers = [
            QueueReader(queue, self.committer.commit, self.settings.batch_size)
            for queue in listened_queues(self.service)
        ]
        dead_letters = DeadLetterReader(dead_queue_of(self.service), self.unit, self.committer.commit)
        self.readers = [*readers, dead_letters]
        self.consumers = Consumers(
            self.service, amqp_url, self.readers, self.settings.batch_size * PREFETCH_BATCHES
        )
        return [*(reader.run() for reader in self.readers), self.consumers.run()]

    def _on_task_end(self, task: asyncio.Task[None]) -> None:
        """Have the process replaced when a loop has ended without being stopped: its work would not be done."""
        if self.stopping.is_set():
            return
        error = None if task.cancelled() else task.exception()
        log.critical("a loop of the service ended", was_cancelled=task.cancelled(), exc_info=error)
        self.stopping.set()

    async def stop(self) -> None:
        """Stop receiving, finish the messages received, send those emitted, close. The rest is safe in the
        database."""
        self.stopping.set()
        for worker in self._workers.values():
            worker.nudge()
        if self.consumers is not None:
            await self.consumers.stop()
        if self._working:
            await asyncio.wait(self._working, timeout=WORKERS_STOP_SECONDS)
        if self._relay is not None:
            await self._relay.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.close()

    async def close(self) -> None:
        """Close the pool and the client of the broker's management API."""
        if self.binding_watch is not None:
            await self.binding_watch.close()
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except (TimeoutError, OSError):
                self._pool.terminate()


def _own_workers(hub: Hub) -> list[Worker]:
    async def retry(_: Process) -> bool:
        return await hub.committer.retry_due(hub.settings.batch_size) > 0

    async def keep_house(_: Process) -> bool:
        await hub.keep_house()
        return False

    async def measure(_: Process) -> bool:
        await _measure(hub)
        return False

    return [
        Worker("retries", retry),
        Worker("housekeeping", keep_house, HOUSEKEEPING_SECONDS),
        Worker("gauges", measure, GAUGES_SECONDS),
    ]


async def _measure(hub: Hub) -> None:
    async with hub.acquire() as connection:
        await hub.clock.compare(connection)
        counts = await store.count_parked(connection)
        rows, oldest = await store.dispatch_backlog(connection)
        refused = await operations_store.count_refused(connection)
    hub.rates.look(monotonic(), hub.committer.taken)
    hub.warnings = [
        f"{row['messages']} messages stay in the outbox since {row['since']:%Y-%m-%d %H:%M}Z: {row['why']} "
        f"as {row['routing_key']}"
        for row in refused
    ]
    metrics.DISPATCH_REFUSED.labels(hub.service).set(sum(row["messages"] for row in refused))
    for state in ("waiting", "dead"):
        metrics.PARKED_ROWS.labels(hub.service, state).set(counts.get(state, 0))
    metrics.DISPATCH_ROWS.labels(hub.service).set(rows)
    age = 0.0
    if oldest is not None and oldest.version == 7:  # a replay's dispatch has a random id: it is no backlog
        age = (hub.clock.now() - uuid7_time(oldest)).total_seconds()
    metrics.DISPATCH_AGE.labels(hub.service).set(max(age, 0.0))
