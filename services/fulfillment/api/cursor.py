"""Cursor: the end of a page of a list, as an opaque text that a caller sends back to get the next page.

It holds the sort key of the last row, so that pages neither repeat nor miss a row however far a reader goes,
and no page is slower than the first.
"""

import base64
import binascii
import json
from collections.abc import Sequence


class CursorInvalid(ValueError):
    """The value of `after` is not a cursor of this list."""

    def __init__(self) -> None:
        super().__init__("`after` is no cursor of this list; send `next` of a page, or leave it out")


def write(key: Sequence[str | int]) -> str:
    """Return the sort key of a page's last row as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).rstrip(b"=").decode()


def read(text: str, *kinds: type) -> list[str | int]:
    """Return the sort key in a cursor, its parts of these types. Raises CursorInvalid."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise CursorInvalid from None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds) or "\0" in str(key):
        raise CursorInvalid
    if any(isinstance(part, int) and abs(part) >= 2**63 for part in key):
        raise CursorInvalid
    return key
