"""Back links through cursor pages: the link to each carries the cursors of the pages before.

A list that is read from a cursor onwards has its next page and not the previous one; the URL has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

APART = "~"
"""Between two places; in none of them."""
MOST = 12
"""Steps back that a link carries; farther back is the first page."""


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

    def on(self, place: str) -> dict[str, str]:
        """Return the parameters of the next page, which begins at `place`."""
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
