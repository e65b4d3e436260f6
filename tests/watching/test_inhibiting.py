"""What a pause explains does not alert beside it, and everything else does: asked of a real Alertmanager."""

import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import httpx2
import pytest

from deploy.auditor.checks import books, invoices, stock
from deploy.auditor.finding import CHECKS
from deploy.local.ports import free_ports
from deploy.local.prometheus.programs import find_prometheus
from deploy.local.prometheus.watching import CONFIGURATION, alertmanager
from deploy.local.supervisor import Supervisor
from services.chassis.testing import wait_until

PATIENCE_SECONDS = 60
WAIT_FOR_EFFECTS = {
    "no_effect_is_left",
    "nothing_is_overdue",
    "every_mail_has_an_end",
    "every_order_has_its_two_mails",
    "every_announced_shipment_has_its_mail",
}
LAG_BEHIND = {
    *(name for name in CHECKS if name.startswith("orders_know_")),
    *(name for name in CHECKS if name.endswith(("_everywhere", "_overdue"))),
    "every_line_is_known_to_fulfillment",
    "edits_are_known_to_payments",
    "events_reach_every_listener",
    "every_command_has_its_outcome",
    "every_order_has_its_two_mails",
    "every_announced_shipment_has_its_mail",
}
OF_ONE_SERVICE = {
    "notifier": "mails_go_to_the_customer_of_the_order",
    "payments": "accounts_owe_what_was_ordered",
    "orders": "changes_stopped_and_added_the_same_units",
}
OF_QUEUES = ("ComptoirQueueUnread", "ComptoirQueueGrowing", "ComptoirStuck")


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """The API of an Alertmanager that has the committed configuration and no alert."""
    shutil.copy(CONFIGURATION / "alertmanager.yml", tmp_path)
    [port] = free_ports(1)
    async with (
        Supervisor(tmp_path, PATIENCE_SECONDS) as supervisor,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v2", trust_env=False) as client,
    ):
        await supervisor.start(alertmanager(find_prometheus(), tmp_path, port))
        yield client


@pytest.mark.parametrize("service", ["notifier", "payments"])
async def test_paused_effects_explain_only_what_waits_for_effects(
    http: httpx2.AsyncClient, service: str
) -> None:
    await _post(http, [_paused(service, "effects"), *_of_the_auditor()])
    assert await _inhibited(http, "ComptoirAuditor", "check") == WAIT_FOR_EFFECTS


@pytest.mark.parametrize("service", [*OF_ONE_SERVICE, "fulfillment"])
async def test_paused_messages_explain_what_lags_behind_and_no_loss(
    http: httpx2.AsyncClient, service: str
) -> None:
    await _post(
        http, [_paused(service, "messages"), *_of_the_auditor(), *_of_queues(service), *_of_queues("other")]
    )
    hidden = await _inhibited(http, "ComptoirAuditor", "check")
    assert hidden == LAG_BEHIND | ({OF_ONE_SERVICE[service]} if service in OF_ONE_SERVICE else set())
    owned = [*books.__dict__, *stock.__dict__, *invoices.__dict__]
    assert {name for name in hidden if name in owned and not name.startswith("orders_know_")} == set()
    for name in OF_QUEUES:
        assert await _inhibited(http, name, "service") == {service}


def _paused(service: str, what: str) -> dict[str, str]:
    return {"alertname": "ComptoirPaused", "service": service, "what": what, "severity": "ticket"}


def _of_the_auditor() -> list[dict[str, str]]:
    return [{"alertname": "ComptoirAuditor", "check": name, "severity": "page"} for name in CHECKS]


def _of_queues(service: str) -> list[dict[str, str]]:
    return [{"alertname": name, "service": service, "severity": "page"} for name in OF_QUEUES]


async def _post(http: httpx2.AsyncClient, alerts: Iterable[dict[str, str]]) -> None:
    """Let alerts fire, and wait until the pause inhibits one of them."""
    (await http.post("/alerts", json=[{"labels": labels} for labels in alerts])).raise_for_status()

    async def is_applied() -> bool:
        return bool(await _inhibited(http, "ComptoirAuditor", "check"))

    await wait_until(is_applied, PATIENCE_SECONDS)


async def _inhibited(http: httpx2.AsyncClient, name: str, label: str) -> set[str]:
    """Return the values of a label of the alerts of a name that another alert inhibits."""
    found = (await http.get("/alerts", params={"filter": f'alertname="{name}"'})).raise_for_status().json()
    assert found
    return {one["labels"][label] for one in found if one["status"]["inhibitedBy"]}
