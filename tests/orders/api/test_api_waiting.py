"""A request learns of its outcome at once in one process, soon through the database otherwise."""

import asyncio
from collections.abc import Collection
from uuid import UUID, uuid4

from services.orders.order.unit.waiting import POLL_SECONDS, Waiting


class Table:
    """Commands with an outcome, and how often they were asked for."""

    def __init__(self) -> None:
        self.settled: set[UUID] = set()
        self.requests: list[set[UUID]] = []

    async def look(self, command_ids: Collection[UUID]) -> list[UUID]:
        self.requests.append(set(command_ids))
        return [one for one in command_ids if one in self.settled]


async def test_an_announced_outcome_wakes_everyone_who_waits_for_it_before_any_look() -> None:
    waiting, table, command = Waiting(), Table(), uuid4()
    waits = [asyncio.create_task(waiting.wait(command, 5, table.look)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting.announce(dict.fromkeys([command, uuid4()]))
    async with asyncio.timeout(POLL_SECONDS / 2):
        assert await asyncio.gather(*waits) == [True, True, True]
    assert table.requests == []


async def test_an_outcome_handled_by_another_process_is_found_by_one_look_for_all() -> None:
    waiting, table, commands = Waiting(), Table(), [uuid4() for _ in range(20)]
    table.settled.update(commands)
    assert all(await asyncio.gather(*(waiting.wait(one, 5, table.look) for one in commands)))
    assert table.requests == [set(commands)]


async def test_without_an_outcome_the_wait_ends_and_the_looking_with_it() -> None:
    waiting, table = Waiting(), Table()
    assert await waiting.wait(uuid4(), 0.35, table.look) is False
    looks = len(table.requests)
    assert 1 <= looks <= 4
    assert await waiting.wait(uuid4(), 0.15, table.look) is False
    assert len(table.requests) <= looks + 2
    assert all(len(requests) == 1 for requests in table.requests)


async def test_a_look_that_fails_is_followed_by_another() -> None:
    waiting, table, command = Waiting(), Table(), uuid4()
    table.settled.add(command)

    async def fails_once(command_ids: Collection[UUID]) -> list[UUID]:
        if not table.requests:
            table.requests.append(set(command_ids))
            raise ConnectionResetError
        return await table.look(command_ids)

    assert await waiting.wait(command, 5, fails_once) is True
    assert len(table.requests) == 2


async def test_an_announcement_nobody_waits_for_is_nothing() -> None:
    Waiting().announce({uuid4(): None})
