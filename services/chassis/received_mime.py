"""Received mails as MIME messages, parsed within bounds: nesting, parts, header fields, HTML.

The standard library's parser goes one call deeper with every level of nesting, so that a mail of a few kilobytes
raises RecursionError; parameters of a long field and HTML of many open elements take it quadratic time. Here the
library parses the header of each part, and a loop finds the parts. What is beyond a bound is left out, and the result
says so. Nothing raises.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from itertools import islice

DEEPEST = 10
"""Levels of multipart messages that are opened."""
MOST_PARTS = 100
LARGEST_HEADER = 256 * 1024
MOST_FIELDS = 1000
LONGEST_FIELD = 64 * 1024
LONGEST_PARAMETERS = 4 * 1024
"""Bytes of the fields whose parameters are read: Content-Type and Content-Disposition."""
LONGEST_HTML = 512 * 1024
MOST_TAGS = 10_000
_HEADER = re.compile(rb"(?:(?:From |[\x21-\x39\x3b-\x7e]*+:|[\t ])[^\n]*+(?:\n|\Z))*+")
_FIELD = re.compile(rb"[^\n]*+\n(?:[\t ][^\n]*+(?:\n|\Z))*+|[^\n]++\Z")
_BLANK_LINE = re.compile(rb"\r?\n")
_TAG = re.compile("<[A-Za-z]")
_DATA_URI = re.compile(r"data:[^\"'\s<>]*+", re.IGNORECASE)


class Part(Message):
    """A message or a part of one. A multipart one has its parts as payload, any other one its content as it came."""

    is_unopened = False
    """Whether it is a multipart message beyond a bound, whose parts are not known."""


@dataclass(frozen=True, slots=True)
class ReceivedMime:
    """A parsed mail; `is_whole` is false when something is beyond a bound and was left out."""

    message: Part
    is_whole: bool


def parse_mime(raw: bytes) -> ReceivedMime:
    """Return a mail with its parts. A message in a message stays one part, as it came."""
    root, body, is_whole = _part(raw)
    count, waiting = 1, [(root, body, 0)]
    while waiting:
        part, content, depth = waiting.pop()
        boundary = _boundary(part)
        sections = list(islice(_sections(content, boundary), MOST_PARTS - count + 1)) if boundary else []
        if sections and (depth >= DEEPEST or count >= MOST_PARTS):
            part.is_unopened, sections, is_whole = True, [], False
        if not sections:
            part.set_payload(content.decode("ascii", "surrogateescape"))
            continue
        is_whole = is_whole and len(sections) <= MOST_PARTS - count
        found = [_part(section) for section in sections[: MOST_PARTS - count]]
        count += len(found)
        is_whole = is_whole and all(one[2] for one in found)
        part.set_payload([child for child, _, _ in found])
        waiting += [(child, inner, depth + 1) for child, inner, _ in reversed(found)]
    return ReceivedMime(root, is_whole)


def html_within_bounds(html: str) -> tuple[str, bool]:
    """Return HTML up to the bounds, and whether that is all of it. Content in `data:` addresses does not count."""
    plain = _DATA_URI.sub("", html)
    beyond = next(islice(_TAG.finditer(plain), MOST_TAGS, None), None)
    end = min(beyond.start() if beyond else len(plain), LONGEST_HTML)
    return plain[:end], end == len(plain)


def _part(raw: bytes) -> tuple[Part, bytes, bool]:
    """Return a part with its header, its content, and whether the header is whole."""
    found = _HEADER.match(raw)
    head = found[0] if found else b""
    blank = _BLANK_LINE.match(raw, len(head))
    content = raw[blank.end() if blank else len(head) :]
    fields = [one[0] for one in islice(_FIELD.finditer(head[:LARGEST_HEADER]), MOST_FIELDS)]
    kept = [_shortened(field) for field in fields]
    part = BytesHeaderParser(_class=Part).parsebytes(b"".join(kept))
    return part, content, sum(map(len, kept)) == len(head)


def _shortened(field: bytes) -> bytes:
    longest = LONGEST_PARAMETERS if field[:8].lower() == b"content-" else LONGEST_FIELD
    return field if len(field) <= longest else field[:longest].rstrip(b"\r\n") + b"\n"


def _boundary(part: Part) -> str | None:
    """Return the line between the parts of a multipart message."""
    if part.get_content_maintype() != "multipart":
        return None
    try:
        return part.get_boundary() or None
    except (ValueError, LookupError, TypeError, UnicodeError):
        return None


def _sections(content: bytes, boundary: str) -> Iterator[bytes]:
    """Yield the parts between the boundary's lines; without the last line, the last part goes to the end."""
    line = re.escape(boundary.encode("utf-8", "surrogateescape"))
    begun: int | None = None
    for found in re.finditer(rb"(?m)^--" + line + rb"(--)?[ \t]*\r?(?:\n|\Z)", content):
        if begun is not None:
            yield content[begun : max(begun, found.start())].removesuffix(b"\n").removesuffix(b"\r")
        begun = found.end()
        if found[1]:
            return
    if begun is not None:
        yield content[begun:]
