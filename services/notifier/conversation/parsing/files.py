"""Attachments of a received mail: what is kept, under which name, of which type. Nothing in them is opened or run.

The type is that of the first bytes: the type that the sender declares is ignored. What could harm the reader is
`blocked`: it is kept, and the page warns before the download.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import puremagic

from services.notifier.mails.compose.screening import one_line, shortened

MOST_FILES = 50
LONGEST_NAME = 150
_SNIFFED = 8192
_PROGRAMS = re.compile(
    r"\.(?:exe|com|scr|pif|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|msi|msp|lnk|jar|reg|cpl|dll|iso|img|vhd|apk|app"
    r"|dmg|sh|py|docm|dotm|xlsm|xltm|xlam|pptm|ppam|html?|xhtml|svgz?|xml|mht|one|chm|swf)$",
    re.IGNORECASE,
)
_PROGRAM_STARTS = (
    *(b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"),
    b"L\x00\x00\x00\x01\x14\x02\x00",
)
_MARKUP = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|svg|iframe|\?xml|meta)[\s>?]", re.IGNORECASE
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OFFICE_97 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class File:
    """An attachment. `state`: kept, blocked (kept, behind a warning) or omitted (too many; no content is kept)."""

    name: str
    type: str
    size: int
    sha256: bytes
    state: str
    content: bytes | None
    is_inline_picture: bool = False


def file_of(number: int, name: str, content: bytes, *, is_inline: bool = False) -> File:
    """Return an attachment as it is kept; `number` counts the mail's files from 1."""
    media_type = type_of(content)
    screened = screened_name(name, number, media_type)
    state = "omitted" if number > MOST_FILES else "blocked" if is_harmful(screened, content) else "kept"
    return File(
        name=screened,
        type=media_type,
        size=len(content),
        sha256=sha256(content).digest(),
        state=state,
        content=None if state == "omitted" else content,
        is_inline_picture=is_inline and media_type.startswith("image/"),
    )


def type_of(content: bytes) -> str:
    """Return the media type that the first bytes show."""
    start = content[:_SNIFFED]
    if not start:
        return "application/octet-stream"
    if _MARKUP.search(start):
        return "image/svg+xml" if re.search(rb"<svg[\s>]", start, re.IGNORECASE) else "text/html"
    try:
        found = str(puremagic.from_string(start, mime=True))
    except (puremagic.PureError, ValueError, IndexError):
        found = ""
    if re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", found) and not found.startswith("text/"):
        return found
    return "text/plain" if _is_text(start) else "application/octet-stream"


def is_harmful(name: str, content: bytes) -> bool:
    """Return whether opening the file could run something or hide it from a virus scanner."""
    start = content[:_SNIFFED]
    if _PROGRAMS.search(name) or start.startswith(_PROGRAM_STARTS) or _MARKUP.search(start):
        return True
    if start.startswith(_ZIP):
        return b"vbaProject.bin" in content or any(_encrypted_flags(content))
    if start.startswith(_OFFICE_97):
        return "_VBA_PROJECT".encode("utf-16-le") in content
    return start.startswith(b"%PDF") and (b"/JavaScript" in content or b"/Launch" in content)


def screened_name(name: str, number: int, media_type: str) -> str:
    """Return a file name without folders, line breaks and characters that change the direction of reading."""
    plain = one_line(name).replace("\\", "/").rpartition("/")[2].strip(" .")
    if not plain:
        kind = media_type.rpartition("/")[2].rpartition("+")[0] or media_type.rpartition("/")[2]
        return f"attachment-{number}.{kind if kind.isalnum() and len(kind) < 6 else 'bin'}"
    if len(plain) <= LONGEST_NAME:
        return plain
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 10:
        return shortened(plain, LONGEST_NAME)
    return f"{shortened(stem, LONGEST_NAME - len(ending) - 1)}.{ending}"


def _encrypted_flags(content: bytes) -> Iterator[bool]:
    """Yield for each entry of a ZIP file's directory whether it is encrypted; nothing is unpacked."""
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        yield bool(content[at + 8 : at + 9] and content[at + 8] & 1)
        at = content.find(b"PK\x01\x02", at + 4)


def _is_text(start: bytes) -> bool:
    if b"\0" in start:
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(start) - 3
    return True
