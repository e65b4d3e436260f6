"""The days of a shipment: none is past today that tells what happened, none comes before the day it follows. Pure.

All days are of one calendar, the shop's. Where its time zone is not known, `latest_day` gives the last day that a
moment falls on anywhere on Earth, so that nothing is refused which is right in the shop's own zone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.message import Reason
from contracts.timestamps import EARLIEST, LATEST

EASTERNMOST = timedelta(hours=14)
"""How far the earliest calendar on Earth is ahead of UTC."""
SHIPPED, EXPECTED, DELIVERED = "shipped_on", "expected_on", "delivered_at"
"""The days by their fields in requests and commands."""


@dataclass(frozen=True, slots=True)
class DayFault:
    """A day that can't be: `field` names it, `other` is today or the day it is compared with."""

    code: str
    field: str
    day: date
    other: date

    def reason(self) -> Reason:
        """The fault as a reason, with both days and what to do."""
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
    """What is wrong with the days of a shipment that leaves, or that is corrected, perhaps after it arrived."""
    found = []
    if shipped_on > today:
        found.append(DayFault("shipped_in_the_future", SHIPPED, shipped_on, today))
    if expected_on is not None and expected_on < shipped_on:
        found.append(DayFault("expected_before_shipped", EXPECTED, expected_on, shipped_on))
    if delivered_on is not None and delivered_on < shipped_on:
        found.append(DayFault("shipped_after_delivered", SHIPPED, shipped_on, delivered_on))
    return found


def faults_of_delivery(delivered_on: date, shipped_on: date, today: date) -> list[DayFault]:
    """What is wrong with the day of a delivery."""
    if delivered_on > today:
        return [DayFault("delivered_in_the_future", DELIVERED, delivered_on, today)]
    if delivered_on < shipped_on:
        return [DayFault("delivered_before_shipped", DELIVERED, delivered_on, shipped_on)]
    return []


def latest_day(moment: datetime) -> date:
    """The last day that an aware moment falls on anywhere. Never overflows."""
    return (min(max(moment, EARLIEST), LATEST) + EASTERNMOST).date()


def reasons_of(faults: Iterable[DayFault]) -> list[Reason]:
    """Faults as the reasons of a refusal."""
    return [fault.reason() for fault in faults]
