"""A figure of the bench, its arithmetic, and the report that holds them all. Pure.

A ratio is our figure over the floor's, so 1 means as fast as a program without any rule. Where less is better
(milliseconds, MiB) the goal is an upper bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RATIO_GOAL = 0.5
"""Of every figure with a floor: at least half as fast."""
HELD_GOAL = 0.95
"""Of a rate that was asked for: what is measured at less is no figure of that rate."""


@dataclass(frozen=True, slots=True)
class Held:
    """The rate at which something was to be measured, and the one that could be held; both a second."""

    requested: float
    reached: float

    @property
    def is_held(self) -> bool:
        return self.reached >= self.requested * HELD_GOAL

    def __str__(self) -> str:
        return f"held {self.reached:.0f}/s of {self.requested:.0f}/s"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: `floor` is what the same work costs without rules, `goal` what it must reach.

    Where the floor does only a part of the work (`is_floor_partial`) it is shown beside the figure, and the goal alone
    decides.
    `held` is the rate it was measured at, where one was asked for; `parts` say what it is made of, by heading and name;
    `failed` is why there is no figure.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    goal: float | None = None
    less_is_better: bool = False
    is_floor_partial: bool = False
    held: Held | None = None
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    failed: str | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the floor's; None where there is no floor."""
        return self.value / self.floor if self.floor else None

    @property
    def is_met(self) -> bool | None:
        """Whether goal and ratio are reached, at the rate asked for; None when neither is set."""
        if self.failed is not None or (self.held is not None and not self.held.is_held):
            return False
        if self.goal is None and self.ratio is None:
            return None
        reached = self.goal is None or (
            self.value <= self.goal if self.less_is_better else self.value >= self.goal
        )
        return reached and (self.ratio is None or self.is_floor_partial or self.ratio >= RATIO_GOAL)

    def document(self) -> dict[str, Any]:
        """The row as `report.json` holds it; what does not apply to it is left out beyond the first six."""
        document: dict[str, Any] = {
            "name": self.name,
            "value": _shortened(self.value),
            "unit": self.unit,
            "floor": None if self.floor is None else _shortened(self.floor),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "goal": self.goal,
        }
        if self.held is not None:
            document["held"] = {
                "asked": _shortened(self.held.requested),
                "reached": _shortened(self.held.reached),
            }
        if self.parts:
            document["parts"] = {
                heading: {name: round(value, 2) for name, value in part.items()}
                for heading, part in self.parts.items()
            }
        return document if self.failed is None else {**document, "failed": self.failed}


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile (the smallest value that `percent` of all do not exceed); 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]


def per_second(sizes_at: Sequence[tuple[float, int]]) -> float:
    """The rate of a run of batches, given as (second it began, its size): all but the last, whose end is unknown.

    Raises ValueError when fewer than two batches say nothing about time.
    """
    ordered = sorted(sizes_at)
    seconds = ordered[-1][0] - ordered[0][0] if ordered else 0.0
    if seconds <= 0:
        raise ValueError(f"{len(ordered)} batch(es) within {seconds} s give no rate; measure more of them")
    return sum(size for _, size in ordered[:-1]) / seconds


def _shortened(value: float) -> float:
    return round(value, 1) if abs(value) < 1000 else float(round(value))
