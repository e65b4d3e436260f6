"""How many messages a second a process takes from each queue, over the last minute. Pure: it is told the time."""

from collections import Counter, deque
from collections.abc import Mapping

WINDOW_SECONDS = 60.0


class Rates:
    """Counts that only grow, looked at from time to time."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Counter[str]]] = deque()

    def look(self, now: float, counts: Mapping[str, int]) -> None:
        """Note the counts of this moment (monotonic seconds) and forget what is older than the window."""
        self._looks.append((now, Counter(counts)))
        while len(self._looks) > 2 and self._looks[1][0] <= now - WINDOW_SECONDS:
            self._looks.popleft()

    def per_second(self, name: str) -> float:
        """The rate between the oldest look of the window and the last one; 0 while there is only one."""
        if len(self._looks) < 2:
            return 0.0
        (began, first), (ended, last) = self._looks[0], self._looks[-1]
        return round((last[name] - first[name]) / max(ended - began, 0.001), 2)
