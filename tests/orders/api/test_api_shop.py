"""Thresholds of articles and switches of mails over HTTP: the commands that are sent, and requests that are refused.

What the owning services answer and do is shown by a journey (test_shop_over_http.py).
"""

from typing import Any
from uuid import UUID

import pytest

from contracts.fulfillment.stock import SetStockThreshold, StockThresholdSet
from contracts.message import Reason
from contracts.notifier.mail_rules import ChangeMailRules
from deploy.local.ports import free_ports
from tests.conftest import Desks
from tests.orders.api.test_api_lists import fits
from tests.orders.rest_client import TOKENS, answered, client, key, rejected, sent

THRESHOLD: dict[str, Any] = {"sku": "BOUGIE-01", "threshold": 4}
RULES: dict[str, Any] = {
    "switches": {"checkout_abandoned": True},
    "abandoned_after_minutes": 60,
    "version": 0,
}


def threshold_set(_: UUID, request: SetStockThreshold) -> StockThresholdSet:
    return StockThresholdSet(
        shop=request.shop, sku=request.sku, threshold=request.threshold, changed_by=request.actor
    )


async def test_a_threshold_is_set_once_per_key(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    headers = key()
    async with client(desk) as http:
        request = http.post("/v1/stock/thresholds", json=THRESHOLD, headers=headers)
        answer = await answered(desk, request, threshold_set)
        again = await http.post("/v1/stock/thresholds", json=THRESHOLD, headers=headers)
        taken = await http.post("/v1/stock/thresholds", json={**THRESHOLD, "threshold": 5}, headers=headers)
    assert answer.status_code == 200
    fits("CommandResponse", answer.json())
    assert answer.json()["outcome"]["threshold"] == 4
    assert again.json() == answer.json()
    assert (taken.status_code, taken.json()["code"]) == (409, "idempotency_conflict")
    ((_, command),) = await sent(desk)
    assert command == SetStockThreshold(shop="maison", sku="BOUGIE-01", threshold=4, actor="api:erp")


@pytest.mark.parametrize(
    "wrong", [{"threshold": -1}, {"threshold": True}, {"threshold": "4"}, {"sku": ""}, {"at": 4}]
)
async def test_a_threshold_that_is_no_count_is_refused(desks: Desks, wrong: dict[str, Any]) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    async with client(desk) as http:
        answer = await http.post("/v1/stock/thresholds", json={**THRESHOLD, **wrong}, headers=key())
        unnamed = await http.post("/v1/stock/thresholds", json={"sku": "BOUGIE-01"}, headers=key())
    assert (answer.status_code, unnamed.status_code) == (422, 422)
    assert [reason["field"] for reason in answer.json()["errors"]] == list(wrong)
    assert unnamed.json()["errors"][0]["field"] == "threshold", "null removes it, so it is never left out"
    assert await desk.fetchval("select count(*) from command") == 0


async def test_an_article_that_was_never_counted_is_refused_with_its_reason(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    never = Reason(code="level_unknown", message="SKU BOUGIE-01 was never counted", field="sku")
    async with client(desk) as http:
        request = http.post("/v1/stock/thresholds", json=THRESHOLD, headers=key())
        answer = await answered(desk, request, rejected(never))
    assert (answer.status_code, answer.json()["code"]) == (422, "command_rejected")
    assert [reason["code"] for reason in answer.json()["errors"]] == ["level_unknown"]


async def test_switches_are_sent_to_the_notifier_with_the_version_they_are_based_on(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    stale = Reason(
        code="version_differs", message="the rules have version 2, not 0", field="based_on_version"
    )
    async with client(desk) as http:
        request = http.post("/v1/mail-rules", json=RULES, headers=key())
        answer = await answered(desk, request, rejected(stale))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "version_differs")
    ((_, command),) = await sent(desk)
    assert command == ChangeMailRules(
        shop="maison",
        switches={"checkout_abandoned": True},
        abandoned_after_minutes=60,
        based_on_version=0,
        actor="api:erp",
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"switches": {"new_order": "off"}}, "switches.new_order"),
        ({"abandoned_after_minutes": 29}, "abandoned_after_minutes"),
        ({"version": True}, "version"),
        ({"swiches": {}}, "swiches"),
    ],
)
async def test_switches_that_cannot_be_read_are_refused(
    desks: Desks, wrong: dict[str, Any], field: str
) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    async with client(desk) as http:
        answer = await http.post("/v1/mail-rules", json={**RULES, **wrong}, headers=key())
    assert answer.status_code == 422
    assert [reason["field"] for reason in answer.json()["errors"]] == [field]
    assert await desk.fetchval("select count(*) from command") == 0


@pytest.mark.parametrize(
    ("path", "owner"), [("/v1/stock?sku=BOUGIE-01", "fulfillment"), ("/v1/mail-rules", "notifier")]
)
@pytest.mark.parametrize("is_set_up", [True, False])
async def test_an_owner_that_does_not_answer_is_a_problem_of_its_own(
    desks: Desks, path: str, owner: str, is_set_up: bool
) -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}" if is_set_up else None
    desk = await desks("orders", api_tokens=TOKENS, fulfillment_url=url, notifier_url=url)
    async with client(desk) as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, f"{owner}_unavailable")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_article_that_no_database_could_hold_is_refused(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS, fulfillment_url="http://127.0.0.1:1")
    async with client(desk) as http:
        answer = await http.get("/v1/stock", params={"sku": "\0"})
    assert answer.status_code == 422, answer.text
