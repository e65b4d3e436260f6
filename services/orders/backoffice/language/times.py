"""Timestamps and days in answers of other services: text in JSON, aware datetimes on our pages."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any


def timestamps_read(answered: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a copy with the named fields (RFC 3339 or null) as aware datetimes. Raises ValueError for any
    other value.
    """
    read = dict(answered)
    for name in names:
        text = read.get(name)
        read[name] = datetime.fromisoformat(text) if text else None
    return read


def read_day(text: str) -> date:
    """Parse a day of a row's JSON. PostgreSQL writes Python's first and last day as infinite ones."""
    edges = {"-infinity": date.min, "infinity": date.max}
    return edges[text] if text in edges else date.fromisoformat(text)
