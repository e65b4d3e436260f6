"""Page cursors of the orders list: the place where a page ended, as opaque text for the next request.

A cursor holds the sort key (the time placed, or the total) and the order's id, which no two orders share. A
search lists exact hits first; a cursor among them is marked as such.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from services.chassis.http.paging import CursorInvalid, opaque, read_opaque

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = struct.Struct(">Bq16s")
_BY_TIME, _BY_TOTAL, _EXACT = 1, 2, 3
"""First byte of a cursor: an old link never changes its meaning in a list sorted otherwise."""


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
            version = _EXACT if self.is_exact else _BY_TIME
            number = (self.key - _EPOCH) // timedelta(microseconds=1)
        return opaque(_CURSOR.pack(version, number, self.order_id.bytes))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place in a cursor. Raises CursorInvalid."""
        try:
            version, number, order_id = _CURSOR.unpack(read_opaque(text))
            key = number if version == _BY_TOTAL else _EPOCH + timedelta(microseconds=number)
            cursor = cls(key, UUID(bytes=order_id), version == _EXACT)
        except (struct.error, OverflowError):
            raise CursorInvalid from None
        if version not in (_BY_TIME, _BY_TOTAL, _EXACT) or str(cursor) != text:
            raise CursorInvalid
        return cursor
