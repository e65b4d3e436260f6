"""Panels of a dashboard and their queries, as Grafana's classic JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

Json = dict[str, Any]
DATA_SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
"""The data source that is chosen at the top of the dashboard."""


@dataclass(frozen=True)
class Query:
    """A query of a panel. `may_be_empty` is the reason why a healthy hub has no series for it, if so."""

    expression: str
    legend: str = ""
    may_be_empty: str = ""


@dataclass(frozen=True)
class Panel:
    """A graph. `unit` is one of Grafana's, `width` in 24ths, `warning` the value from which a line is red.

    `step` is the least distance of two points: a graph per hour has one point an hour. A `stacked` graph has bars.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    width: int = 12
    height: int = 8
    warning: float | None = None
    step: str = ""
    stacked: bool = False
    decimals: int | None = None

    @property
    def is_instant(self) -> bool:
        return False

    def to_json(self) -> Json:
        """Return the panel without its id and place."""
        steps: list[Json] = [{"color": "green", "value": None}]
        if self.warning is not None:
            steps.append({"color": "red", "value": self.warning})
        defaults: Json = {
            "unit": self.unit,
            "min": 0,
            "thresholds": {"mode": "absolute", "steps": steps},
            **self._look(),
        }
        if self.decimals is not None:
            defaults["decimals"] = self.decimals
        found: Json = {
            "type": self._kind(),
            "title": self.title,
            "description": self.description,
            "datasource": DATA_SOURCE,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": self._options(),
            "targets": [self._target(*each) for each in zip(ascii_uppercase, self.queries, strict=False)],
        }
        return {**found, "interval": self.step} if self.step else found

    def _kind(self) -> str:
        return "timeseries"

    def _look(self) -> Json:
        custom = {
            "drawStyle": "bars" if self.stacked else "line",
            "lineWidth": 1,
            "fillOpacity": 70 if self.stacked else 8,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "off" if self.warning is None else "line"},
        }
        return {"color": {"mode": "palette-classic"}, "custom": custom}

    def _options(self) -> Json:
        return {
            "legend": {
                "showLegend": True,
                "displayMode": "table",
                "placement": "bottom",
                "calcs": ["lastNotNull", "max"],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }

    def _target(self, reference: str, query: Query) -> Json:
        return {
            "refId": reference,
            "datasource": DATA_SOURCE,
            "editorMode": "code",
            "expr": query.expression,
            "legendFormat": query.legend or self.title,
            "instant": self.is_instant,
            "range": not self.is_instant,
        }


@dataclass(frozen=True)
class Stat(Panel):
    """One number (or one per series), red from `warning` on. `over_range` asks once, for the time shown."""

    width: int = 4
    height: int = 4
    over_range: bool = False

    @property
    def is_instant(self) -> bool:
        return self.over_range

    def _kind(self) -> str:
        return "stat"

    def _look(self) -> Json:
        return {"color": {"mode": "thresholds"}, "noValue": "none"}

    def _options(self) -> Json:
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "none" if self.warning is None else "value",
            "graphMode": "none" if self.over_range else "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "auto",
            "wideLayout": True,
        }


@dataclass(frozen=True)
class Bars(Panel):
    """A bar for each series, of what happened in the time shown."""

    @property
    def is_instant(self) -> bool:
        return True

    def _kind(self) -> str:
        return "bargauge"

    def _look(self) -> Json:
        return {"color": {"mode": "continuous-BlPu"}, "noValue": "none"}

    def _options(self) -> Json:
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "displayMode": "basic",
            "orientation": "horizontal",
            "namePlacement": "auto",
            "showUnfilled": True,
            "valueMode": "color",
        }
