"""Every query of every dashboard, asked of a real Prometheus that has scraped a hub with traffic and its broker."""

import math
import re
import time

import pytest

from deploy.grafana.__main__ import DASHBOARDS
from deploy.grafana.building import Dashboard
from deploy.grafana.panels import Panel, Query
from deploy.local.prometheus.watching import Watch
from deploy.local.system import AUDITOR, PROGRAMS
from services.chassis.testing import wait_until
from tests.lives.living import History, some_lives
from tests.prometheus import get, query
from tests.watching.expressions import filled

RATE_INTERVAL, SHOWN = "5m", "15m"
"""Longer than the test, so that all of its traffic counts."""
ROUNDS = 2
"""The first increment of a series that did not exist is not in its rate: everything happens twice."""


@pytest.mark.timeout(400)
async def test_every_query_has_data(watch: Watch) -> None:
    """An error fails, and so does an empty result, unless the generator has a reason for it."""
    history = History(watch.system)
    await _all_are_scraped(watch)
    for _ in range(ROUNDS):
        await history.play(some_lives())
        await _all_are_scraped(watch)
    empty = [
        (dashboard, panel, query)
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for query in panel.queries
    ]
    assert len(empty) > 100

    async def every_one_has_data() -> bool:
        empty[:] = [one for one in empty if not await _has_data(watch, one[0], one[2])]
        return all(query.may_be_empty for _, _, query in empty)

    await wait_until(every_one_has_data, 60, lambda: "\n".join(_described(*one) for one in empty))


async def test_every_variable_has_values(watch: Watch) -> None:
    for dashboard in DASHBOARDS:
        for variable in dashboard.to_json()["templating"]["list"][1:]:
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
            assert found is not None
            selector = filled(dashboard, found[1], RATE_INTERVAL, SHOWN)

            async def has_values(selector: str = selector, label: str = found[2]) -> bool:
                return bool(await get(watch.prometheus_url, f"label/{label}/values", **{"match[]": selector}))

            await wait_until(has_values, 30)


async def test_starts_of_processes_are_marked(watch: Watch) -> None:
    for dashboard in DASHBOARDS:
        for annotation in dashboard.to_json()["annotations"]["list"]:

            async def marked(
                expression: str = filled(dashboard, annotation["expr"], RATE_INTERVAL, SHOWN),
            ) -> bool:
                return bool(await query(watch.prometheus_url, expression))

            await wait_until(marked, 30)


async def _all_are_scraped(watch: Watch) -> None:
    """Wait until every program and the broker were scraped after this moment."""
    now, programs = time.time(), {*PROGRAMS, AUDITOR}

    async def scraped() -> bool:
        found = await query(watch.prometheus_url, f"(timestamp(up) > {now}) and (up == 1)")
        is_broker = any(labels["job"] == "rabbitmq-detailed" for labels, _ in found)
        return is_broker and programs <= {labels.get("program") for labels, _ in found}

    await wait_until(scraped, 30)


async def _has_data(watch: Watch, dashboard: Dashboard, request: Query) -> bool:
    """Return whether a query has a value that is a number. Raises AssertionError with Prometheus' error."""
    found = await query(watch.prometheus_url, filled(dashboard, request.expression, RATE_INTERVAL, SHOWN))
    return any(not math.isnan(value) for _, value in found)


def _described(dashboard: Dashboard, panel: Panel, request: Query) -> str:
    reason = f" ({request.may_be_empty})" if request.may_be_empty else ""
    return f"no data: {dashboard.title}, {panel.title}: {request.expression}{reason}"
