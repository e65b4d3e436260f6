"""Many callers, one commit: each gets its own result, or the error of its batch."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.background.group_commit import GroupCommit


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 50))
def test_each_caller_gets_its_own_result_and_no_batch_is_too_large(callers: int, limit: int) -> None:
    batches: list[int] = []

    async def commit(items: Sequence[int]) -> list[int]:
        batches.append(len(items))
        await asyncio.sleep(0)
        return [item * 2 for item in items]

    async def run() -> None:
        group = GroupCommit(commit, limit)
        assert await asyncio.gather(*map(group.submit, range(callers))) == [2 * n for n in range(callers)]

    asyncio.run(run())
    assert sum(batches) == callers
    assert max(batches) <= limit
    assert len(batches) <= callers // limit + 2


async def test_an_error_reaches_its_batch_and_the_next_batch_goes_on() -> None:
    async def commit(items: Sequence[str]) -> list[str]:
        await asyncio.sleep(0)
        if "bad" in items:
            raise ValueError("bad")
        return list(items)

    group = GroupCommit(commit, 2)
    results = await asyncio.gather(*map(group.submit, ["bad", "a", "b", "c"]), return_exceptions=True)
    assert [str(result) for result in results] == ["bad", "bad", "b", "c"]


async def test_a_commit_that_returns_too_little_is_an_error_and_nobody_hangs() -> None:
    async def commit(items: Sequence[str]) -> list[str]:
        return []

    with pytest.raises(ValueError, match="shorter"):
        await asyncio.wait_for(GroupCommit(commit).submit("a"), 30)


async def test_a_caller_who_leaves_disturbs_nobody() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def commit(items: Sequence[str]) -> list[str]:
        begun.set()
        await go_on.wait()
        return list(items)

    group = GroupCommit(commit)
    leaver = asyncio.create_task(group.submit("leaves"))
    await begun.wait()
    stayer = asyncio.create_task(group.submit("stays"))
    leaver.cancel()
    go_on.set()
    assert await asyncio.wait_for(stayer, 30) == "stays"
