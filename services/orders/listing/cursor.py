"""The place where a page of the orders list ended, as opaque text for the next request.

A place is what the list is sorted by (the moment placed, or the total) with the order's id, which no two orders
share. A search shows exact hits first; a place among them says so.
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
"""First byte of a cursor: an old link never means something else in another sequence."""


class CursorInvalid(ValueError):
    """What was sent as `after` or `before` was not given out by this list, or by one in another sequence."""

    def __init__(self) -> None:
        super().__init__(
            "`after` is no cursor of this list; send `next` of a page, or leave it out to begin again "
            "(the same holds for `before` and `previous`)"
        )


@dataclass(frozen=True, slots=True)
class PageCursor:
    """Where a page ended: the moment placed, or the total in minor units. As text it is opaque: 34 characters that
    need no escaping in a URL."""

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
        """The place in a cursor. Raises CursorInvalid."""
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
