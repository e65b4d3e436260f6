"""The cells of one exported order: numbers, days, and text that no spreadsheet interprets as a formula. Pure.

Invariant: net and VAT add up to the total, and the VAT columns to the VAT (`order/search/taxes.py`), to the
cent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from contracts.money import EXPONENTS
from contracts.timestamps import in_zone
from services.orders.listing.export import words as export_words
from services.orders.listing.export.words import word

FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""Characters a cell must not begin with (OWASP, CSV injection), with the full-width forms that spreadsheets
accept as well.
"""
_UNSEEN = r"\s\x00-\x1f\x7f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_FORMULA = re.compile(
    rf"(^|[,;\t\r\n])(?=[{_UNSEEN}]*[{''.join(map(re.escape, sorted(FORMULA)))}])|^(?=[\t\r\n])"
)
"""Where a formula would begin: at the start or behind either delimiter, also after invisible characters."""
_MONTH = (
    "jan(v(ier)?|uary)?|f[eé]v(r(ier)?)?|feb(ruary)?|mar(s|ch)?|avr(il)?|apr(il)?|ma[iy]|juin|june?|juil(let)?|july?"
    "|ao[uû]t?|aug(ust)?|sep(t(embre|ember)?)?|oct(obre|ober)?|nov(embre|ember)?|d[eé]c(embre|ember)?"
)
_NUMBER = re.compile(
    rf"""(?=[^\d]*\d)[^\w\d]*\d[\d\W_]*(e[\d\W_]*|[ap]m?\.?)?
        |\d{{1,4}}[\W_]*({_MONTH})\.?[\W_\d]* | ({_MONTH})\.?[\W_]*\d[\W_\d]* | true|false|vrai|faux""",
    re.IGNORECASE | re.VERBOSE,
)
"""Text that spreadsheets read as a number, a day, a time or a truth value, and then write back otherwise."""
_PLAIN = re.compile(rf"(?!({_MONTH})[\W_]*\d|true|false|vrai|faux)[^\W\d][^,;\t\r\n]*", re.IGNORECASE)
"""Text in which neither occurs: it begins with a letter and has no delimiter. Nearly every cell is plain, and
this check takes a fifth of the time of the two others.
"""

_TWO_DIGITS = tuple(f"{number:02d}" for number in range(100))
"""Numbers of a day, an hour or cents; looking them up takes half of the time of formatting them."""


@dataclass(frozen=True, slots=True)
class CellFormat:
    """The format of an export. `labels`: the text of each status; `rates`: the VAT rates that have a column,
    in millionths.
    """

    language: str
    zone: ZoneInfo
    labels: Mapping[str, str]
    rates: Sequence[int] = ()

    @property
    def delimiter(self) -> str:
        """Return the delimiter; French spreadsheets use a comma for the decimal point."""
        return "," if self.language == "en" else ";"

    @property
    def point(self) -> str:
        return "." if self.language == "en" else ","


def safe(text: str | None) -> str:
    """Return text as a cell, however a spreadsheet splits the file: an apostrophe precedes anything it would
    interpret as a formula, a number or a day.
    """
    if not text:
        return ""
    return text if _PLAIN.fullmatch(text) else guarded(text)


safe_again = lru_cache(maxsize=1_000)(safe)
"""`safe` for columns of few different texts."""


def guarded(text: str) -> str:
    """Return what `safe` returns of a text that is not empty, without the shortcut for plain text."""
    found = _FORMULA.sub(r"\1'", text)
    return f"'{found}" if found[0] != "'" and _NUMBER.fullmatch(text.strip()) else found


def headings(cell_format: CellFormat) -> list[str]:
    """Return the header line."""
    found = []
    for name, words in export_words.COLUMNS.items():
        text = words[cell_format.language == "en"]
        if name == "rates":
            found += [text.format(rate=_percent(rate, cell_format.point)) for rate in cell_format.rates]
        else:
            found.append(text)
    return found


def cells(row: Mapping[str, Any], cell_format: CellFormat) -> list[str]:
    """Return one order's line, from a row of `exporting.DETAILS`."""
    exponent, point, language = exponent_of(row["currency"]), cell_format.point, cell_format.language
    total, tax, zero = row["total_minor"], row["tax_minor"], decimal(0, exponent, point)
    vat = dict(zip(row["vat_rates"], row["vat_minor"], strict=True))
    known = [vat.pop(rate, 0) for rate in cell_format.rates]
    amounts = [
        total - tax,
        *known,
        sum(vat.values()),
        tax,
        row["shipping_minor"],
        total,
        row["received_minor"],
    ]
    amounts += [row["refunded_minor"] + row["marked_minor"], row["credited_minor"], row["balance_minor"]]
    return [
        row["code"],
        date_time(in_zone(row["placed_at"], cell_format.zone), language),
        safe_again(cell_format.labels.get(row["label"], row["label"])),
        word(export_words.PAYMENT, row["payment_status"], language),
        word(export_words.METHOD, row["payment_method"] or "", language),
        safe(row["customer_name"]),
        safe(row["customer_email"]),
        safe_again(row["country"]),
        row["currency"],
        *[zero if amount == 0 else decimal(amount, exponent, point) for amount in amounts],
        word(export_words.MODULE, row["module"], language),
        safe(row["source_reference"]),
        safe(", ".join(dict.fromkeys(row["payment_references"]))),
    ]


def decimal(amount_minor: int, exponent: int, point: str) -> str:
    """Return an amount as spreadsheets read numbers: 1234,50. No grouping, a plain hyphen before a negative
    one.
    """
    if exponent == 2 and amount_minor >= 0:
        return f"{amount_minor // 100}{point}{_TWO_DIGITS[amount_minor % 100]}"
    if not exponent:
        return str(amount_minor)
    digits = f"{abs(amount_minor):0{exponent + 1}d}"
    return f"{'-' if amount_minor < 0 else ''}{digits[:-exponent]}{point}{digits[-exponent:]}"


@cache
def exponent_of(currency: str) -> int:
    """Return the number of digits behind the decimal point of a currency (ISO 4217)."""
    return EXPONENTS.get(currency, 2)


def _percent(rate: int, point: str) -> str:
    whole, rest = divmod(rate, 10_000)
    return f"{whole}{point}{rest:04d}".rstrip("0") if rest else str(whole)


def date_time(at: datetime, language: str) -> str:
    """Return a datetime as spreadsheets read it: 22/11/2026 10:30, in English 2026-11-22 10:30."""
    month, day = _TWO_DIGITS[at.month], _TWO_DIGITS[at.day]
    time = f"{_TWO_DIGITS[at.hour]}:{_TWO_DIGITS[at.minute]}"
    if language == "en":
        return f"{at.year:04d}-{month}-{day} {time}"
    return f"{day}/{month}/{at.year:04d} {time}"
