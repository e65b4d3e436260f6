"""Dates have a range at every entrance, and a stored date at the calendar's edge breaks no list, page or answer."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.storefront import CheckoutDropped, OrderAccepted, OrderRefused
from contracts.timestamps import in_zone
from services.orders.listing.finder.selection import midnight, midnight_after
from tests.builders.submissions import SHOP, a_checkout, a_line, a_sale, dropped
from tests.conftest import Desks
from tests.orders.rest_client import TOKENS, client

EDGES = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59Z",
    "2201-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
]
STORED = [datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
ZONES = [ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/New_York"), ZoneInfo("Europe/Paris")]


def a_booking(**times: Any) -> dict[str, Any]:
    """A line for a time."""
    return a_line(kind="booking", sku=None, **{"starts_at": "2026-12-01T18:00:00Z", **times})


@pytest.mark.parametrize("edge", EDGES)
async def test_a_sale_with_a_date_out_of_range_is_refused_with_the_range(desks: Desks, edge: str) -> None:
    desk = await desks("orders")
    sales = {
        "submitted_at": a_sale(submitted_at=edge),
        "lines[0].starts_at": a_sale(a_booking(starts_at=edge)),
        "lines[0].ends_at": a_sale(a_booking(ends_at=edge)),
    }
    for field, sale in sales.items():
        (refused,) = (await desk.deliver(sale)).messages_of(OrderRefused)
        reason = next(reason for reason in refused.reasons if reason.code == "date_out_of_range")
        assert reason.field == field
        assert "1970-01-01 to 2200-12-31" in reason.message
        assert ("or leave it out" in reason.message) == field.endswith("ends_at")


async def test_dates_in_the_range_are_taken(desks: Desks) -> None:
    desk = await desks("orders")
    times = {"starts_at": "1970-01-01T00:00:00Z", "ends_at": "2200-12-31T23:59:59Z"}
    sale = a_sale(a_booking(**times), submitted_at="1970-01-01T00:00:00Z")
    assert (await desk.deliver(sale)).messages_of(OrderAccepted)


@pytest.mark.parametrize("edge", EDGES)
async def test_a_checkout_with_a_date_out_of_range_is_parked(desks: Desks, edge: str) -> None:
    desk = await desks("orders")
    timestamp = datetime.fromisoformat(edge)
    opened = a_checkout()
    late = CheckoutDropped.model_validate(
        {**dropped(opened, opened.opened_at).model_dump(), "dropped_at": timestamp}
    )
    for message in (a_checkout(opened_at=timestamp), a_checkout(a_booking(ends_at=edge)), late):
        outcome = await desk.deliver(message)
        assert outcome.result == "parked"
        assert outcome.detail.startswith("date_out_of_range")


@pytest.mark.parametrize("stored", STORED)
async def test_a_stored_date_at_the_edge_breaks_no_answer(desks: Desks, stored: datetime) -> None:
    desk = await desks("orders", api_tokens=TOKENS, time_zone="Pacific/Kiritimati")
    (accepted,) = (await desk.deliver(a_sale(a_booking()))).messages_of(OrderAccepted)
    await desk.fetch("UPDATE orders SET placed_at = $1", stored)
    await desk.fetch("UPDATE order_line SET starts_at = $1, ends_at = $1", stored)
    text = f"{stored:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")
    await desk.fetch(
        "UPDATE submission SET body = jsonb_set(body::jsonb, '{submitted_at}', to_jsonb($1::text))", text
    )
    async with client(desk) as http:
        for path in (
            "/v1/orders?sort=oldest",
            "/v1/orders",
            f"/v1/orders/{accepted.code}",
            "/v1/orders?q=martin",
        ):
            answer = await http.get(path)
            assert answer.status_code == 200, path
        removed = await http.request(
            "DELETE",
            f"/v1/orders/{accepted.code}",
            json={"reason": "Essai"},
            headers={"Idempotency-Key": "delete-1"},
        )
        assert removed.status_code < 500


@pytest.mark.parametrize("zone", ZONES)
def test_any_stored_date_can_be_shown_in_any_zone(zone: ZoneInfo) -> None:
    for stored in STORED:
        assert in_zone(stored, zone).year == stored.year
    assert in_zone(datetime(2026, 11, 28, 12, tzinfo=UTC), zone).utcoffset() is not None
    for day in (stored.date() for stored in STORED):
        assert midnight(day, zone) <= midnight_after(day, zone)


async def test_days_are_counted_in_the_zone_of_the_shop(desks: Desks) -> None:
    zones = [{"shop": SHOP, "time_zone": "America/New_York"}]
    desk = await desks("orders", api_tokens=TOKENS, shops=zones)
    await desk.deliver(a_sale(submitted_at="2026-11-20T02:00:00Z"))
    async with client(desk) as http:
        found = {
            day: len((await http.get(f"/v1/orders?from={day}&to={day}")).json()["orders"])
            for day in ("2026-11-19", "2026-11-20")
        }
    assert found == {"2026-11-19": 1, "2026-11-20": 0}
