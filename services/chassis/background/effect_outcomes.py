"""External effects as their kinds see them: the effect to perform, and its possible outcomes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.chassis.messaging.unit import Unit


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect to perform. `attempts` counts the attempts including this one, since it was planned or a
    person requested it again; `noted` is the last note on it, None if it was never tried before."""

    key: str
    kind: str
    payload: dict[str, Any]
    attempts: int
    noted: str | None = None

    @property
    def is_first_try(self) -> bool:
        """Return whether it was certainly never attempted before: neither tried nor decided on by a person."""
        return self.attempts <= 1 and self.noted is None


@dataclass(frozen=True, slots=True)
class Done:
    """It happened."""

    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """It certainly did not happen; retry after a while. `is_try` is False when it was only postponed: that
    does not count as an attempt."""

    detail: str
    after: timedelta | None = None
    is_try: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """It was permanently rejected. `is_own` means that the cause is this effect only, so that others may well
    succeed."""

    detail: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It is unknown whether it happened."""

    detail: str


Outcome = Done | Retry | Failed | Uncertain
Perform = Callable[[Effect], Awaitable[Outcome]]
Record = Callable[[Unit, Sequence[tuple[Effect, Outcome]]], Awaitable[None]]
Interrupted = Callable[[Effect, str], Outcome]
"""Function that returns the outcome of an effect that was in flight when its process died or that raised, and
why. A `Retry` has no limit by itself: the function that returns it must check the effect's attempts."""
