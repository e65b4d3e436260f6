"""A run over many orders: its items, and how each and the whole stand.

Invariant: what became of an item is said by its command's own row and nowhere else; so a run can't say something other
than the owner of money or goods did, and there is nothing to repair after a crash. What is asked of each order was
fixed when the run was told: nobody confirms one thing and gets another.
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
"""Orders of one run."""
_NAMES = UUID("6f1c1d0e-4a53-4d0f-9a1b-6a1d2c7f9b11")


class Verb(StrEnum):
    """What a run does."""

    PACK = "pack"
    SHIP = "ship"
    CANCEL = "cancel"


class Standing(StrEnum):
    """How one item stands."""

    LEFT_OUT = "left_out"
    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    REFUSED = "refused"
    PARKED = "parked"
    STOPPED = "stopped"


class Phase(StrEnum):
    """How a run stands."""

    PLANNED = "planned"
    RUNNING = "running"
    STOPPED = "stopped"
    ENDED = "ended"


UNFINISHED = frozenset({Standing.WAITING, Standing.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Planned:
    """An order about to be put into a run. `asked` None: it is left out, for `reasons`; `told` is what is shown."""

    order_id: UUID | None
    code: str
    asked: Mapping[str, Any] | None
    told: Mapping[str, Any] = field(default_factory=dict)
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """An order of a run, with how it stands."""

    position: int
    order_id: UUID | None
    code: str
    told: Mapping[str, Any]
    standing: Standing
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Run:
    """A run. `actor` planned it, or started it since; `faults` are lines that could not be taken."""

    run_id: UUID
    shop: str
    verb: Verb
    actor: str
    asked: Mapping[str, Any]
    faults: Sequence[Mapping[str, Any]]
    back: str
    planned_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    items: Sequence[Item]

    @property
    def counts(self) -> Mapping[Standing, int]:
        """How many items stand how."""
        return Counter(item.standing for item in self.items)

    @property
    def to_do(self) -> int:
        """Items that are not left out."""
        return len(self.items) - self.counts[Standing.LEFT_OUT]

    @property
    def finished(self) -> int:
        """Items of which nothing more is awaited."""
        return self.to_do - sum(self.counts[one] for one in UNFINISHED)

    @property
    def phase(self) -> Phase:
        """How it stands."""
        if self.started_at is None:
            return Phase.PLANNED
        if any(item.standing in UNFINISHED for item in self.items):
            return Phase.RUNNING
        return Phase.STOPPED if self.counts[Standing.STOPPED] else Phase.ENDED


def run_id_of(shop: str, form_key: str, content: Sequence[Any]) -> UUID:
    """The id of the run that a form makes: sent twice it finds the first one, unless something else comes of it now."""
    return uuid5(_NAMES, "\n".join([shop, form_key, *map(repr, content)]))


def key_of(run_id: UUID, position: int) -> str:
    """The idempotency key of an item's command."""
    return f"run:{run_id}:{position}"


def standing_of(
    *, is_asked: bool, is_refused: bool, command_state: str | None, is_started: bool, is_stopped: bool
) -> Standing:
    """How an item stands, from its own row, its command's state (None: not sent) and its run."""
    if not is_asked:
        return Standing.LEFT_OUT
    if is_refused or command_state == "rejected":
        return Standing.REFUSED
    if command_state is not None:
        return {"done": Standing.DONE, "parked": Standing.PARKED}.get(command_state, Standing.IN_PROGRESS)
    return Standing.STOPPED if is_started and is_stopped else Standing.WAITING
