"""The rate limit: the mean is kept, nothing is lost, and each mail that waits has its own turn."""

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.sending.pacing import Pace


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_limit_nothing_waits() -> None:
    pace = Pace(None)
    assert all(pace.wait() is None for _ in range(1000))


def test_mails_over_the_limit_get_one_turn_after_the_other() -> None:
    pace = Pace(60, Clock())
    waits = [pace.wait() for _ in range(4)]
    assert [wait.total_seconds() if wait else 0.0 for wait in waits] == [0.0, 1.0, 2.0, 3.0]


@given(st.integers(1, 6000), st.integers(1, 200))
def test_a_backlog_goes_at_the_rate_and_each_mail_waits_once(per_minute: int, mails: int) -> None:
    clock = Clock()
    pace = Pace(per_minute, clock)
    due = sorted(wait.total_seconds() if wait else 0.0 for wait in (pace.wait() for _ in range(mails)))
    waiting = [at for at in due if at]
    for at in waiting:
        clock.now = at + 1e-6
        assert pace.wait() is None
    assert len(due) - len(waiting) <= max(1, per_minute / 60)
    assert due[-1] <= mails * 60 / per_minute
