"""Dashboards as Grafana's classic JSON.

Invariant: every dashboard follows the same rules (a variable for the data source, `job` and `instance`; no id, a
fixed uid, not editable), because no module writes JSON itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.grafana.panels import DATA_SOURCE, Json, Panel

SCHEMA_VERSION = 39
"""Grafana 11's. Later versions migrate it when they load it."""
COLUMNS = 24
TAG = "comptoir"
OFFICIAL = {"RabbitMQ overview": "Kn5xm-gZk", "Quorum queues": "f1Mee9nZz"}
"""RabbitMQ's own dashboards by title, with their uids; they are linked, not copied."""


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Variable:
    """A choice of a label's values at the top, several or all: those that the series of `metrics` have."""

    name: str
    title: str
    metrics: Sequence[str]

    def to_json(self, chosen: Sequence[str]) -> Json:
        """Return the variable; its values are restricted by those of `chosen` before it."""
        matchers = [f'{name}=~"${name}"' for name in chosen]
        is_one = len(self.metrics) == 1
        name = self.metrics[0] if is_one else ""
        if not is_one:
            matchers.insert(0, f'__name__=~"{"|".join(self.metrics)}"')
        series = f"{name}{{{','.join(matchers)}}}" if matchers else name
        query = f"label_values({series}, {self.name})"
        return {
            "type": "query",
            "name": self.name,
            "label": self.title,
            "datasource": DATA_SOURCE,
            "definition": query,
            "query": {"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery", "qryType": 1},
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".+",
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "options": [],
            "regex": "",
            "hide": 0,
            "skipUrlSync": False,
        }


@dataclass(frozen=True)
class Dashboard:
    """A dashboard. Each process that it shows exports one of the series `found_by`; `since` is what it shows first."""

    name: str
    title: str
    description: str
    found_by: Sequence[str]
    rows: Sequence[Row]
    variables: Sequence[Variable] = ()
    since: str = "now-6h"
    shows_starts: bool = True

    @property
    def uid(self) -> str:
        return f"{TAG}-{self.name}"

    @property
    def panels(self) -> list[Panel]:
        return [panel for row in self.rows for panel in row.panels]

    def to_json(self) -> Json:
        """Return the dashboard as Grafana imports it."""
        return {
            "id": None,
            "uid": self.uid,
            "title": f"Comptoir / {self.title}",
            "description": self.description,
            "tags": [TAG],
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "weekStart": "",
            "fiscalYearStartMonth": 0,
            "links": _links(),
            "annotations": {"list": [_starts()] if self.shows_starts else []},
            "templating": {"list": self._variables()},
            "panels": _numbered(self.rows),
        }

    def _variables(self) -> list[Json]:
        found: list[Json] = [
            {
                "type": "datasource",
                "name": "datasource",
                "label": "Data source",
                "query": "prometheus",
                "current": {},
                "options": [],
                "refresh": 1,
                "regex": "",
                "hide": 0,
                "includeAll": False,
                "multi": False,
                "skipUrlSync": False,
            }
        ]
        standard = (Variable("job", "Job", self.found_by), Variable("instance", "Instance", self.found_by))
        before: list[str] = []
        for variable in (*standard, *self.variables):
            found.append(variable.to_json(before))
            if len(before) < len(standard):
                before.append(variable.name)
        return found


def _links() -> list[Json]:
    common = {"icon": "external link", "targetBlank": False, "includeVars": False, "keepTime": True}
    others: Json = {
        "type": "dashboards",
        "title": "Comptoir",
        "tags": [TAG],
        "asDropdown": True,
        "url": "",
        "tooltip": "The other dashboards of Comptoir",
        **common,
    }
    official = [
        {
            "type": "link",
            "title": title,
            "tags": [],
            "asDropdown": False,
            "url": f"/d/{uid}",
            "tooltip": "RabbitMQ's own dashboard, if it is imported",
            **common,
        }
        for title, uid in OFFICIAL.items()
    ]
    return [others, *official]


def _starts() -> Json:
    """Return the annotation that marks when processes started."""
    return {
        "name": "Starts of processes",
        "datasource": DATA_SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "blue",
        "expr": 'process_start_time_seconds{job=~"$job",instance=~"$instance"} * 1000',
        "useValueForTime": "on",
        "step": "60s",
        "titleFormat": "Started",
        "textFormat": "{{instance}}",
    }


def _numbered(rows: Sequence[Row]) -> list[Json]:
    """Return headings and panels with ids and places: from left to right, as many as fit beside each other."""
    found: list[Json] = []
    top = 0
    for row in rows:
        place = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
        found.append({"type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": place})
        top += 1
        for panel, x, y in _places(row.panels, top):
            place = {"h": panel.height, "w": panel.width, "x": x, "y": y}
            found.append({**panel.to_json(), "gridPos": place})
            top = max(top, y + panel.height)
    return [{"id": number, **panel} for number, panel in enumerate(found, 1)]


def _places(panels: Sequence[Panel], top: int) -> Iterator[tuple[Panel, int, int]]:
    """Yield each panel with the column and the line of its corner."""
    x, y, height = 0, top, 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, height = 0, y + height, 0
        yield panel, x, y
        x, height = x + panel.width, max(height, panel.height)
