"""The cells of one exported order: numbers, days, and text that no spreadsheet takes for a formula. Pure.

Invariant: net and VAT add up to the total, and the VAT columns to the VAT (`taxes.py`), to the cent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from contracts.money import EXPONENTS
from services.orders.finding import export_words
from services.orders.finding.export_words import word

FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a cell must not begin with (OWASP, CSV injection), with the full-width forms that spreadsheets take as well."""
RATES = (2000, 1000, 550, 210)
"""VAT rates with a column of their own unless others are asked for, in basis points: those of France."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How an export is written. `labels`: what each status says."""

    language: str
    zone: ZoneInfo
    labels: Mapping[str, str]
    rates: Sequence[int] = RATES

    @property
    def delimiter(self) -> str:
        """French spreadsheets take a comma for the decimal point."""
        return "," if self.language == "en" else ";"

    @property
    def point(self) -> str:
        return "." if self.language == "en" else ","


def safe(text: str | None) -> str:
    """Text as a cell: behind an apostrophe when it would be taken for a formula."""
    if not text:
        return ""
    return f"'{text}" if text[0] in FORMULA else text


def headings(manner: Manner) -> list[str]:
    """The first line."""
    found = []
    for name, words in export_words.COLUMNS.items():
        text = words[manner.language == "en"]
        if name == "rates":
            found += [text.format(rate=_percent(rate, manner.point)) for rate in manner.rates]
        else:
            found.append(text)
    return found


def cells(row: Mapping[str, Any], manner: Manner) -> list[str]:
    """One order's line, from a row of `exporting.DETAILS`."""
    exponent, point, language = _exponent(row["currency"]), manner.point, manner.language
    total, tax = row["total_minor"], row["tax_minor"]
    vat = dict(zip(row["vat_rates"], row["vat_minor"], strict=True))
    known = [vat.pop(rate, 0) for rate in manner.rates]
    amounts = [
        total - tax,
        *known,
        sum(vat.values()),
        tax,
        row["shipping_minor"],
        total,
        row["received_minor"],
    ]
    amounts += [row["refunded_minor"] + row["marked_minor"], row["balance_minor"]]
    return [
        row["code"],
        _moment(row["placed_at"].astimezone(manner.zone), language),
        safe(manner.labels.get(row["label"], row["label"])),
        word(export_words.PAYMENT, row["payment_status"], language),
        word(export_words.METHOD, row["payment_method"] or "", language),
        safe(row["customer_name"]),
        safe(row["customer_email"]),
        safe(row["country"]),
        row["currency"],
        *[decimal(amount, exponent, point) for amount in amounts],
        word(export_words.MODULE, row["module"], language),
        safe(row["source_reference"]),
        safe(", ".join(dict.fromkeys(row["payment_references"]))),
    ]


def decimal(amount_minor: int, exponent: int, point: str) -> str:
    """An amount as spreadsheets read numbers: 1234,50. No grouping, a plain hyphen before a negative one."""
    if exponent == 2 and amount_minor >= 0:
        return f"{amount_minor // 100}{point}{amount_minor % 100:02d}"
    if not exponent:
        return str(amount_minor)
    digits = f"{abs(amount_minor):0{exponent + 1}d}"
    return f"{'-' if amount_minor < 0 else ''}{digits[:-exponent]}{point}{digits[-exponent:]}"


@cache
def _exponent(currency: str) -> int:
    return EXPONENTS.get(currency, 2)


def _percent(rate: int, point: str) -> str:
    whole, rest = divmod(rate, 100)
    return f"{whole}{point}{rest:02d}".rstrip("0") if rest else str(whole)


def _moment(moment: datetime, language: str) -> str:
    if language == "en":
        return f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d} {moment.hour:02d}:{moment.minute:02d}"
    return f"{moment.day:02d}/{moment.month:02d}/{moment.year:04d} {moment.hour:02d}:{moment.minute:02d}"
