"""Messages per second that a process receives from each queue, over the last minute. Pure: time is a parameter."""

from collections import Counter, deque
from collections.abc import Mapping

WINDOW_SECONDS = 60.0


class Rates:
    """Sampled counters that only grow."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Counter[str]]] = deque()

    def look(self, now: float, counts: Mapping[str, int]) -> None:
        """Record the counts at this time (monotonic seconds) and delete samples older than the window."""
        self._looks.append((now, Counter(counts)))
        while len(self._looks) > 2 and self._looks[1][0] <= now - WINDOW_SECONDS:
            self._looks.popleft()

    def per_second(self, name: str) -> float:
        """Return the rate between the oldest and the latest sample in the window; 0 while there is only one."""
        if len(self._looks) < 2:
            return 0.0
        (began, first), (ended, last) = self._looks[0], self._looks[-1]
        return round((last[name] - first[name]) / max(ended - began, 0.001), 2)
