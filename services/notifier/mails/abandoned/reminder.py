"""The reminder of a checkout that was not completed: when it is due, and the mail. Pure.

A checkout is reminded of once, however often it is resumed and abandoned, and never once its order is placed: that
is looked at when the mail is planned and when it is sent.
"""

from datetime import datetime, timedelta

TIMER = "checkout_abandoned"
TOO_LATE = timedelta(days=2)
"""A reminder later than this, as after a long outage, is no longer sent."""


def due_at(abandoned_at: datetime, minutes: int) -> datetime:
    """Return when a checkout is reminded of that was abandoned then."""
    return abandoned_at + timedelta(minutes=minutes)


def is_too_late(due: datetime, now: datetime) -> bool:
    """Return whether a reminder that was due then is not sent any more."""
    return now - due > TOO_LATE
