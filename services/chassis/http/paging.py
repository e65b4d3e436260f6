"""Pages of lists: their size, and cursors, the place where a page ended as text for the next request.

A cursor holds the sort key of the last row, so that pages neither repeat nor miss a row however far a reader
goes, and no page is slower than the first. Three forms exist; those that were handed out stay valid:

    opaque   URL-safe base64 of packed bytes
    keyed    the same of a JSON list: the parts of the key
    dated    <time in ISO 8601>_<id>, of lists by time
"""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

LARGEST_PAGE = 500
_LARGEST = 2**63


class CursorInvalid(ValueError):
    """The value of `after` or `before` is not a cursor of this list, or comes from a list sorted otherwise."""

    def __init__(self) -> None:
        super().__init__(
            "`after` is not a cursor of this list; send `next` of a page, or leave it out to begin again "
            "(the same holds for `before` and `previous`)"
        )


class LimitInvalid(ValueError):
    """The value of `limit` is not a page's size."""

    def __init__(self, text: str) -> None:
        super().__init__(f"limit {text[:20]!r} is not a number from 1 to {LARGEST_PAGE}")


def page_size(text: str | None, usual: int = 100) -> int:
    """Return the number of rows in `limit`, or the usual one. Raises LimitInvalid."""
    if text is None:
        return usual
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= LARGEST_PAGE):
        raise LimitInvalid(text)
    return int(text)


def opaque(content: bytes) -> str:
    """Return bytes as text that needs no escaping in a URL."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def read_opaque(text: str) -> bytes:
    """Return the bytes in an opaque text. Raises CursorInvalid."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise CursorInvalid from None


def keyed(key: Sequence[str | int]) -> str:
    """Return the sort key of a page's last row as a cursor."""
    return opaque(json.dumps(list(key)).encode())


def read_keyed(text: str, *kinds: type) -> list[str | int]:
    """Return the sort key in a cursor, its parts of these types. Raises CursorInvalid."""
    try:
        key = json.loads(read_opaque(text))
    except (ValueError, RecursionError):
        raise CursorInvalid from None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise CursorInvalid
    if not all(map(_is_storable, key)):
        raise CursorInvalid
    return key


def _is_storable(part: str | int) -> bool:
    """Return whether PostgreSQL has such a value: no NUL, no lone surrogate, at most 64 bits."""
    if isinstance(part, int):
        return abs(part) < _LARGEST
    return "\0" not in part and not any("\ud800" <= sign <= "\udfff" for sign in part)


def dated(timestamp: datetime, id: UUID) -> str:
    """Return time and id of a page's last row as a cursor."""
    return f"{timestamp.isoformat()}_{id}"


def read_dated(text: str | None) -> tuple[datetime, UUID] | None:
    """Return the time and the id in a cursor; None when there is none. Raises CursorInvalid.

    A `+` that was not escaped in the URL arrives as a space.
    """
    if not text:
        return None
    timestamp, _, identifier = text.replace(" ", "+").partition("_")
    try:
        place = datetime.fromisoformat(timestamp), UUID(identifier)
    except ValueError:
        raise CursorInvalid from None
    if place[0].tzinfo is None:
        raise CursorInvalid
    return place
