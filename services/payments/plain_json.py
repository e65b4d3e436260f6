"""Rows as JSON for other services."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg


def plain(row: asyncpg.Record) -> dict[str, Any]:
    """Return a row without its body, its values as JSON has them."""
    return {name: _json_value(value) for name, value in row.items() if name != "body"}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    return int(value) if hasattr(value, "as_tuple") else value
