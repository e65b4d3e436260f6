"""The way back through pages that are found one after another: the link to each carries the places one came by.

A list that is read from a place onwards knows its next page and not the one before; the visitor does.
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
    """Where a visitor stands and came by. `name` is the parameter that holds a place; "" is the first page."""

    name: str
    here: str
    past: tuple[str, ...]

    @classmethod
    def of(cls, query: Mapping[str, str], name: str) -> Self:
        """The trail of a request."""
        past = tuple(place for place in query.get("trail", "")[:4000].split(APART) if place)
        return cls(name, query.get(name, ""), past[-MOST:])

    def on(self, place: str) -> dict[str, str]:
        """The parameters of the next page, which begins at `place`."""
        past = (*self.past, self.here)[-MOST:] if self.here else self.past
        return {self.name: place, "trail": APART.join(past)}

    @property
    def back(self) -> dict[str, str] | None:
        """The parameters of the page before; None on the first one."""
        if not self.here:
            return None
        if not self.past:
            return {}
        return {self.name: self.past[-1], "trail": APART.join(self.past[:-1])}
