"""The days that programs give a shipment: in sequence and not still to come, by the shop's own calendar."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from contracts.fulfillment.shipments import ShipmentDispatched
from services.chassis.testing import Desk
from services.orders.api.actions import action
from tests.conftest import Desks
from tests.orders.builders import Life, a_life
from tests.orders.rest_client import TOKENS, client, key, sent

FIJI, HONOLULU = "Pacific/Fiji", "Pacific/Honolulu"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait a tenth of a second for an outcome."""
    monkeypatch.setattr(action, "WAIT_SECONDS", 0.1)


def _codes(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["code"] for error in answer.json()["errors"]]


def _today(ahead: int = 0) -> date:
    return (datetime.now(UTC) + timedelta(days=ahead)).date()


async def _shipped(desk: Desk, left: date = date(2026, 11, 22)) -> Life:
    life = await a_life(desk)
    for word in (life.paid(), life.reserved(), life.packed()):
        await desk.deliver(word)
    await desk.deliver(ShipmentDispatched.model_validate({**dict(life.dispatched()), "shipped_on": left}))
    return life


async def test_a_shipment_is_refused_before_it_is_sent(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    life = await a_life(desk)
    path, about = f"/v1/orders/{life.code}/shipments", {"parcel_ids": [str(life.parcel_id)], "carrier": "DHL"}
    tries: list[tuple[dict[str, str], list[str]]] = [
        ({"shipped_on": str(_today(2))}, ["shipped_in_the_future"]),
        ({"shipped_on": "2026-11-22", "expected_on": "2026-11-21"}, ["expected_before_shipped"]),
        (
            {"shipped_on": str(_today(2)), "expected_on": "2026-11-21"},
            ["shipped_in_the_future", "expected_before_shipped"],
        ),
    ]
    async with client(desk) as http:
        for days, codes in tries:
            answer = await http.post(path, headers=key(), json={**about, **days})
            assert _codes(answer) == codes
            assert all(day in answer.text for day in days.values())
        fine = {**about, "shipped_on": "2026-11-22", "expected_on": "2026-11-22"}
        assert (await http.post(path, headers=key(), json=fine)).status_code == 202
    assert len(await sent(desk)) == 1


async def test_a_correction_and_an_arrival_are_compared_with_what_is_known(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    life = await _shipped(desk)
    path = f"/v1/orders/{life.code}/shipments/{life.shipment_id}"
    async with client(desk) as http:
        early = {"delivered_at": "2026-11-21T12:00:00+01:00"}
        assert _codes(await http.post(f"{path}/delivery", headers=key(), json=early)) == [
            "delivered_before_shipped"
        ]
        ahead = {"delivered_at": f"{_today(2)}T12:00:00+01:00"}
        assert _codes(await http.post(f"{path}/delivery", headers=key(), json=ahead)) == [
            "delivered_in_the_future"
        ]
        once = key()
        arrived = {"delivered_at": "2026-11-22T00:10:00+01:00"}
        assert (await http.post(f"{path}/delivery", headers=once, json=arrived)).status_code == 202
        await desk.deliver(life.delivered())
        corrected = {"carrier": "DHL", "shipped_on": "2026-11-23"}
        assert _codes(await http.post(f"{path}/correction", headers=key(), json=corrected)) == [
            "shipped_after_delivered"
        ]
        assert (await http.post(f"{path}/delivery", headers=once, json=arrived)).status_code == 202, (
            "a repeat"
        )
    assert len(await sent(desk)) == 1


async def test_days_of_an_earlier_version_do_not_keep_a_number_from_being_corrected(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    life = await _shipped(desk, _today(40))
    path = f"/v1/orders/{life.code}/shipments/{life.shipment_id}/correction"
    body: dict[str, Any] = {"carrier": "DHL", "tracking_number": "JD1", "shipped_on": str(_today(40))}
    async with client(desk) as http:
        assert (await http.get(f"/v1/orders/{life.code}")).status_code == 200
        assert (await http.post(path, headers=key(), json=body)).status_code == 202
        moved = {**body, "shipped_on": str(_today(41))}
        assert _codes(await http.post(path, headers=key(), json=moved)) == ["shipped_in_the_future"]


@pytest.mark.parametrize("zone", [FIJI, HONOLULU])
async def test_today_is_the_shops(desks: Desks, zone: str) -> None:
    desk = await desks("orders", api_tokens=TOKENS, time_zone=zone)
    life = await a_life(desk)
    path, about = f"/v1/orders/{life.code}/shipments", {"parcel_ids": [str(life.parcel_id)], "carrier": "DHL"}
    today = datetime.now(ZoneInfo(zone)).date()
    async with client(desk) as http:
        here = await http.post(path, headers=key(), json={**about, "shipped_on": str(today)})
        assert here.status_code == 202
        tomorrow = {**about, "shipped_on": str(today + timedelta(days=1))}
        assert _codes(await http.post(path, headers=key(), json=tomorrow)) == ["shipped_in_the_future"]
