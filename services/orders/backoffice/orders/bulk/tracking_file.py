"""Tracking numbers in the formats of carriers' programs and spreadsheets, parsed line by line. Pure.

A line names an order by its code, or a parcel as K7F3-QD9M/2 or in a separate column, then the carrier and
the number; headings in French or English may name the columns. An error in a line is reported for that line
only.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any

from services.orders.order.short_code import read_code

MOST_LINES = 1_000
LONGEST = 100
"""Maximum characters of a carrier's name and of a tracking number."""
LONGEST_CODE = 40
"""Maximum characters of a cell with an order and a parcel; a longer text is not searched for a code."""
DELIMITERS = ";\t,|"
HEADINGS = {
    "order": {
        "commande",
        "code",
        "code commande",
        "numero de commande",
        "n commande",
        "order",
        "order code",
        "reference",
    },
    "parcel": {"colis", "numero de colis", "n colis", "parcel", "parcel number", "package"},
    "carrier": {"transporteur", "carrier", "shipper"},
    "tracking": {
        *{"suivi", "numero de suivi", "n de suivi", "n suivi", "code de suivi", "numero"},
        *{"tracking", "tracking number", "tracking code", "number"},
    },
}
BY_POSITION = {
    2: ("order", "tracking"),
    3: ("order", "carrier", "tracking"),
    4: ("order", "parcel", "carrier", "tracking"),
}
_WITH_PARCEL = re.compile(r"(.+?)\s*[/#._\s–-]\s*(?:colis|parcel|p)?\s*(\d{1,4})", re.IGNORECASE)
_DAMAGED = re.compile(r"\d([.,]\d+)?e\+\d+|\d[.,]\d+e\d+", re.IGNORECASE)
_FORMULA = re.compile(r'="(.*)"')


@dataclass(frozen=True, slots=True)
class Line:
    """A parsed line; `parcel` is a parcel's number within its order, None: all packed ones. `tracking` is
    empty where headings name the columns and none was filled in.
    """

    number: int
    text: str
    code: str
    parcel: int | None
    carrier: str
    tracking: str


@dataclass(frozen=True, slots=True)
class Fault:
    """An error in a line: a code of `words.FAULTS`, and the value it is about."""

    line: int
    text: str
    why: str
    value: str = ""


class TooManyLines(Exception):
    """More lines than one run accepts."""


class LinesUnreadable(Exception):
    """The text cannot be split into lines: a quotation mark is never closed."""


def decoded(data: bytes) -> str:
    """Return a file's text: UTF-8 or UTF-16 with BOM, UTF-8 without, otherwise Windows' Western European
    encoding.

    NUL is removed: PostgreSQL cannot store it, and UTF-16 without BOM is full of it.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").replace("\0", "")
    try:
        return data.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").replace("\0", "")


def read_lines(text: str) -> tuple[list[Line], list[Fault]]:
    """Return the valid lines, and the errors of the others. Raises TooManyLines, LinesUnreadable."""
    rows = _rows(text.removeprefix("\ufeff").replace("\0", ""))
    if len(rows) > MOST_LINES:
        raise TooManyLines
    names: tuple[str, ...] | None = None
    if rows and (found := _headings(rows[0][1])):
        names, rows = found, rows[1:]
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, cells in rows:
        read = _line(number, cells, names or BY_POSITION.get(min(len(cells), 4)), has_heads=names is not None)
        (lines if isinstance(read, Line) else faults).append(read)  # type: ignore[arg-type]
    return lines, faults


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return every non-empty line, as cleaned cells, with its number in the text."""
    delimiter = _delimiter(text)
    if delimiter is None:
        split = [(number, _clean(line).split()) for number, line in enumerate(text.splitlines(), 1)]
        return [(number, cells) for number, cells in split if cells]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        return _cleaned(reader)
    except csv.Error:
        raise LinesUnreadable from None


def _cleaned(reader: Any) -> list[tuple[int, list[str]]]:
    rows, before = [], 0
    for cells in reader:
        cleaned = [_clean(cell) for cell in cells]
        while len(cleaned) > 2 and not cleaned[-1]:
            cleaned.pop()
        if any(cleaned):
            rows.append((before + 1, cleaned))
        before = reader.line_num
    return rows


def _delimiter(text: str) -> str | None:
    found: Counter[str] = Counter()
    for line in text.splitlines()[:50]:
        found.update({sign for sign in DELIMITERS if sign in line})
    best = max(DELIMITERS, key=lambda sign: (found[sign], -DELIMITERS.index(sign)))
    return best if found[best] else None


def _headings(cells: list[str]) -> tuple[str, ...] | None:
    """Return the columns, when the first line names them; unknown headings are kept as their own text."""
    names = [_plain(cell) for cell in cells]
    known = {word: name for name, words in HEADINGS.items() for word in words}
    columns = tuple(known.get(name, f"?{name}") for name in names)
    return (
        columns
        if {"order", "tracking"} <= set(columns) or ("tracking" in columns and "parcel" in columns)
        else None
    )


def _plain(text: str) -> str:
    folded = (
        unicodedata.normalize("NFKD", text.replace("°", "").replace("º", ""))
        .encode("ascii", "ignore")
        .decode()
    )
    return " ".join(re.sub(r"[^a-z]+", " ", folded.lower()).split())


def _clean(cell: str) -> str:
    text = "".join(sign if sign.isprintable() else " " for sign in cell).strip()
    if formula := _FORMULA.fullmatch(text):
        text = formula[1]
    return text.removeprefix("'").strip()


def _line(number: int, cells: list[str], names: tuple[str, ...] | None, *, has_heads: bool) -> Line | Fault:
    text = " · ".join(cells)[:200]
    if names is None or len(cells) < 2:
        return Fault(number, text, "too_few_columns")
    values = dict(zip(names, cells, strict=False))
    order, tracking, carrier = (values.get(name, "") for name in ("order", "tracking", "carrier"))
    fault = _fault(tracking, carrier, may_be_empty=has_heads)
    if fault:
        return Fault(number, text, fault, tracking[:60])
    who = _who(order, values.get("parcel", ""))
    if who is None:
        return Fault(number, text, "no_code", order[:60])
    return Line(number, text, *who, carrier, tracking)


def _fault(tracking: str, carrier: str, *, may_be_empty: bool) -> str | None:
    """Return the error in a number. A number without any digit is a carrier's name in the wrong column; an
    empty one is distinguished from that only where headings name the columns.
    """
    if not any(sign.isdigit() for sign in tracking) and (tracking or not may_be_empty):
        return "no_tracking"
    if _DAMAGED.fullmatch(tracking):
        return "damaged_number"
    if len(tracking) > LONGEST or len(carrier) > LONGEST:
        return "too_long"
    return None


def _who(order: str, parcel: str) -> tuple[str, int | None] | None:
    """Return the order's code and the parcel's number, from two columns or from one that holds both."""
    if len(order) > LONGEST_CODE:
        return None
    number = int(parcel) if re.fullmatch(r"\d{1,4}", parcel) else None
    if parcel and number is None:
        return None if order else _who(parcel, "")
    if code := read_code(order):
        return code, number
    parts = _WITH_PARCEL.fullmatch(order)
    code = read_code(parts[1]) if parts else None
    return (code, int(parts[2])) if parts and code and number is None else None
