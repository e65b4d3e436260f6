"""External text made safe to show: no control characters, no bidirectional tricks, one line where one is
meant.

Escaping is done by the templates; this is about characters that do harm although they are escaped: a line
break that would start a header, an override that makes `exe.fdp` read `pdf.exe`. Accents, emoji and
right-to-left scripts stay as they are.
"""

import re
from typing import Any
from urllib.parse import quote

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_KEPT_IN_URLS = ":/?#[]@!$&'()*+,;=%~"


def one_line(text: str) -> str:
    """Return the text on one line, without invisible characters."""
    if not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub("", _BREAKS.sub(" ", text)).strip()


def paragraphs(text: str) -> list[str]:
    """Return the text's lines, each made safe; at most one empty line in a row."""
    lines = [one_line(line) for line in re.split("\r\n|[\n\r\x85\u2028\u2029]", text.strip())]
    return [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]


def screened(value: Any) -> Any:
    """Return a JSON value with every text in it on one line; keys stay as they are."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {key: screened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [screened(inner) for inner in value]
    return value


def web_address(url: str | None) -> str | None:
    """Return the URL with every character that could end it percent-encoded, or None if it is not http or https."""
    if not url or not re.match(r"https?://[^/\s]", url, re.IGNORECASE):
        return None
    return quote(one_line(url), safe=_KEPT_IN_URLS)


def shortened(text: str, limit: int) -> str:
    """Return the text, cut with an ellipsis where it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
