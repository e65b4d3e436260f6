"""Rate limit of sending: a maximum number of mails per minute by this process.

A mail over the limit is not held in memory, where it would be uncertain if the process died: it is postponed
to the time of its turn, and does not count as tried.
"""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

BURST_SECONDS = 1.0
"""Mails of so long may be sent immediately; the mean stays within the limit."""
_ROUNDING = 1e-6


class Pace:
    """Token bucket. The mails that were postponed and have not come back yet each have a turn of their own."""

    def __init__(self, mails_per_minute: int | None, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._seconds = 60.0 / mails_per_minute if mails_per_minute else 0.0
        self._burst = max(1.0, BURST_SECONDS / self._seconds) if self._seconds else 0.0
        self._left = self._burst
        self._counted_at = clock()
        self._postponed = 0

    def wait(self) -> timedelta | None:
        """Return how long a mail is to wait; None when it may go now, which counts it."""
        if not self._seconds:
            return None
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._counted_at) / self._seconds)
        self._counted_at = now
        if self._left >= 1.0 - _ROUNDING:
            self._left -= 1.0
            self._postponed = max(0, self._postponed - 1)
            return None
        self._postponed += 1
        return timedelta(seconds=(self._postponed - self._left) * self._seconds)
