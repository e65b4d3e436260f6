"""Every alert fires on its fault only, is about series that exist, and has a page that says what to do."""

import re
import subprocess
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.auditor.checks import books, invoices, money, stock
from deploy.auditor.finding import CHECKS
from deploy.local.prometheus.programs import find_prometheus
from deploy.local.prometheus.watching import CONFIGURATION, Watch
from deploy.local.system import AUDITOR, PROGRAMS, ROOT
from services.chassis.testing import wait_until
from tests.prometheus import get
from tests.watching.conftest import QUICKER
from tests.watching.test_metrics import scrape

RULES = (CONFIGURATION / "rules.yml").read_text()
TEST_FILES = ("rules_test.yml", "rules_weeks_test.yml")
TESTS = "".join((CONFIGURATION / name).read_text() for name in TEST_FILES)
ALERTS = re.findall(r"- alert: (\w+)", RULES)
METRIC = re.compile(r"\b(?:comptoir|rabbitmq|process)_\w+\b(?!-)")
LONGEST_SUMMARY = 80
NOT_OF_EVERY_BROKER = {"rabbitmq_alarms_file_descriptor_limit"}
"""Series that RabbitMQ 4 does not have any more."""


async def rules(watch: Watch) -> list[dict[str, Any]]:
    """Return the rules as Prometheus has read them."""
    groups = (await get(watch.prometheus_url, "rules"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_rules_unit_tests_pass() -> None:
    done = subprocess.run(
        [find_prometheus().promtool, "test", "rules", *(CONFIGURATION / name for name in TEST_FILES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_seen_firing_and_seen_silent() -> None:
    assert len(ALERTS) == len(set(ALERTS))
    fired = re.findall(r"- alertname: (\w+)\n +eval_time: \w+\n +exp_alerts:\n +- exp_labels", TESTS)
    assert sorted(fired) == sorted(ALERTS)
    for timestamp in ("50m", "65m", "115m"):
        silent = re.findall(rf"{{alertname: (\w+), eval_time: {timestamp}}}", TESTS)
        assert sorted(silent) == sorted(ALERTS)


def test_a_stopped_service_inhibits_only_the_auditors_checks_of_what_others_know() -> None:
    inhibited = re.findall(r'check=~?"([^"]+)"', (CONFIGURATION / "alertmanager.yml").read_text())
    for part in "|".join(inhibited).split("|"):
        assert [name for name in CHECKS if re.fullmatch(part, name)], part
    hidden = {name for name in CHECKS if re.fullmatch(inhibited[0], name)}
    assert {"orders_know_every_parcel", "nothing_is_overdue", "events_reach_every_listener"} <= hidden
    own = [*books.__dict__, *money.__dict__, *stock.__dict__, *invoices.__dict__]
    assert {name for name in hidden if name in own and not name.startswith("orders_know_")} == set()


async def test_every_alert_has_a_severity_a_short_summary_and_a_runbook(watch: Watch) -> None:
    found = await rules(watch)
    assert sorted(rule["name"] for rule in found) == sorted(ALERTS)
    for rule in found:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["name"]
        assert set(rule["annotations"]) == {"summary", "runbook_url"}
        assert len(rule["annotations"]["summary"]) <= LONGEST_SUMMARY
        page = ROOT / rule["annotations"]["runbook_url"]
        assert page.parent == ROOT / "deploy" / "runbooks"
        named = page.read_text().split("\nAlerts: ", 1)[1].partition("\n")[0]
        assert f"`{rule['name']}`" in named


async def test_every_series_of_a_rule_is_exported(watch: Watch) -> None:
    wanted = {name for rule in await rules(watch) for name in METRIC.findall(rule["query"])}
    assert {"comptoir_dispatch_rows", "rabbitmq_detailed_queue_consumers"} <= wanted
    assert wanted - await exported(watch) - NOT_OF_EVERY_BROKER == set()


async def exported(watch: Watch) -> set[str]:
    """Return the names under which the series of all programs and of the broker are queried."""
    texts = [(await scrape(watch, program)).text for program in (*PROGRAMS, AUDITOR)]
    broker = f"{watch.system.rabbitmq.metrics_url}/metrics"
    families = {"family": ["queue_coarse_metrics", "queue_consumer_count"]}
    async with httpx2.AsyncClient(trust_env=False) as http:
        texts += [(await http.get(broker)).text, (await http.get(f"{broker}/detailed", params=families)).text]
    return {name for text in texts for name in _names(text)}


def _names(text: str) -> set[str]:
    """Return the names under which the families of a scrape are queried, also those without a series yet."""
    found = set()
    for family in text_string_to_metric_families(text):
        parts = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        found |= {f"{family.name}{part}" for part in parts} | {sample.name for sample in family.samples}
    return found


@pytest.mark.timeout(400)
async def test_nothing_fires_on_a_hub_at_rest(watch: Watch) -> None:
    async def is_silent() -> bool:
        found = (await get(watch.prometheus_url, "alerts"))["alerts"]
        ours = [one for one in found if one["labels"].get("vhost") in (None, watch.system.vhost)]
        return not any(one["state"] == "firing" for one in ours)

    await wait_until(is_silent, 300)


def test_the_copy_for_tests_differs_in_durations_and_ages_only() -> None:
    """Everything but numbers is the same, and they differ only in lines about time."""
    committed, shortened = (RULES, RULES)
    for text, instead in QUICKER.items():
        shortened = shortened.replace(text, instead)
    assert shortened != committed
    for ours, theirs in zip(committed.splitlines(), shortened.splitlines(), strict=True):
        if ours != theirs:
            assert re.sub(r"\d+[smhd]?\b", "#", ours) == re.sub(r"\d+[smhd]?\b", "#", theirs)
            assert re.search(r"for: |\[\d+[smhd]\]|_seconds|timestamp|3600", ours), ours
