"""The hash chain of an account: each entry's hash covers its content and the hash before it. Pure.

Changing, removing or inserting an entry requires recomputing every later hash of the account, and those of the
day's closings that cover them (`closings/`). The content is written the same way by anybody who checks it: each
column as its length in bytes, a colon and its text, or `-` for NULL; timestamps as microseconds since 1970 UTC,
dates as YYYY-MM-DD. The columns and their order never change: a column that is added later is not covered.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

FIRST = b""
"""The hash before the first entry of an account."""
CONTENT = (
    "id",
    "shop",
    "order_id",
    "number",
    "kind",
    "amount_minor",
    "currency",
    "provider",
    "object_id",
    "step",
    "method",
    "source",
    "caused_by",
    "occurred_at",
    "received_on",
    "clearing_on",
    "reference",
    "note",
    "actor",
    "payment",
    "recorded_at",
)
"""The columns of `ledger_entry` that a hash covers, in this order."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def link(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """Return the hash of an entry after the entry with the hash `previous`. `row` has the columns of CONTENT."""
    return digest(previous, (row[name] for name in CONTENT))


def digest(previous: bytes, values: Iterable[Any]) -> bytes:
    """Return the hash of these values after `previous`."""
    return sha256(previous + b"".join(map(_encoded, values))).digest()


def head(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the hash of the last of an account's entries, in their order; computed where it is not stored yet."""
    last = FIRST
    for row in rows:
        last = row["hash"] or link(last, row)
    return last


def _encoded(value: Any) -> bytes:
    if value is None:
        return b"-"
    text = _text(value).encode()
    return b"%d:%s" % (len(text), text)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return str((value - _EPOCH) // _MICROSECOND)
    return value.isoformat() if isinstance(value, date) else str(value)
