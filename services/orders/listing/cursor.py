"""Page cursors of the orders list: the place where a page ended, as opaque text for the next request.

A cursor holds the sort key (the time placed, or the total) and the order's id, which no two orders share. A
search lists exact hits first; a cursor among them is marked as such.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = struct.Struct(">Bq16s")
_BY_MOMENT, _BY_TOTAL, _EXACT = 1, 2, 3
"""First byte of a cursor: an old link never changes its meaning in a list sorted otherwise."""


class CursorInvalid(ValueError):
    """The value of `after` or `before` is not a cursor of this list, or comes from a list sorted otherwise."""

    def __init__(self) -> None:
        super().__init__(
            "`after` is no cursor of this list; send `next` of a page, or leave it out to begin again "
            "(the same holds for `before` and `previous`)"
        )


@dataclass(frozen=True, slots=True)
class PageCursor:
    """The place where a page ended: the time placed, or the total in minor units. As text it is opaque: 34
    characters that need no escaping in a URL.
    """

    key: datetime | int
    order_id: UUID
    is_exact: bool = False

    def __str__(self) -> str:
        if isinstance(self.key, int):
            version, number = _BY_TOTAL, self.key
        else:
            version = _EXACT if self.is_exact else _BY_MOMENT
            number = (self.key - _EPOCH) // timedelta(microseconds=1)
        packed = _CURSOR.pack(version, number, self.order_id.bytes)
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place in a cursor. Raises CursorInvalid."""
        try:
            packed = base64.b64decode(text.encode("ascii") + b"==", altchars=b"-_", validate=True)
            version, number, order_id = _CURSOR.unpack(packed)
            key = number if version == _BY_TOTAL else _EPOCH + timedelta(microseconds=number)
            place = cls(key, UUID(bytes=order_id), version == _EXACT)
        except (ValueError, binascii.Error, struct.error, OverflowError):
            raise CursorInvalid from None
        if version not in (_BY_MOMENT, _BY_TOTAL, _EXACT) or str(place) != text:
            raise CursorInvalid
        return place
