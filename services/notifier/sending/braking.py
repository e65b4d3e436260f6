"""Circuit breaker for sending: when mail after mail fails or gets no answer, the rest waits and one at a time
is tried.

So a faulty mail server does not fail all pending mails.
"""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from services.chassis.background.effects import Done, Failed, Outcome, Uncertain

MOST_IN_A_ROW = 10
"""Consecutive mails permanently rejected, or without an answer, that engage it."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)


class Brake:
    """Counter of consecutive failures. While it is on, one mail per pause is let through; one that is sent
    releases all.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._in_a_row = 0
        self._pause = FIRST_PAUSE
        self._next_at = 0.0

    def wait(self) -> timedelta | None:
        """Return how long a mail is to wait; None when it may go now. A mail that may go while the brake is
        on is the probe.
        """
        if self._in_a_row < MOST_IN_A_ROW:
            return None
        left = self._next_at - self._clock()
        if left > 0:
            return timedelta(seconds=left)
        self._next_at = self._clock() + self._pause.total_seconds()
        return None

    def note(self, outcome: Outcome) -> None:
        """Record the outcome of a mail that was handed over. A rejection because of the mail itself, such as
        an unknown mailbox, carries no information about the server.
        """
        if isinstance(outcome, Failed) and outcome.is_own:
            return
        if isinstance(outcome, Done):
            self._in_a_row, self._pause = 0, FIRST_PAUSE
        elif isinstance(outcome, Failed | Uncertain):
            self._in_a_row += 1
            if self._in_a_row > MOST_IN_A_ROW:
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            if self._in_a_row >= MOST_IN_A_ROW:
                self._next_at = self._clock() + self._pause.total_seconds()
