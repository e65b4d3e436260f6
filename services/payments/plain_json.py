"""Rows and problems as JSON that others read."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from starlette.responses import JSONResponse, Response


def plain(row: asyncpg.Record) -> dict[str, Any]:
    """A row without its body, its values as JSON has them."""
    return {name: _json_value(value) for name, value in row.items() if name != "body"}


def problem(status: int, detail: str) -> Response:
    """A problem (RFC 9457): what is wrong and what to do."""
    return JSONResponse({"status": status, "detail": detail}, status, media_type="application/problem+json")


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return int(value) if hasattr(value, "as_tuple") else value
