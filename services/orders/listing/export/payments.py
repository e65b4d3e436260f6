"""The CSV of the ledger: every entry that fits at one point in time, the latest first, in constant memory.

The sign of an amount shows whether the shop received or paid the money, as on the page of payments; an entry
that moved no money has its amount in a column of its own, so that adding up a column is never wrong.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.storage.database import Connection
from services.orders.listing.export import words as export_words
from services.orders.listing.export.cells import CellFormat, decimal, exponent_of, moment, safe
from services.orders.listing.export.orders import BATCH, BYTE_ORDER_MARK, SETTINGS, lines
from services.orders.listing.export.words import word
from services.orders.listing.payments import EntriesQuery, every_entry


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of the file: headings, kinds of entries, and actors. `signs` by kind: 1 in, -1 out;
    `pending`: a refund that its provider has not confirmed yet.
    """

    headings: list[str]
    kinds: Mapping[str, str]
    signs: Mapping[str, int]
    who: Callable[[str], str]
    pending: str


async def export_entries(
    connection: Connection, shop: str, query: EntriesQuery, manner: CellFormat, words: Words
) -> AsyncGenerator[bytes]:
    """Yield the CSV in pieces: headings first. The connection must be in no transaction."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(SETTINGS)
        yield (BYTE_ORDER_MARK + lines([words.headings], manner)).encode()
        async for rows in every_entry(connection, shop, query, manner.zone, BATCH):
            yield lines([_cells(row, manner, words) for row in rows], manner).encode()


def _cells(row: Mapping[str, Any], manner: CellFormat, words: Words) -> list[str]:
    sign = words.signs.get(row["kind"])
    amount = decimal(row["amount_minor"] * (sign or 1), exponent_of(row["currency"]), manner.point)
    return [
        moment(row["recorded_at"].astimezone(manner.zone), manner.language),
        row["received_on"].isoformat() if row["received_on"] else "",
        row["code"],
        safe(row["customer_name"]),
        words.pending if row["is_pending"] else words.kinds.get(row["kind"], row["kind"]),
        word(export_words.METHOD, row["method"] or "", manner.language),
        row["currency"],
        amount if sign else "",
        "" if sign else amount,
        safe(row["reference"]),
        safe(row["provider_reference"]),
        safe(words.who(row["recorded_by"])),
        safe(row["note"]),
    ]
