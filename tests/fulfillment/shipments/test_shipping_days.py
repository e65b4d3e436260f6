"""No shipment leaves or arrives on a day still to come, or arrives before it left; old rows can still be corrected."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fulfillment.shipments import DeliveryRecorded, ShipmentDispatched, ShipmentUpdated
from contracts.fulfillment.shipping_days import faults_of_delivery, faults_of_shipping, latest_day, reasons_of
from contracts.orders.lifecycle import OrderPlaced
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk, Outcome
from services.fulfillment.order.shipment import reasons_against_delivery, reasons_of_days
from tests.builders.shipments import correct, deliver, dispatch, pack
from tests.conftest import Desks
from tests.fulfillment.builders import a_shop, goods, placed, stock_of

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
TIMESTAMPS = st.datetimes(*map(datetime.fromisoformat, ("2020-01-01", "2030-12-31")), timezones=st.just(UTC))
ORDER = placed(a_shop(), goods("A"))
ID = UUID(int=7)


@given(DAYS, st.none() | DAYS, DAYS, st.none() | DAYS)
def test_the_days_of_a_shipment_are_in_sequence_and_not_to_come(
    shipped_on: date, expected_on: date | None, today: date, delivered_on: date | None
) -> None:
    faults = faults_of_shipping(shipped_on, expected_on, today, delivered_on)
    assert {fault.code for fault in faults} == {
        *(["shipped_in_the_future"] if shipped_on > today else []),
        *(["expected_before_shipped"] if expected_on and expected_on < shipped_on else []),
        *(["shipped_after_delivered"] if delivered_on and delivered_on < shipped_on else []),
    }
    for fault, reason in zip(faults, reasons_of(faults), strict=True):
        assert fault.day.isoformat() in reason.message
        assert fault.other.isoformat() in reason.message


@given(DAYS, DAYS, DAYS)
def test_a_delivery_is_between_its_shipment_and_today(
    delivered_on: date, shipped_on: date, today: date
) -> None:
    faults = faults_of_delivery(delivered_on, shipped_on, today)
    assert bool(faults) is not (shipped_on <= delivered_on <= today)


@given(TIMESTAMPS, ZONES, st.integers(-400, 0), st.integers(0, 400))
def test_what_is_right_in_the_shops_zone_passes_where_the_zone_is_not_known(
    now: datetime, zone: ZoneInfo, ago: int, later: int
) -> None:
    today = now.astimezone(zone).date()
    shipped_on = today + timedelta(days=ago)
    leaving = dispatch(ORDER, [ID], shipped_on=shipped_on, expected_on=shipped_on + timedelta(days=later))
    assert not reasons_of_days(leaving, now)
    noon = datetime.combine(min(today, shipped_on + timedelta(days=later)), datetime.min.time(), zone)
    arrived = deliver(ORDER, ID, delivered_at=noon.replace(hour=12))
    known = _Known(shipped_on)
    assert not reasons_against_delivery(arrived, known, now)  # type: ignore[arg-type]


class _Known:
    """A shipment of which only the day it left counts."""

    def __init__(self, shipped_on: date) -> None:
        self.shipped_on = shipped_on


@given(TIMESTAMPS, st.integers(2, 4000))
def test_what_is_to_come_everywhere_on_earth_is_refused(now: datetime, days: int) -> None:
    ahead = now + timedelta(days=days)
    (reason,) = reasons_of_days(dispatch(ORDER, [ID], shipped_on=ahead.date()), now)
    assert reason.code == "shipped_in_the_future"
    (reason,) = reasons_against_delivery(deliver(ORDER, ID, delivered_at=ahead), _Known(now.date()), now)  # type: ignore[arg-type]
    assert reason.code == "delivered_in_the_future"


@pytest.mark.parametrize("timestamp", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_no_timestamp_overflows(timestamp: datetime) -> None:
    assert date(1970, 1, 1) <= latest_day(timestamp) <= date(2201, 1, 1)


def _codes(outcome: Outcome) -> list[str]:
    return [reason.code for answer in outcome.messages_of(CommandRejected) for reason in answer.reasons]


async def _packed(desk: Desk) -> tuple[OrderPlaced, UUID]:
    order = placed(a_shop(), goods("A", 1))
    parcel = pack(order, {1: 1})
    for message in (stock_of(order.shop, A=5), order, parcel):
        await desk.deliver(message)
    return order, parcel.parcel_id


def _ahead(days: int) -> date:
    return (datetime.now(UTC) + timedelta(days=days)).date()


async def test_a_shipment_with_impossible_days_does_not_leave(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel = await _packed(desk)
    tries: list[tuple[dict[str, Any], str]] = [
        ({"shipped_on": _ahead(3)}, "shipped_in_the_future"),
        ({"expected_on": date(2026, 11, 20)}, "expected_before_shipped"),
    ]
    for days, code in tries:
        assert _codes(await desk.deliver(dispatch(order, [parcel], **days))) == [code]
    assert await desk.fetchval("SELECT count(*) FROM shipment") == 0
    assert (await desk.deliver(dispatch(order, [parcel], expected_on=_ahead(9)))).messages_of(
        ShipmentDispatched
    )


async def test_an_arrival_is_neither_to_come_nor_before_its_shipment(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel = await _packed(desk)
    left = dispatch(order, [parcel])
    await desk.deliver(left)
    at: Callable[[str], Any] = lambda text: deliver(order, left.shipment_id, delivered_at=text)  # noqa: E731
    assert _codes(await desk.deliver(at("2026-11-18T12:00:00Z"))) == ["delivered_before_shipped"]
    assert _codes(await desk.deliver(at(f"{_ahead(3)}T12:00:00Z"))) == ["delivered_in_the_future"]
    assert (await desk.deliver(at("2026-11-21T01:00:00Z"))).messages_of(DeliveryRecorded)
    assert (await desk.deliver(at("2026-11-21T01:00:00Z"))).messages_of(CommandDone)
    later = correct(order, left.shipment_id, shipped_on=date(2026, 11, 23))
    assert _codes(await desk.deliver(later)) == ["shipped_after_delivered"]


async def test_days_of_an_earlier_version_stay_and_their_tracking_can_be_corrected(desks: Desks) -> None:
    desk = await desks("fulfillment")
    order, parcel = await _packed(desk)
    left = dispatch(order, [parcel])
    await desk.deliver(left)
    old = {"shipped_on": _ahead(30), "expected_on": date(2026, 1, 1)}
    await desk.fetch("UPDATE shipment SET shipped_on = $1, expected_on = $2", *old.values())
    (event,) = (await desk.deliver(correct(order, left.shipment_id, **old))).messages_of(ShipmentUpdated)
    assert (event.tracking_number, event.expected_on) == ("6A99999999999", date(2026, 1, 1))
    bad = correct(order, left.shipment_id, shipped_on=_ahead(31))
    assert _codes(await desk.deliver(bad)) == ["shipped_in_the_future"]
    assert (await desk.deliver(correct(order, left.shipment_id))).messages_of(ShipmentUpdated)
