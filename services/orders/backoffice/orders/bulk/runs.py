"""A run over many orders: its items, and the states of each and of the whole.

Invariant: an item's outcome is stored only in its command's own row; so a run cannot contradict the owner of
money or goods, and there is nothing to repair after a crash. The requests were fixed when the run was
previewed: what is carried out is exactly what was confirmed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from contracts.message import Reason

MOST_ITEMS = 500
"""Maximum orders of one run."""
_NAMES = UUID("6f1c1d0e-4a53-4d0f-9a1b-6a1d2c7f9b11")


class Verb(StrEnum):
    """A run's action."""

    PACK = "pack"
    SHIP = "ship"
    CANCEL = "cancel"


class ItemState(StrEnum):
    """The state of one item."""

    LEFT_OUT = "left_out"
    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    REFUSED = "refused"
    PARKED = "parked"
    STOPPED = "stopped"


class Phase(StrEnum):
    """The state of a run."""

    PLANNED = "planned"
    RUNNING = "running"
    STOPPED = "stopped"
    ENDED = "ended"


UNFINISHED = frozenset({ItemState.WAITING, ItemState.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Planned:
    """An order about to be added to a run. `request` is None for an order left out for `reasons`;
    `summary` is shown.
    """

    order_id: UUID | None
    code: str
    request: Mapping[str, Any] | None
    summary: Mapping[str, Any] = field(default_factory=dict)
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """An order of a run, with its state."""

    position: int
    order_id: UUID | None
    code: str
    summary: Mapping[str, Any]
    state: ItemState
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Run:
    """A run. `actor` planned it, or has started it since; `faults` are invalid lines."""

    run_id: UUID
    shop: str
    verb: Verb
    actor: str
    request: Mapping[str, Any]
    faults: Sequence[Mapping[str, Any]]
    back: str
    planned_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    items: Sequence[Item]

    @property
    def counts(self) -> Mapping[ItemState, int]:
        """Return the number of items by state."""
        return Counter(item.state for item in self.items)

    @property
    def to_do(self) -> int:
        """Return the number of items that are not left out."""
        return len(self.items) - self.counts[ItemState.LEFT_OUT]

    @property
    def finished(self) -> int:
        """Return the number of items with a final state."""
        return self.to_do - sum(self.counts[one] for one in UNFINISHED)

    @property
    def phase(self) -> Phase:
        """Return the run's state."""
        if self.started_at is None:
            return Phase.PLANNED
        if any(item.state in UNFINISHED for item in self.items):
            return Phase.RUNNING
        return Phase.STOPPED if self.counts[ItemState.STOPPED] else Phase.ENDED


def run_id_of(shop: str, form_key: str, content: Sequence[Any]) -> UUID:
    """Return the id of a form's run: a repeated form finds the first one, unless its content gives another
    plan now.
    """
    return uuid5(_NAMES, "\n".join([shop, form_key, *map(_hashed, content)]))


def _hashed(part: Any) -> str:
    """Return the text that an id is made of: the attributes' names are those of the first release."""
    if not isinstance(part, Planned):
        return repr(part)
    order = f"order_id={part.order_id!r}, code={part.code!r}"
    return f"Planned({order}, asked={part.request!r}, told={part.summary!r}, reasons={part.reasons!r})"


def key_of(run_id: UUID, position: int) -> str:
    """Return the idempotency key of an item's command."""
    return f"run:{run_id}:{position}"


def item_state(
    *, is_requested: bool, is_refused: bool, command_state: str | None, is_started: bool, is_stopped: bool
) -> ItemState:
    """Return an item's state, from its own row, its command's state (None: not sent) and its run."""
    if not is_requested:
        return ItemState.LEFT_OUT
    if is_refused or command_state == "rejected":
        return ItemState.REFUSED
    if command_state is not None:
        return {"done": ItemState.DONE, "parked": ItemState.PARKED}.get(command_state, ItemState.IN_PROGRESS)
    return ItemState.STOPPED if is_started and is_stopped else ItemState.WAITING
