"""The two systems a bench runs on: ours, and one of the same tables and queues on which the floor works.

Both stand on the same PostgreSQL and the same RabbitMQ, so that whatever slows the machine slows both. Services are
started only when a measurement wants them; what is left in queues by one measurement never reaches the next.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg
import httpx2

from contracts.catalogue import STOREFRONT
from deploy.demo.sales.storefront import login_of
from deploy.local.parts import Parts
from deploy.local.spawning import Launcher
from deploy.local.supervisor import Program
from deploy.local.system import MAIL_SERVER, ROOT, ShopSetup, System
from deploy.samples.merchants import GARANCE
from deploy.topology import Management
from services.chassis.messaging.topology import queues
from tests.bench.generating import generate
from tests.bench.processes import resident_mib
from tests.bench.progress import Progress
from tests.bench.sales import MODULE, SHOP, stock
from tests.bench.scale import Scale
from tests.bench.smtp_sink import listening

LOGIN = login_of(SHOP, MODULE.value)
INTAKE = f"orders.{STOREFRONT}"
POLL_SECONDS = 0.1
PUBLISH_SECONDS = 120.0


class BenchStuck(Exception):
    """Something that was to happen did not happen in time."""


@dataclass
class Harness:
    """Everything a measurement may use. `notes` are lines for the reader, printed beside the table."""

    parts: Parts
    ours: System
    floor: System
    scale: Scale
    sink: list[str | Path] | None
    progress: Progress = field(default_factory=Progress)
    notes: list[str] = field(default_factory=list)
    resting_mib: dict[str, float] = field(default_factory=dict)
    numbers: int = 1
    clones: int = 1
    _is_stocked: bool = False

    def take_numbers(self, count: int) -> int:
        """The first of so many order numbers nobody has used."""
        self.numbers += count
        return self.numbers - count

    def take_clones(self, count: int) -> int:
        """The first of so many clone numbers of the floor nobody has used."""
        self.clones += count
        return self.clones - count

    async def run_only(self, *services: str) -> None:
        """Have these services running on our side, and no others; queues begin empty."""
        supervisor = self.ours.supervisor
        for name in self.running():
            if name not in services:
                await supervisor.stop(name)
        self.purge(self.ours)
        await self.start(*(name for name in services if name not in self.running()))

    async def start(self, *services: str) -> None:
        """Start services of ours beside those that run, and see what they hold before they have done anything."""
        await self.ours.start(*services)
        for name in services:
            self.resting_mib.setdefault(name, resident_mib(self.ours.supervisor.pid(name)))

    def running(self) -> list[str]:
        """Our services that run now."""
        supervisor = self.ours.supervisor
        started = [name for name in supervisor.names() if name != MAIL_SERVER]
        return [name for name in started if supervisor.exited(name) is None]

    async def submit(self, system: System, count: int) -> int:
        """Put so many submissions on a system's intake queue; the number of the first."""
        first = self.take_numbers(count)
        order = {"amqp_url": system.amqp_url(LOGIN), "login": LOGIN, "first": first, "count": count}
        await generate("publishing", order, PUBLISH_SECONDS)
        return first

    async def place(self, count: int) -> int:
        """Have orders place so many, so that their OrderPlaced wait in the queues of services that are down."""
        before = await self.fetchval("orders", "SELECT count(*) FROM orders")
        first = await self.submit(self.ours, count)
        await self.until("orders", "SELECT count(*) FROM orders", before + count)
        await self.until("orders", "SELECT -count(*) FROM msg.dispatch", 0)
        return first

    async def set_stock(self) -> None:
        """Fill the shelves once; orders and fulfillment must run."""
        if self._is_stocked:
            return
        levels = [{"sku": level.sku, "on_hand": level.on_hand} for level in stock()]
        token = self.ours.secrets.api_tokens[SHOP]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "bench-stock"}
        async with httpx2.AsyncClient(base_url=self.ours.url("orders"), timeout=30, trust_env=False) as http:
            (await http.post("/v1/stock", json={"levels": levels}, headers=headers)).raise_for_status()
        await self.until("fulfillment", "SELECT count(*) FROM stock_level", len(levels))
        self._is_stocked = True

    async def use_mail_server(self, *, keeps_journal: bool) -> None:
        """Run a mail server on our system's SMTP port: the demo's with its journal, or the cheapest there is."""
        supervisor = self.ours.supervisor
        if MAIL_SERVER in supervisor.names():
            await supervisor.stop(MAIL_SERVER)
        if keeps_journal or self.sink is None:
            await self.ours.start_mail_server()
        else:
            await supervisor.start(Program(MAIL_SERVER, listening(self.sink, self.ours.smtp_port), cwd=ROOT))

    def purge(self, system: System) -> None:
        """Empty all queues of a system."""
        management = management_of(system)
        for queue in queues(system.storefronts):
            management.send("DELETE", f"queues/{quote(system.vhost, safe='')}/{queue}/contents")

    async def fetch(self, service: str, sql: str, *arguments: Any, system: System | None = None) -> list[Any]:
        """Rows of a service's database."""
        connection = await asyncpg.connect((system or self.ours).databases[service])
        try:
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    async def fetchval(self, service: str, sql: str, *arguments: Any, system: System | None = None) -> Any:
        """One value of a service's database."""
        return (await self.fetch(service, sql, *arguments, system=system))[0][0]

    async def until(
        self, service: str, sql: str, least: int, seconds: float = 120.0, system: System | None = None
    ) -> None:
        """Wait until a query's one number is at least so much. Raises BenchStuck with the last number."""
        connection = await asyncpg.connect((system or self.ours).databases[service])
        deadline = time.monotonic() + seconds
        try:
            while (reached := await connection.fetchval(sql)) < least:
                self.progress.report(f"{service}: {abs(reached):,} of {abs(least):,}")
                if time.monotonic() > deadline:
                    raise BenchStuck(f"{service}: {sql!r} is {reached} after {seconds:.0f} s, not {least}")
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await connection.close()


def management_of(system: System) -> Management:
    """The broker's management API of a system's virtual host."""
    parts = urlsplit(system.rabbitmq.management_url)
    user, password = quote(system.rabbitmq.user), quote(system.rabbitmq.password)
    address = parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()
    return Management(address, system.vhost)


@asynccontextmanager
async def opened_harness(
    parts: Parts,
    folder: Path,
    scale: Scale,
    sink: list[str | Path] | None,
    progress: Progress,
    launcher: Launcher | None = None,
) -> AsyncIterator[Harness]:
    """Databases, migrations and topology of both systems; no service runs yet."""
    shops = [ShopSetup(GARANCE.profile, [MODULE.value])]
    ours = System(folder / "ours", parts.postgres, parts.rabbitmq, shops, launcher=launcher)
    floor = System(folder / "floor", parts.postgres, parts.rabbitmq, shops, launcher=launcher)
    floor.secrets = ours.secrets  # users belong to the whole broker, not to a virtual host
    async with AsyncExitStack() as stack:
        for system in (ours, floor):
            await system.supervisor.__aenter__()
            stack.push_async_exit(system.__aexit__)
        await asyncio.gather(ours.prepare(), floor.prepare())
        yield Harness(parts, ours, floor, scale, sink, progress)
