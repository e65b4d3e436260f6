"""Rules for the days of a shipment: no day of a past event is in the future, and the days are in sequence. Pure.

All days are of one calendar, the shop's. Where its time zone is not known, `latest_day` gives the latest date that a
timestamp has anywhere on Earth, so that no day is refused that is valid in the shop's own zone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.message import Reason
from contracts.timestamps import EARLIEST, LATEST

EASTERNMOST = timedelta(hours=14)
"""Offset from UTC of the earliest time zone on Earth."""
SHIPPED, EXPECTED, DELIVERED = "shipped_on", "expected_on", "delivered_at"
"""The days by their fields in requests and commands."""


@dataclass(frozen=True, slots=True)
class DayFault:
    """An invalid day: `field` names it, `other` is today or the day it is compared with."""

    code: str
    field: str
    day: date
    other: date

    def reason(self) -> Reason:
        """Return the fault as a reason, with both days and what to do."""
        text = _TEXTS[self.code].format(day=self.day, other=self.other)
        return Reason(code=self.code, message=text, field=self.field)


_TEXTS = {
    "shipped_in_the_future": "shipped on {day}, and today is {other}; send the day it left",
    "delivered_in_the_future": "delivered on {day}, and today is {other}; send the day it arrived",
    "expected_before_shipped": "expected on {day}, before it left on {other}; correct one of the two days",
    "delivered_before_shipped": "delivered on {day}, before it left on {other}; correct one of the two days",
    "shipped_after_delivered": "shipped on {day}, after it was delivered on {other}; correct the day it left",
}


def faults_of_shipping(
    shipped_on: date, expected_on: date | None, today: date, delivered_on: date | None = None
) -> list[DayFault]:
    """Return the faults of the days of a shipment that is dispatched, or corrected, perhaps after its delivery."""
    found = []
    if shipped_on > today:
        found.append(DayFault("shipped_in_the_future", SHIPPED, shipped_on, today))
    if expected_on is not None and expected_on < shipped_on:
        found.append(DayFault("expected_before_shipped", EXPECTED, expected_on, shipped_on))
    if delivered_on is not None and delivered_on < shipped_on:
        found.append(DayFault("shipped_after_delivered", SHIPPED, shipped_on, delivered_on))
    return found


def faults_of_delivery(delivered_on: date, shipped_on: date, today: date) -> list[DayFault]:
    """Return the faults of the day of a delivery."""
    if delivered_on > today:
        return [DayFault("delivered_in_the_future", DELIVERED, delivered_on, today)]
    if delivered_on < shipped_on:
        return [DayFault("delivered_before_shipped", DELIVERED, delivered_on, shipped_on)]
    return []


def latest_day(timestamp: datetime) -> date:
    """Return the latest date that an aware datetime has anywhere on Earth. Never overflows."""
    return (min(max(timestamp, EARLIEST), LATEST) + EASTERNMOST).date()


def reasons_of(faults: Iterable[DayFault]) -> list[Reason]:
    """Return the faults as the reasons of a refusal."""
    return [fault.reason() for fault in faults]
