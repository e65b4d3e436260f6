"""All PDFs of a filter as one ZIP, written while it is sent: it is never held in memory as a whole."""

import io
import zipfile
from collections.abc import AsyncIterator

import asyncpg


class _Outlet(io.RawIOBase):
    """A file that can only be written; what was written is taken out piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        """Store a piece."""
        piece = bytes(data)  # type: ignore[call-overload]  # any buffer, as the base class has it
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


async def archived(rows: AsyncIterator[asyncpg.Record]) -> AsyncIterator[bytes]:
    """Yield the ZIP: one file per document whose PDF is made, named by its number and dated by its day of issue."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        async for row in rows:
            if row["content"] is None:
                continue
            day = row["issued_on"]
            archive.writestr(
                zipfile.ZipInfo(f"{row['number']}.pdf", (day.year, day.month, day.day, 0, 0, 0)),
                row["content"],
            )
            yield outlet.take()
    yield outlet.take()
