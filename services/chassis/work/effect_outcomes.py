"""External effects as their kinds see them: what is to be performed, and what can become of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.chassis.messaging.unit import Unit


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect to perform. `attempts` counts the tries including this one, since it was planned or a person had it
    done again; `noted` is what was last noted of it, None if it was never tried before."""

    key: str
    kind: str
    payload: dict[str, Any]
    attempts: int
    noted: str | None = None

    @property
    def is_first_try(self) -> bool:
        """Whether it surely never went out before: neither tried nor decided on by a person."""
        return self.attempts <= 1 and self.noted is None


@dataclass(frozen=True, slots=True)
class Done:
    """It happened."""

    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """It surely did not happen; try again after a while. `is_try` is False when it was only put off: that does not
    count among the effect's tries."""

    detail: str
    after: timedelta | None = None
    is_try: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """It was refused for good. `is_own` says that the cause is this effect alone, so that others may well succeed."""

    detail: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Nobody knows whether it happened."""

    detail: str


Outcome = Done | Retry | Failed | Uncertain
Perform = Callable[[Effect], Awaitable[Outcome]]
Record = Callable[[Unit, Sequence[tuple[Effect, Outcome]]], Awaitable[None]]
Interrupted = Callable[[Effect, str], Outcome]
"""What becomes of an effect that was in flight when its process died or that raised, and why. A `Retry` ends by itself:
whoever gives it counts the effect's tries."""
