"""External effects as their kinds see them: the effect to perform, and its possible outcomes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.chassis.messaging.recovery.restored import RESTORED
from services.chassis.messaging.unit import Unit


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect to perform. `attempts` counts the attempts including this one, since it was planned or an
    operator requested it again; `noted` is the last note on it, None if it was never tried before."""

    key: str
    kind: str
    payload: dict[str, Any]
    attempts: int
    noted: str | None = None

    @property
    def is_restored(self) -> bool:
        """Return whether it was pending in the backup that this database was restored from."""
        return self.noted == RESTORED

    @property
    def is_first_try(self) -> bool:
        """Return whether it was certainly never attempted before: neither tried nor decided on by an
        operator.
        """
        return self.attempts <= 1 and self.noted is None


@dataclass(frozen=True, slots=True)
class Done:
    """The effect happened."""

    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """The effect certainly did not happen; retry later. `is_try` is False when it was only postponed: that
    does not count as an attempt."""

    detail: str
    after: timedelta | None = None
    is_try: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """The effect was permanently rejected. `is_own` means that the cause is this effect only, so others may
    still succeed; `counted_as` is its outcome in the metrics."""

    detail: str
    is_own: bool = False
    counted_as: str = "failed"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The effect was not performed because it is no longer needed; it needs no attention."""

    detail: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It is unknown whether the effect happened."""

    detail: str


Outcome = Done | Retry | Failed | Uncertain | Withdrawn
Perform = Callable[[Effect], Awaitable[Outcome]]
Record = Callable[[Unit, Sequence[tuple[Effect, Outcome]]], Awaitable[None]]
Interrupted = Callable[[Effect, str], Outcome]
"""Function that returns the outcome of an effect that was in flight when its process died or that raised, and
why. A `Retry` has no limit of its own: the function that returns it must check the effect's attempts."""
