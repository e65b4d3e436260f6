"""The text forms of timestamps and ids on the wire, in message bodies and in headers.

Only the published forms are accepted: RFC 3339 for `date-time` and the hyphenated form of RFC 9562 for `uuid`.
Other ISO 8601 forms, Unix seconds and bare hexadecimal digits are refused, so that a test against the hub tests
the published contract.
"""

import re
from datetime import UTC, datetime, tzinfo
from uuid import UUID

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NO_ZONE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
EXAMPLE = "2026-11-28T12:00:00Z"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
"""The range of timestamps that Comptoir accepts: each can be shown in any time zone and used in arithmetic."""
RANGE = f"{EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}"


def parse_timestamp(text: str) -> datetime:
    """Return the aware datetime of an RFC 3339 text, to the microsecond; digits beyond it are dropped.

    Raises ValueError with the remedy, never the text itself.
    """
    if not _RFC3339.fullmatch(text):
        if _NO_ZONE.fullmatch(text):
            raise ValueError(f"has no time zone: add Z or an offset, as in {EXAMPLE}")
        raise ValueError(f"must be a date and time in RFC 3339 with a time zone, as in {EXAMPLE}")
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(f"names a day or time that does not exist: send one like {EXAMPLE}") from None


def is_in_range(timestamp: datetime) -> bool:
    """Return whether an aware datetime is in the accepted range. Never overflows."""
    return EARLIEST <= timestamp <= LATEST


def in_zone(timestamp: datetime, zone: tzinfo) -> datetime:
    """Return the aware datetime in a time zone; unchanged at the ends of that calendar (years 1 and 9999)."""
    try:
        return timestamp.astimezone(zone)
    except OverflowError:
        return timestamp


def parse_uuid(text: str) -> UUID:
    """Return the UUID of a text in the hyphenated form. Raises ValueError with the remedy, never the text itself."""
    if not _UUID.fullmatch(text):
        raise ValueError("must be a UUID with hyphens, as in 019b2f6e-8c3a-7d10-9a4e-5b6c7d8e9f01")
    return UUID(text)
