"""The place where a page of the orders list ended, as opaque text for the next request.

A place is the pair (placed_at, order_id), which no two orders share and no change of an order moves.
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
_CURSOR_VERSION = 1
"""First byte of a cursor, so that another sort can come without old links meaning something else."""


class CursorUnreadable(ValueError):
    """What was sent as `after` was not given out by this list."""

    def __init__(self) -> None:
        super().__init__(
            "`after` is no cursor of this list; send `next` of a page, or leave it out to begin again"
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended. As text it is opaque: 34 characters that need no escaping in a URL."""

    placed_at: datetime
    order_id: UUID

    def __str__(self) -> str:
        microseconds = (self.placed_at - _EPOCH) // timedelta(microseconds=1)
        packed = _CURSOR.pack(_CURSOR_VERSION, microseconds, self.order_id.bytes)
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """The place in a cursor. Raises CursorUnreadable."""
        try:
            packed = base64.b64decode(text.encode("ascii") + b"==", altchars=b"-_", validate=True)
            version, microseconds, order_id = _CURSOR.unpack(packed)
            place = cls(_EPOCH + timedelta(microseconds=microseconds), UUID(bytes=order_id))
        except (ValueError, binascii.Error, struct.error, OverflowError):
            raise CursorUnreadable from None
        if version != _CURSOR_VERSION or str(place) != text:
            raise CursorUnreadable
        return place
