"""Back links of cursor pages: the link to each page contains the cursors of the pages before.

A list read from a cursor onwards knows its next page but not the previous one, so the URL contains it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

APART = "~"
"""Separator of cursors; no cursor contains it."""
MOST = 12
"""Maximum cursors in a link; the page before them is the first one."""


@dataclass(frozen=True)
class BackLinks:
    """The current cursor and the previous ones. `name` is the parameter that holds a cursor; "" is the first
    page.
    """

    name: str
    here: str
    past: tuple[str, ...]

    @classmethod
    def of(cls, query: Mapping[str, str], name: str) -> Self:
        """Return the back links of a request."""
        past = tuple(place for place in query.get("trail", "")[:4000].split(APART) if place)
        return cls(name, query.get(name, ""), past[-MOST:])

    @property
    def stay(self) -> dict[str, str]:
        """Return the parameters of this page; those of the first one are empty."""
        return {self.name: self.here, "trail": APART.join(self.past)}

    def on(self, place: str) -> dict[str, str]:
        """Return the parameters of the next page, which begins after the cursor `place`."""
        past = (*self.past, self.here)[-MOST:] if self.here else self.past
        return {self.name: place, "trail": APART.join(past)}

    @property
    def back(self) -> dict[str, str] | None:
        """Return the parameters of the previous page; None on the first one."""
        if not self.here:
            return None
        if not self.past:
            return {}
        return {self.name: self.past[-1], "trail": APART.join(self.past[:-1])}
