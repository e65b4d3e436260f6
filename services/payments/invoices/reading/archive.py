"""All PDFs of a filter as one ZIP, written while it is sent: it is never held in memory as a whole.

Documents whose PDF is not made are listed by number in a text file of the ZIP: none is left out silently.
"""

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import date

import asyncpg

MISSING = "PDF-manquants-missing-PDFs.txt"
_MISSING_WORDS = """\
Ces documents n’ont pas de PDF : il est en cours de création, ou sa création a échoué.
These documents have no PDF: it is still being made, or could not be made.

"""


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
    """Yield the ZIP: one file per document, named by its number and dated by its day of issue; last, if any has no PDF,
    a text file with their numbers.
    """
    outlet, missing, day = _Outlet(), list[str](), date(1980, 1, 1)
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        async for row in rows:
            day = row["issued_on"]
            if row["content"] is None:
                missing.append(row["number"])
                continue
            archive.writestr(_file(f"{row['number']}.pdf", day), row["content"])
            yield outlet.take()
        if missing:
            archive.writestr(_file(MISSING, day), _MISSING_WORDS + "".join(f"{one}\n" for one in missing))
    yield outlet.take()


def _file(name: str, day: date) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, (day.year, day.month, day.day, 0, 0, 0))
