"""One process of a service: its pool, its units, its relay, its consumers and its workers.

The hub starts without waiting for the broker or the database: an unavailable dependency makes it not ready,
and never makes it exit.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from faststream.rabbit import RabbitBroker

from contracts.envelope import uuid7_floor
from services.chassis.background.workers import Worker
from services.chassis.errors import describe
from services.chassis.failpoints import reach
from services.chassis.limits import within
from services.chassis.messaging.binding_watch import POLL_SECONDS, BindingWatch
from services.chassis.messaging.inbound.committing import Committer
from services.chassis.messaging.inbound.consuming import Consumers
from services.chassis.messaging.inbound.dead_letters import DeadLetterReader
from services.chassis.messaging.inbound.parking import RetryPolicy
from services.chassis.messaging.inbound.queue_reader import QueueReader
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.outbound.relaying import Relay
from services.chassis.messaging.process import Process
from services.chassis.messaging.rates import Rates
from services.chassis.messaging.recovery import pausing, restored
from services.chassis.messaging.subscribers import Subscribers
from services.chassis.messaging.topology import dead_queue_of, listened_queues
from services.chassis.messaging.unit import Unit
from services.chassis.runtime.gauges import begin_series, show_pauses
from services.chassis.runtime.loop_lag import measure_lag
from services.chassis.runtime.own_workers import own_workers, pauses_worker
from services.chassis.settings import ServiceSettings
from services.chassis.storage import clock
from services.chassis.storage.database import Connection, Pool, acquire, open_pool, transaction, watch_pool
from services.chassis.storage.partitions import inbox_window, keep_partitions

log = structlog.get_logger()
PREFETCH_BATCHES = 3
COUNTS_SECONDS = 2.0
WORKERS_STOP_SECONDS = 4.0


class Hub:
    """State shared by the parts of a service. `owner` identifies this process on leases, `name` in its connections.

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
        self.is_connected = False
        self._relay: Relay | None = None
        self.consumers: Consumers | None = None
        self.readers: list[QueueReader] = []
        self.binding_watch: BindingWatch | None = None
        self.clock = own_clock or clock.Clock()
        self.is_clock_doubtful = False
        self.rates = Rates()
        self.warnings: list[str] = []
        self.schema_warnings: list[str] = []
        self.pauses: list[pausing.Pause] = []
        self.restored = restored.NEVER
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
        async with acquire(self.pool) as connection:
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
        return Unit(connection, self.service, self.owner, self._lease, self.clock.now(), self.restored)

    def after_commit(self, unit: Unit) -> None:
        """Send the messages of a committed unit, and wake the workers it gave work to."""
        if self._relay is not None and unit.outgoing:
            self._relay.hand_over(unit.outgoing)
        for kind in unit.effect_kinds:
            self.nudge(kind)
        if unit.woken:
            self.nudge("retries")

    def nudge(self, worker: str) -> None:
        """Let a worker check for work immediately. An unknown name is ignored: its work is another process's."""
        if worker in self._workers:
            self._workers[worker].nudge()

    async def queue_counts(self) -> dict[str, tuple[int, int]]:
        """Return ready messages and consumers by queue, as the broker reports them; empty if it does not soon."""
        if self.consumers is None:
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
        watch_pool(self._pool)
        try:
            await self.follow_pauses()
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
        self.is_connected = True

    async def keep_house(self) -> None:
        """Maintain partitions and gauges; at start and periodically."""
        async with self.acquire() as connection:
            await self.clock.compare(connection)
            doubt = await clock.doubt_of(connection)
            if doubt is not None and not self.is_clock_doubtful:
                clock.log_doubt(doubt)
            self.is_clock_doubtful = doubt is not None
            await keep_partitions(
                connection,
                self.clock.now().date(),
                self.settings.inbox_days,
                self.settings.event_log_days,
                may_drop=doubt is None,
            )
            self._window = await inbox_window(connection)

    async def follow_pauses(self) -> None:
        """Read what operators have paused and restored; stop consuming while messages are paused, and consume again
        when they are not. Raises DatabaseIncomplete."""
        async with self.acquire() as connection:
            self.restored = await restored.read_restored(connection, self.service)
            self.pauses = await pausing.read_pauses(connection)
            show_pauses(self.service, self.pauses)
        if self.consumers is not None:
            self.consumers.pause(any(one.what == pausing.MESSAGES for one in self.pauses))

    def subscribe(self) -> RabbitBroker:
        """Return FastStream's broker with a subscriber per queue. Its start begins consuming; the hub must
        then be open and started."""
        if self.consumes:
            self.readers = [
                *(
                    QueueReader(q, self._commit, self.settings.batch_size)
                    for q in listened_queues(self.service)
                ),
                DeadLetterReader(dead_queue_of(self.service), self.unit, self._commit),
            ]
        prefetch, url = self.settings.batch_size * PREFETCH_BATCHES, self.settings.amqp_url.get_secret_value()
        consumers = Consumers(url, self.readers, prefetch, self._consume)
        if self.consumes:
            self.consumers = consumers
        return consumers.broker

    async def _commit(self, batch: Sequence[RawMessage]) -> Any:
        return await self.committer.commit(batch)

    async def _consume(self) -> None:
        """Begin consuming; in a process that does not consume, or is stopping, do nothing."""
        if self.consumers is not None and not self.stopping.is_set():
            self._keep(asyncio.create_task(self.consumers.run()))

    def start(self, workers: Sequence[Worker]) -> None:
        """Start relaying, committing and working. The database must be open."""
        amqp_url = self.settings.amqp_url.get_secret_value()
        self._relay = Relay(self.service, amqp_url, self.pool, self.owner, self._lease)
        own = [*self._watching(amqp_url), *own_workers(self)] if self.consumes else []
        self._workers = {worker.name: worker for worker in [pauses_worker(self), *own, *workers]}
        begin_series(self.service, [reader.queue for reader in self.readers], self._workers)
        self._working = [asyncio.create_task(worker.loop(self)) for worker in self._workers.values()]
        loops = [self._relay.run(), measure_lag(), *(reader.run() for reader in self.readers)]
        for task in [*map(asyncio.create_task, loops), *self._working]:
            self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        """Keep a task that must run until the process stops."""
        self._tasks.append(task)
        task.add_done_callback(self._on_task_end)

    def _watching(self, amqp_url: str) -> list[Worker]:
        url = self.settings.broker_management_url
        if url is None:
            log.info("bindings are not watched: COMPTOIR_BROKER_MANAGEMENT_URL is not set")
            return []
        self.binding_watch = watch = BindingWatch(
            self.service, url.get_secret_value(), amqp_url, self.settings.amqp_ca_file
        )

        async def look(_: Process) -> bool:
            await watch.look()
            return False

        return [Worker("bindings", look, POLL_SECONDS)]

    def _on_task_end(self, task: asyncio.Task[None]) -> None:
        """Have the process replaced when a loop has ended without being stopped: its work would not be done."""
        if self.stopping.is_set():
            return
        error = None if task.cancelled() else task.exception()
        log.critical("a loop of the service ended", was_cancelled=task.cancelled(), exc_info=error)
        self.stopping.set()

    async def stop(self) -> None:
        """Stop receiving, finish the messages received, send those emitted, close. The rest stays in the database."""
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
        self.is_connected = False
        if self.binding_watch is not None:
            await self.binding_watch.close()
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except (TimeoutError, OSError):
                self._pool.terminate()
