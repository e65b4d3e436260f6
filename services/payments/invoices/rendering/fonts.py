"""Program that writes which characters documents can show, from the fonts inside the installed Typst.

`python -m services.payments.invoices.rendering.fonts` after another version of Typst was pinned; a test compares the
file with the fonts. Documents are drawn with these fonts only: they come with the pinned package, so that no font of
the machine changes a document. Tables are read by the OpenType specification (`cmap`, `name`), and Typst draws every
sign once: a few that a font maps have no glyph.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from struct import unpack_from
from typing import NamedTuple

import typst

from services.chassis.identifiers.printable import EVERY_FONT, MAIN_FONT, SIGNS
from services.payments.invoices.rendering.pdf import NO_GLYPH

MAIN_FAMILY = "Libertinus Serif"
"""What Typst sets text in when a document names no font; others are taken for what it lacks."""
MAIN_STYLES = ("Regular", "Bold")
"""The styles of it that the template uses."""
_BEGINNINGS = re.compile(rb"OTTO\x00|\x00\x01\x00\x00\x00[\x08-\x20]")
_FAMILY, _STYLE = 1, 2
_MOST_TABLES, _HEAD_BYTES, _RECORD_BYTES = 64, 12, 16
_PRIVATE, _PRIVATE_PLANES = range(0xE000, 0xF900), 0xF0000
_SPECIMEN = b"""#set document(date: datetime(year: 2026, month: 1, day: 1), title: "Signs")
#for sign in json("data.json") [ #sign #text(weight: "bold", sign) ]
"""
_LAST, _WIDTH = 0x10FFFF, 104


class Font(NamedTuple):
    """A font: its family, its style, and the characters that it has a glyph for."""

    family: str
    style: str
    signs: frozenset[int]


def main() -> None:
    """Write the file."""
    SIGNS.write_text(table(fonts()), "ascii")


def fonts() -> list[Font]:
    """Return the fonts inside the installed Typst, each once."""
    library = next(Path(typst.__file__).parent.glob("_typst*.so")).read_bytes()
    found = {(one.family, one.style): one for one in _fonts_in(library)}
    return [found[key] for key in sorted(found)]


def table(known: Iterable[Font]) -> str:
    """Return the file's text: lines of a section's name and ranges of characters."""
    every, main = set[int](), list[frozenset[int]]()
    for font in known:
        every |= font.signs
        if font.family == MAIN_FAMILY and font.style in MAIN_STYLES:
            main.append(font.signs)
    wanted = sorted(
        sign for sign in every if sign >= ord(" ") and sign not in _PRIVATE and sign < _PRIVATE_PLANES
    )
    drawn = every.intersection(wanted).difference(undrawn(wanted))
    common = frozenset.intersection(*main) & drawn
    return "".join(_lines(EVERY_FONT, drawn)) + "".join(_lines(MAIN_FONT, common))


def undrawn(signs: Sequence[int]) -> list[int]:
    """Return those of some characters that Typst can't draw regular and bold, found by halving."""
    if draws([chr(sign) for sign in signs]):
        return []
    if len(signs) == 1:
        return list(signs)
    half = len(signs) // 2
    return undrawn(signs[:half]) + undrawn(signs[half:])


def draws(texts: Sequence[str]) -> bool:
    """Return whether Typst can draw all these texts as documents are drawn."""
    files = {"main.typ": _SPECIMEN, "data.json": json.dumps(texts).encode()}
    try:
        typst.compile(  # type: ignore[call-overload]  # its types lack the files by name that it takes
            files, format="pdf", pdf_standards=["a-3b"], ignore_system_fonts=True
        )
    except typst.TypstError as error:
        if NO_GLYPH not in str(error):
            raise
        return False
    return True


def _lines(section: str, signs: Iterable[int]) -> Iterator[str]:
    line = section
    for one in _ranges(signs):
        if len(line) + len(one) >= _WIDTH:
            yield f"{line}\n"
            line = section
        line += f" {one}"
    yield f"{line}\n"


def _ranges(signs: Iterable[int]) -> Iterator[str]:
    wanted = sorted(signs)
    first = wanted[0]
    for sign, following in pairwise([*wanted, _LAST + 1]):
        if following != sign + 1:
            yield f"{first:04X}" if first == sign else f"{first:04X}-{sign:04X}"
            first = following


def _fonts_in(library: bytes) -> Iterator[Font]:
    for begun in _BEGINNINGS.finditer(library):
        start = begun.start()
        tables = _tables(library, start)
        if tables.keys() >= {b"cmap", b"name", b"head", b"maxp"}:
            names = _names(library, start + tables[b"name"])
            signs = frozenset(_mapped(library, start + tables[b"cmap"]))
            yield Font(names.get(_FAMILY, ""), names.get(_STYLE, ""), signs)


def _tables(data: bytes, start: int) -> dict[bytes, int]:
    """Return the offsets of a font's tables; none where the bytes are no font."""
    (count,) = unpack_from(">H", data, start + 4)
    if not 0 < count < _MOST_TABLES or start + _HEAD_BYTES + count * _RECORD_BYTES > len(data):
        return {}
    records = [unpack_from(">4sIII", data, start + _HEAD_BYTES + n * _RECORD_BYTES) for n in range(count)]
    is_font = all(
        tag.isascii() and start + offset + length <= len(data) for tag, _, offset, length in records
    )
    return {tag: offset for tag, _, offset, _ in records} if is_font else {}


def _names(data: bytes, at: int) -> dict[int, str]:
    """Return a font's names for Windows (UTF-16) by their kind."""
    _, count, texts = unpack_from(">HHH", data, at)
    found = dict[int, str]()
    for n in range(count):
        platform, _, _, kind, length, offset = unpack_from(">6H", data, at + 6 + n * 12)
        if platform == 3:
            begun = at + texts + offset
            found.setdefault(kind, data[begun : begun + length].decode("utf-16-be", "replace"))
    return found


def _mapped(data: bytes, at: int) -> Iterator[int]:
    """Yield the characters of a font's Unicode maps (formats 4 and 12) that have a glyph."""
    _, count = unpack_from(">HH", data, at)
    for n in range(count):
        platform, encoding, offset = unpack_from(">HHI", data, at + 4 + n * 8)
        if platform == 0 or (platform == 3 and encoding in (1, 10)):
            (kind,) = unpack_from(">H", data, at + offset)
            if kind == 4:
                yield from _in_segments(data, at + offset)
            elif kind == 12:
                yield from _in_groups(data, at + offset)


def _in_groups(data: bytes, at: int) -> Iterator[int]:
    (count,) = unpack_from(">I", data, at + 12)
    for n in range(count):
        first, last, glyph = unpack_from(">III", data, at + 16 + n * 12)
        yield from (sign for sign in range(first, last + 1) if glyph + sign - first)


def _in_segments(data: bytes, at: int) -> Iterator[int]:
    (doubled,) = unpack_from(">H", data, at + 6)
    ends, starts = at + 14, at + 16 + doubled
    deltas, offsets = starts + doubled, starts + 2 * doubled
    for n in range(0, doubled, 2):
        first, last, delta, offset = (
            unpack_from(">H", data, place + n)[0] for place in (starts, ends, deltas, offsets)
        )
        for sign in range(first, min(last, 0xFFFE) + 1):
            glyph = sign
            if offset:
                (glyph,) = unpack_from(">H", data, offsets + n + offset + 2 * (sign - first))
            if glyph and (glyph + delta) & 0xFFFF:
                yield sign


if __name__ == "__main__":
    main()
