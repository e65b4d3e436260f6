"""State shared by all pages of the process, and its two ways to the database.

Pages read with connections that cannot write and whose queries are planned for each call's own values;
changes run in a unit of work of the hub, like everything in orders.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from services.chassis.messaging.process import Process
from services.chassis.runtime.hub import Hub
from services.chassis.storage.array_types import PreloadedArrays
from services.chassis.storage.database import READING as READING_POOL
from services.chassis.storage.database import Connection, Pool, acquire, watch_pool
from services.orders.api.actions.action import Actions
from services.orders.api.owners.clients import ServiceClients
from services.orders.backoffice.access.permissions import Demand
from services.orders.backoffice.access.sessions import Lifetime
from services.orders.backoffice.web.clients.monitor import Monitor
from services.orders.backoffice.web.live import Live
from services.orders.backoffice.web.rendering import Templates
from services.orders.backoffice.web.settings import BackofficeSettings
from services.orders.backoffice.web.statics import Statics
from services.orders.listing.finder.finder import Finder
from services.orders.order.shop.cache import TtlCache

MOST_EXPORTS = 2
"""Maximum concurrent exports: each holds one of the read connections until its last row is fetched."""
READING = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5000",
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    "timezone": "UTC",
    "application_name": "comptoir-orders-backoffice-reading",
}


@dataclass(frozen=True)
class MenuEntry:
    """A menu entry, for users with its permission. `label` is marked with `N_`; `icon` is one of icons.html.

    `count`: the cache of its number of pending items; its page `{path}/count` returns the current number.
    """

    path: str
    label: str
    icon: str
    rank: int
    demand: Demand
    count: TtlCache[int] | None = None


class AppState:
    """The parts of one running back office."""

    def __init__(self, hub: Hub, menu: list[MenuEntry]) -> None:
        assert isinstance(hub.settings, BackofficeSettings)
        self.hub = hub
        self.settings: BackofficeSettings = hub.settings
        self.menu = menu
        self.statics = Statics()
        self.templates = Templates(self.statics)
        self.actions = Actions(hub)
        self.live = Live(hub)
        self.clients = ServiceClients(self.settings)
        self.monitor = Monitor(self.settings, self.clients)
        self.finder = Finder()
        self.exporting = asyncio.Semaphore(MOST_EXPORTS)
        self.lifetime = Lifetime(
            timedelta(hours=self.settings.session_idle_hours), timedelta(hours=self.settings.session_hours)
        )
        self._reading: Pool | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Return a read-only connection, five seconds per statement. Raises asyncpg's errors when the
        database is unavailable.
        """
        pool = self._reading or await self._open()
        async with acquire(pool, READING_POOL) as connection:
            yield connection

    async def _open(self) -> Pool:
        async with self._opening:
            if self._reading is None:
                self._reading = await asyncpg.create_pool(
                    self.settings.database_url.get_secret_value(),
                    min_size=0,
                    max_size=self.settings.reading_pool_size,
                    timeout=5,
                    command_timeout=15,
                    connection_class=PreloadedArrays,
                    server_settings=READING,
                )
                watch_pool(self._reading, READING_POOL)
            return self._reading

    async def close_at_stop(self, process: Process) -> bool:
        """Wait until the process stops, then close."""
        await process.stopping.wait()
        await self.close()
        return False

    async def close(self) -> None:
        """Close the clients and connections that this process opened beside the hub."""
        await self.monitor.close()
        await self.clients.close()
        if self._reading is not None:
            try:
                await asyncio.wait_for(self._reading.close(), 3)
            except TimeoutError:
                self._reading.terminate()
