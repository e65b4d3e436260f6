"""Lives on a system whose servers may be killed: faults come in the middle, and afterwards all is as it must be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.demo.play import Outcome
from deploy.demo.script import Script
from deploy.local.parts import Parts
from deploy.local.system import System
from services.chassis.testing import wait_until
from tests.lives.living import History, many_lives
from tests.lives.timeline import where_everything_stands

LIVES = 36
SWING_SECONDS = 60.0


class Harness:
    """The system, its servers, and the history of all that was played on it."""

    def __init__(self, system: System, parts: Parts) -> None:
        self.system = system
        self.postgres, self.rabbitmq = parts.postgres, parts.rabbitmq
        self.history = History(system)

    @asynccontextmanager
    async def lives(self, count: int = LIVES) -> AsyncIterator[None]:
        """The body runs while lives are in full swing; then they must end right and the auditor must be content."""
        orders_before = await self.orders()
        playing = asyncio.create_task(self.history.play(many_lives(count)))
        try:
            await self._until(orders_before + count // 3, playing)
            assert not playing.done(), "the fault must come while lives go on"
            yield
            outcome = await playing
        except BaseException:
            playing.cancel()
            raise
        assert outcome.wrong == [], f"{outcome.wrong}\n{await where_everything_stands(self.system)}"
        assert len(outcome.orders) == count
        found = await self.history.violations()
        assert found == [], "\n".join([*map(str, found), await where_everything_stands(self.system)])

    async def play(self, script: Script) -> None:
        """Play lives without a fault, which must end right; the auditor is not asked."""
        outcome = await self.history.play(script)
        assert outcome.wrong == [], f"{outcome.wrong}\n{await where_everything_stands(self.system)}"

    async def orders(self) -> int:
        """How many orders there are."""
        connection = await asyncpg.connect(self.system.databases["orders"])
        try:
            found: int = await connection.fetchval("SELECT count(*) FROM orders")
            return found
        finally:
            await connection.close()

    async def _until(self, orders: int, playing: asyncio.Task[Outcome]) -> None:
        async def are_there() -> bool:
            if playing.done():
                await playing
            return await self.orders() >= orders

        try:
            await wait_until(are_there, SWING_SECONDS, f"not {orders} orders")
        except AssertionError as late:
            late.add_note(await where_everything_stands(self.system))
            raise
