"""Faults of a body that is not JSON text in UTF-8, with remedies: our own sentences, never a parser's."""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x78\x01", "zlib (deflate)"),
    (b"\x78\x9c", "zlib (deflate)"),
    (b"\x78\xda", "zlib (deflate)"),
)
_PLACE = re.compile(r" at line (\d{1,9}) column (\d{1,9})$")
_FAULTS = {
    "EOF while parsing": "it ends before its JSON does: send all of it",
    "recursion limit exceeded": "its arrays and objects are nested too deeply: send it as the schema requires",
    "trailing characters": "there is more after its JSON: send a single JSON object",
    "trailing comma": "there is a comma before a closing bracket: remove it",
    "key must be a string": "the name of a field is not in double quotes: quote it",
    "control character": "a string contains a line break or another control character: escape it, such as \\n",
    "invalid escape": "a string contains an escape that JSON does not define: write a backslash as \\\\",
    "invalid number": "a number has a form that JSON does not allow: write it without plus sign or leading zero",
    "number out of range": "a number is out of range: correct it",
    "lone leading surrogate": "half of a surrogate pair is escaped: send both halves or the character itself",
    "unexpected end of hex escape": "half of a surrogate pair is escaped: send both halves or the character itself",
    "expected `:`": "a colon is missing between a field's name and its value: write it with a JSON encoder",
    "expected `,`": "a comma or a closing bracket is missing: write it with a JSON encoder",
}
"""By the beginning of the parser's message."""


def fault_of(body: bytes, parsers_words: str) -> str:
    """Return the continuation of `the body is not JSON text in UTF-8: `, without a full stop.

    `parsers_words` is the message of pydantic's parser, of which only the position is used. No part of the
    body is repeated.
    """
    return _encoding(body) or _syntax(parsers_words)


def _encoding(body: bytes) -> str | None:
    """Return what is wrong with the encoding, whatever the content; None when the bytes are UTF-8."""
    if not body.strip():
        return "it is empty: send the message as a JSON object"
    if body.startswith(codecs.BOM_UTF8):
        return "it begins with a byte order mark (BOM): remove these three bytes"
    for magic, name in _COMPRESSED:
        if body.startswith(magic):
            return f"it is compressed with {name}: send it uncompressed"
    for mark, name in _MARKS:
        if body.startswith(mark):
            return f"it is in {name}: encode it in UTF-8"
    if b"\0" in body[:2]:
        return "it is in UTF-16 or UTF-32: encode it in UTF-8"
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} is not UTF-8 (Latin-1 or Windows-1252?): encode it in UTF-8"
    return None


def _syntax(parsers_words: str) -> str:
    match = _PLACE.search(parsers_words)
    place = f"at line {match[1]}, byte {match[2]}, " if match else ""
    for beginning, fault in _FAULTS.items():
        if parsers_words.startswith(beginning):
            return place + fault
    return place + "a JSON value was expected: send a JSON object, written by a JSON encoder"
