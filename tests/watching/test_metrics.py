"""What the processes of a running hub export keeps Prometheus' conventions and names nobody."""

import asyncio
import subprocess
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.catalogue import CATALOGUE, SERVICES, queues_of
from deploy.local.prometheus.watching import Watch
from deploy.local.system import AUDITOR, CUSTOMER_PAGE, PAGE_METRICS, PROGRAMS
from services.chassis.http.tokens import authorization
from services.chassis.testing import wait_until

LABELS = {
    *("service", "queue", "type", "reason", "why", "state", "kind", "outcome", "worker", "check", "le"),
    "what",
    *("endpoint", "secret", "provider", "side", "shop", "method", "route", "status", "currency", "pool"),
}
"""Labels that series of ours may have: each has few values, and none of a customer or an order."""
MOST_SERIES = 3_000
OF_EVERY_SERVICE = {
    *("comptoir_dispatch_rows", "comptoir_dispatch_oldest_seconds", "comptoir_dispatch_refused"),
    *("comptoir_messages_handled", "comptoir_messages_duplicate", "comptoir_messages_waiting"),
    *("comptoir_event_age_seconds", "comptoir_batch_messages", "comptoir_commit_seconds"),
    *("comptoir_parked_rows", "comptoir_parked_oldest_seconds", "comptoir_worker_errors"),
    *("comptoir_messages_published", "comptoir_bindings_missing", "comptoir_http_request_seconds"),
    "comptoir_paused",
    *("comptoir_pool_connections", "comptoir_pool_connections_max", "comptoir_pool_wait_seconds"),
    *("comptoir_event_loop_lag_seconds", "comptoir_restore_unfinished", "process_cpu_seconds"),
    *("process_resident_memory_bytes", "process_start_time_seconds"),
}
OF_ONE = {
    "payments": {
        *("comptoir_webhooks", "comptoir_webhooks_oldest_seconds", "comptoir_webhooks_received"),
        *("comptoir_webhooks_ended", "comptoir_reconcile_findings", "comptoir_disputes"),
        *("comptoir_effect_rows", "comptoir_effects"),
    },
    "notifier": {
        *("comptoir_mail_ends", "comptoir_mails_held", "comptoir_shops_refused_as_unwanted"),
        *("comptoir_effect_rows", "comptoir_effects"),
    },
    AUDITOR: {"comptoir_auditor_violations", "comptoir_auditor_scan_timestamp_seconds"},
}


async def scrape(watch: Watch, program: str, **headers: str) -> httpx2.Response:
    """Ask a program for its metrics, with the operators' token unless other headers are given."""
    port = watch.system.ports[PAGE_METRICS if program == CUSTOMER_PAGE else program]
    async with httpx2.AsyncClient(timeout=10, trust_env=False) as http:
        return await http.get(f"http://127.0.0.1:{port}/metrics", headers=headers or watch.system.operator)


async def names(watch: Watch, program: str) -> set[str]:
    """Return the families that have at least one series."""
    text = (await scrape(watch, program)).text
    return {family.name for family in text_string_to_metric_families(text) if family.samples}


@pytest.mark.parametrize("program", [*PROGRAMS, AUDITOR])
async def test_every_series_keeps_the_conventions(watch: Watch, program: str) -> None:
    text = (await scrape(watch, program)).text
    assert await asyncio.to_thread(_objections, watch, text) == ""
    ours = [one for one in text_string_to_metric_families(text) if one.name.startswith("comptoir_")]
    assert ours
    for family in ours:
        assert family.documentation.endswith("."), family.name
        for sample in family.samples:
            assert set(sample.labels) <= LABELS, sample
            assert not any("@" in value for value in sample.labels.values()), sample
    assert sum(len(family.samples) for family in ours) < MOST_SERIES


def _objections(watch: Watch, text: str) -> str:
    """Return what `promtool check metrics` objects to."""
    argv: list[str | Path] = [watch.programs.promtool, "check", "metrics"]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("program", [*PROGRAMS, AUDITOR])
async def test_metrics_need_a_token(watch: Watch, program: str) -> None:
    assert (await scrape(watch, program, Authorization="Bearer wrong")).status_code == 401


@pytest.mark.parametrize("program", [*SERVICES, AUDITOR])
async def test_what_a_program_must_export_is_there_before_anything_happened(
    watch: Watch, program: str
) -> None:
    wanted = (OF_EVERY_SERVICE if program in SERVICES else set()) | OF_ONE.get(program, set())
    await wait_until(lambda: _lacks_none(watch, program, wanted))


async def _lacks_none(watch: Watch, program: str, wanted: set[str]) -> bool:
    return wanted <= await names(watch, program)


async def test_series_of_queues_and_types_exist_before_the_first_message(watch: Watch) -> None:
    """A rule on the rate of a series that does not exist would see nothing."""
    text = (await scrape(watch, "payments")).text
    [handled] = [
        one for one in text_string_to_metric_families(text) if one.name == "comptoir_messages_handled"
    ]
    found = {(sample.labels["queue"], sample.labels["type"]) for sample in handled.samples}
    consumed = {entry.type for entry in CATALOGUE.values() if "payments" in entry.listeners}
    assert {queue for queue, _ in found} == set(queues_of("payments"))
    assert {type_ for _, type_ in found} == consumed


async def test_a_request_is_measured_by_its_route_and_not_by_its_path(watch: Watch) -> None:
    [token] = watch.system.secrets.api_tokens.values()
    async with httpx2.AsyncClient(base_url=watch.system.url("orders"), trust_env=False) as http:
        path = "/v1/orders/0192a4f0-0000-7000-8000-000000000000"
        assert (await http.get(path, headers=authorization(token))).status_code == httpx2.codes.NOT_FOUND
    text = (await scrape(watch, "orders")).text
    [requests] = [
        one for one in text_string_to_metric_families(text) if one.name == "comptoir_http_request_seconds"
    ]
    routes = {sample.labels["route"] for sample in requests.samples}
    assert any(route.startswith("/v1/orders/{") for route in routes), routes
    assert not any("0192a4f0" in route for route in routes)
