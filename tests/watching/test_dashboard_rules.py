"""House rules of the dashboards, most of them those of Grafana's dashboard linter. Each is checked in the committed
files, which are what this version generates."""

import importlib
import itertools
import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from deploy.grafana.__main__ import DASHBOARDS, FOLDER, text_of
from deploy.grafana.building import COLUMNS, OFFICIAL, Dashboard
from deploy.grafana.panels import Panel, Query
from tests.watching.expressions import STANDARD, filled, selectors

ROOT = Path(__file__).resolve().parents[2]
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATE_INTERVAL, RATE_SECONDS = "4m", 240.0
SHOWN, SHOWN_SECONDS = "7h", 25200.0
UNITS = {"short", "locale", "percentunit", "bytes", "s", "ops", "reqps", "dateTimeFromNow"}
"""The units of Grafana that are used; a misspelt one would be shown as text."""
ADDED = {*STANDARD, "program"}
"""Labels that Prometheus adds to each series of a process."""
OF_THE_PROCESS = {
    "up",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_open_fds",
    "process_max_fds",
}
QUERIES = [
    pytest.param(dashboard, panel, query, id=f"{dashboard.name}, {panel.title}, {number}")
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    for number, query in enumerate(panel.queries, 1)
]
every_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.name)
every_query = pytest.mark.parametrize(("dashboard", "panel", "query"), QUERIES)


def committed(dashboard: Dashboard) -> Any:
    return json.loads((FOLDER / f"{dashboard.name}.json").read_text(encoding="utf-8"))


def panels_of(dashboard: Dashboard) -> list[dict[str, Any]]:
    """The panels of a committed dashboard, without headings."""
    found = [panel for panel in committed(dashboard)["panels"] if panel["type"] != "row"]
    assert len(found) == len(dashboard.panels)
    return found


def exported() -> dict[str, set[str]]:
    """The labels of each series that the services export, by its name as it is scraped."""
    metrics = [
        value
        for path in sorted((ROOT / "services").rglob("*.py"))
        if "prometheus_client" in path.read_text(encoding="utf-8")
        for value in vars(
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        ).values()
        if isinstance(value, MetricWrapperBase)
    ]
    found: dict[str, set[str]] = {}
    for metric in metrics:
        labels = set(metric._labelnames)
        if isinstance(metric, Counter):
            found[f"{metric._name}_total"] = labels
        elif isinstance(metric, Histogram):
            found |= {f"{metric._name}_{part}": labels for part in ("sum", "count")}
            found[f"{metric._name}_bucket"] = labels | {"le"}
        else:
            found[metric._name] = labels
    return found


def exported_by_the_auditor() -> set[str]:
    """The names in its collector, which builds its series on each scrape."""
    source = (ROOT / "deploy" / "auditor" / "metrics.py").read_text(encoding="utf-8")
    counters = re.findall(r'CounterMetricFamily\(\s*"(\w+)"', source)
    gauges = re.findall(r'GaugeMetricFamily\(\s*"(\w+)"', source)
    others = re.findall(r'_gauge\(\s*"(\w+)"', source)
    return {
        *(f"{name}_total" for name in counters),
        *gauges,
        *(f"comptoir_auditor_{name}" for name in others),
    }


EXPORTED = exported()
NOT_SHOWN = {"comptoir_auditor_scan_orders", "comptoir_auditor_full_scan_orders"}
"""Series that explain the time of a scan and mean nothing by themselves."""


def test_the_committed_files_are_what_the_generator_writes() -> None:
    """After a change: `python -m deploy.grafana`."""
    expected = {f"{dashboard.name}.json": text_of(dashboard) for dashboard in DASHBOARDS}
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == expected


@every_dashboard
def test_it_is_imported_without_questions_under_its_own_uid(dashboard: Dashboard) -> None:
    found = committed(dashboard)
    assert (found["id"], found["editable"], found["refresh"], found["graphTooltip"]) == (
        None,
        False,
        "30s",
        1,
    )
    assert re.fullmatch(r"comptoir-[a-z-]+", found["uid"])
    assert len(found["uid"]) <= 40
    assert not found.keys() & {"__inputs", "__requires", "__elements"}
    assert found["schemaVersion"] <= 41
    assert found["description"]


def test_uids_and_titles_are_unique() -> None:
    found = [committed(dashboard) for dashboard in DASHBOARDS]
    assert len({one["uid"] for one in found}) == len({one["title"] for one in found}) == len(DASHBOARDS) == 5


@every_dashboard
def test_the_data_source_is_chosen_at_the_top(dashboard: Dashboard) -> None:
    first, *others = committed(dashboard)["templating"]["list"]
    found = (first["type"], first["name"], first["label"], first["query"])
    assert found == ("datasource", "datasource", "Data source", "prometheus")
    assert not [one for one in others if one["type"] == "datasource"]


@every_dashboard
def test_job_and_instance_and_further_variables_may_be_several_or_all(dashboard: Dashboard) -> None:
    variables = {one["name"]: one for one in committed(dashboard)["templating"]["list"][1:]}
    assert list(variables)[:2] == ["job", "instance"]
    for name, one in variables.items():
        assert one["type"] == "query"
        assert one["datasource"] == DATA_SOURCE
        assert (one["multi"], one["includeAll"], one["allValue"]) == (True, True, ".+")
        assert one["refresh"] == 2, "values are read again when the time changes"
        assert one["label"]
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", one["query"]["query"])
        assert found is not None
        assert found[2] == name
        promql_parser.parse(found[1])


@every_dashboard
def test_every_panel_has_a_title_a_description_a_unit_and_the_chosen_data_source(
    dashboard: Dashboard,
) -> None:
    for panel in panels_of(dashboard):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["datasource"] == DATA_SOURCE
        assert panel["targets"]
        assert all(target["datasource"] == DATA_SOURCE for target in panel["targets"])
    titles = [(row.title, panel.title) for row in dashboard.rows for panel in row.panels]
    assert len(set(titles)) == len(titles)


@every_dashboard
def test_panels_lie_beside_each_other_within_the_page(dashboard: Dashboard) -> None:
    places = [panel["gridPos"] for panel in committed(dashboard)["panels"]]
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)
    for a, b in itertools.combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above, (a, b)
    ids = [panel["id"] for panel in committed(dashboard)["panels"]]
    assert len(set(ids)) == len(ids)


@every_dashboard
def test_the_other_dashboards_and_rabbitmqs_own_are_linked(dashboard: Dashboard) -> None:
    found = committed(dashboard)
    others, *official = found["links"]
    assert (others["type"], others["tags"]) == ("dashboards", found["tags"])
    assert [link["url"] for link in official] == [f"/d/{uid}" for uid in OFFICIAL.values()]


@every_query
def test_a_query_is_promql_with_the_matchers_of_job_and_instance(
    dashboard: Dashboard, panel: Panel, query: Query
) -> None:
    found = list(selectors(query.expression.replace("$__rate_interval", "1m").replace("$__range", "1h")))
    assert found
    for selector in found:
        assert selector.matchers.items() >= {"job": "$job", "instance": "$instance"}.items()
    assert "$" not in filled(dashboard, query.expression, RATE_INTERVAL, SHOWN)


@every_query
def test_a_rate_is_over_the_rate_interval_and_a_total_over_the_time_shown(
    dashboard: Dashboard, panel: Panel, query: Query
) -> None:
    for selector in selectors(filled(dashboard, query.expression, RATE_INTERVAL, SHOWN)):
        if selector.range_seconds is None:
            continue
        if selector.functions[0] == "increase":
            assert (selector.range_seconds, panel.is_instant) == (SHOWN_SECONDS, True)
        else:
            assert selector.functions[0] in {"rate", "changes"}
            assert selector.range_seconds == RATE_SECONDS


@every_query
def test_a_counter_is_never_shown_as_it_is(dashboard: Dashboard, panel: Panel, query: Query) -> None:
    for selector in selectors(filled(dashboard, query.expression, RATE_INTERVAL, SHOWN)):
        if selector.name.endswith(("_total", "_bucket", "_count", "_sum")):
            assert selector.functions[:1] in (["rate"], ["increase"]), selector.name


@every_query
def test_a_quantile_is_of_the_buckets_and_keeps_their_limits(
    dashboard: Dashboard, panel: Panel, query: Query
) -> None:
    for selector in selectors(filled(dashboard, query.expression, RATE_INTERVAL, SHOWN)):
        is_quantile = "histogram_quantile" in selector.functions
        assert is_quantile == selector.name.endswith("_bucket")
        assert not is_quantile or "le" in selector.labels


@every_query
def test_a_query_names_series_and_labels_that_exist(dashboard: Dashboard, panel: Panel, query: Query) -> None:
    """RabbitMQ's are proved by a scrape only."""
    for selector in selectors(filled(dashboard, query.expression, RATE_INTERVAL, SHOWN)):
        if selector.name.startswith("rabbitmq_"):
            continue
        if selector.name.startswith("comptoir_auditor_"):
            assert selector.name in exported_by_the_auditor()
            assert selector.labels <= ADDED | {"check"}
            continue
        if selector.name in OF_THE_PROCESS:
            assert selector.labels <= ADDED
        else:
            assert selector.name in EXPORTED
            assert selector.labels <= EXPORTED[selector.name] | ADDED


@every_query
def test_a_legend_names_labels_that_the_query_keeps(dashboard: Dashboard, panel: Panel, query: Query) -> None:
    found = list(selectors(filled(dashboard, query.expression, RATE_INTERVAL, SHOWN)))
    by = {node for selector in found for node in map(type, selector.around)}
    if promql_parser.AggregateExpr not in by:
        return
    for label in re.findall(r"\{\{(\w+)\}\}", query.legend):
        assert any(label in selector.labels for selector in found), label


def test_names_of_rabbitmq_3_and_4_are_both_requested() -> None:
    (rabbitmq,) = (dashboard for dashboard in DASHBOARDS if dashboard.name == "rabbitmq")
    requested = " ".join(query.expression for panel in rabbitmq.panels for query in panel.queries)
    assert "rabbitmq_raft_entry_commit_latency_seconds" in requested
    assert "rabbitmq_raft_max_commit_latency_seconds" in requested
    assert "tcp_sockets" not in requested, "RabbitMQ 4 has no such series"


def test_every_series_of_the_services_is_on_a_dashboard() -> None:
    """One that nobody looks at costs a scrape and an hour of the person who wonders what it is."""
    shown = {
        selector.name
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for query in panel.queries
        for selector in selectors(filled(dashboard, query.expression, RATE_INTERVAL, SHOWN))
    }
    exported_names = {*EXPORTED, *exported_by_the_auditor()} - shown
    assert {name for name in exported_names if not re.search(r"_(?:bucket|sum|count)$", name)} == NOT_SHOWN


def test_the_provisioned_data_source_knows_the_scrape_interval() -> None:
    """Grafana derives the rate interval from it; with a shorter one rates have holes."""
    source = (FOLDER.parent / "provisioning" / "datasources.yaml").read_text(encoding="utf-8")
    scraped = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    assert re.findall(r"timeInterval: (\w+)", source) == re.findall(r"scrape_interval: (\w+)", scraped)


def test_the_readme_lists_the_dashboards() -> None:
    readme = (ROOT / "deploy" / "grafana" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| `(comptoir-[a-z-]+)` \|", readme, re.MULTILINE)
    assert rows == [(dashboard.title, dashboard.uid) for dashboard in DASHBOARDS]
    for uid in OFFICIAL.values():
        assert f"`{uid}`" in readme
