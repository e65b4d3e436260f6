"""Waiting for a condition, with a deadline; never for a time."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], seconds: float = 20.0, why: str = "") -> T:
    """The first true answer of `look`; AssertionError with the last answer when there is none in time."""
    deadline = monotonic() + seconds
    while not (answer := await look()):
        if monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {why or look}; last answer: {answer!r}")
        await asyncio.sleep(0.02)
    return answer
