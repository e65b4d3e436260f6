"""Bytes decoded as their sender meant them, even if they declare another charset.

The declared charset first, its superset where mail programs mislabel it, then UTF-8, then Windows-1252: the latter
never fails, so every text is shown. `errors="replace"` would lose letters of people's names.
"""

_MEANT = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "shift_jis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "utf8": "utf-8",
}
_UNDEFINED = {0x81: "\x81", 0x8D: "\x8d", 0x8F: "\x8f", 0x90: "\x90", 0x9D: "\x9d"}
"""The octets that Windows-1252 does not define."""


def decode(content: bytes, declared: str | None) -> str:
    """Return the text of these bytes. Never fails."""
    for charset in (_meant(declared), "utf-8", "cp1252"):
        if charset is None:
            continue
        try:
            text = content.decode(charset)
        except (UnicodeError, LookupError, ValueError):
            continue
        if isinstance(text, str):
            return text
    return "".join(_UNDEFINED.get(octet) or bytes((octet,)).decode("cp1252") for octet in content)


def _meant(declared: str | None) -> str | None:
    name = (declared or "").strip().strip("\"'").lower()
    return _MEANT.get(name, name) or None
