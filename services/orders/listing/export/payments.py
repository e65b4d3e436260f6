"""The CSV of the ledger: every entry that fits at one point in time, the latest first, in constant memory.

The sign of an amount shows whether the shop received or paid the money, as on the page of payments; an entry
that moved no money has its amount in a column of its own, so that adding up a column is never wrong.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.storage.database import Connection
from services.orders.listing.export import words as export_words
from services.orders.listing.export.cells import CellFormat, date_time, decimal, exponent_of, safe
from services.orders.listing.export.orders import BATCH, BYTE_ORDER_MARK, SETTINGS, lines
from services.orders.listing.export.words import word
from services.orders.listing.payments import EntriesQuery, every_entry


@dataclass(frozen=True, slots=True)
class ColumnTexts:
    """The texts of the file: headings, kinds of entries, and actors. `signs` by kind: 1 in, -1 out;
    `pending`: a refund that its provider has not confirmed yet.
    """

    headings: list[str]
    kinds: Mapping[str, str]
    signs: Mapping[str, int]
    who: Callable[[str], str]
    pending: str


async def export_entries(
    connection: Connection, shop: str, query: EntriesQuery, cell_format: CellFormat, words: ColumnTexts
) -> AsyncGenerator[bytes]:
    """Yield the CSV in pieces: headings first. The connection must be in no transaction."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(SETTINGS)
        yield (BYTE_ORDER_MARK + lines([words.headings], cell_format)).encode()
        async for rows in every_entry(connection, shop, query, cell_format.zone, BATCH):
            yield lines([_cells(row, cell_format, words) for row in rows], cell_format).encode()


def _cells(row: Mapping[str, Any], cell_format: CellFormat, words: ColumnTexts) -> list[str]:
    sign = words.signs.get(row["kind"])
    amount = decimal(row["amount_minor"] * (sign or 1), exponent_of(row["currency"]), cell_format.point)
    return [
        date_time(row["recorded_at"].astimezone(cell_format.zone), cell_format.language),
        row["received_on"].isoformat() if row["received_on"] else "",
        row["code"],
        safe(row["customer_name"]),
        words.pending if row["is_pending"] else words.kinds.get(row["kind"], row["kind"]),
        word(export_words.METHOD, row["method"] or "", cell_format.language),
        row["currency"],
        amount if sign else "",
        "" if sign else amount,
        safe(row["reference"]),
        safe(row["provider_reference"]),
        safe(words.who(row["recorded_by"])),
        safe(row["note"]),
    ]
