"""Texts from outside: one rule for every entrance by which a text counts as blank, and where one holds NUL. Pure.

Without it a reason of one zero-width space would be stored as the reason of a credit note, and a message of it would
be mailed.
"""

import re
import unicodedata
from typing import Any, LiteralString
from urllib.parse import urlsplit

from pydantic import AfterValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

_UNSEEN_CATEGORIES = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co", "Cs"))
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
"""Characters of other categories that show nothing: fillers, variation selectors, the empty Braille pattern."""
_SHAPING = re.compile(
    "[\u034f\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
BLANK, NUL, HALF = "text_blank", "text_nul", "text_surrogate"
NUL_SIGN = re.compile("\0")
_UNSTORABLE: dict[str, tuple[re.Pattern[str], LiteralString]] = {
    NUL: (NUL_SIGN, "text must not contain the NUL character"),
    HALF: (re.compile("[\ud800-\udfff]"), "text must not contain half of a surrogate pair"),
}
JsonPath = tuple[int | str, ...]
"""The steps from a value to one within it."""


def is_unseen(sign: str) -> bool:
    """Return whether a character shows nothing: a space, a control character, a filler, or one that fonts may
    lack.
    """
    return unicodedata.category(sign) in _UNSEEN_CATEGORIES or _UNSEEN.match(sign) is not None


def is_unwanted(sign: str) -> bool:
    """Return whether a character can be left out of a line of text without a change of what is seen.

    Spaces stay, and so do joiners, variation selectors and tags, which shape the letters and emoji beside
    them; also characters newer than this Python's Unicode, such as emoji.
    """
    is_new = unicodedata.category(sign) == "Cn" and not _is_noncharacter(sign)
    is_kept = is_new or unicodedata.category(sign) == "Zs" or _SHAPING.match(sign) is not None
    return is_unseen(sign) and not is_kept


def _is_noncharacter(sign: str) -> bool:
    """Return whether Unicode will never assign a character to this code."""
    return ord(sign) & 0xFFFE == 0xFFFE or "\ufdd0" <= sign <= "\ufdef"


def is_blank(text: str) -> bool:
    """Return whether nothing of a text can be seen: it is empty, or has only spaces and invisible
    characters.
    """
    return all(map(is_unseen, text))


def trimmed(text: str) -> str:
    """Return a text without leading and trailing spaces; empty when nothing of it can be seen."""
    return "" if is_blank(text) else text.strip()


def json_path_of(signs: re.Pattern[str], value: Any, path: JsonPath = ()) -> JsonPath | None:
    """Return where in JSON values a text, or the key of an object, has one of these characters; None if none has."""
    if isinstance(value, str):
        return path if signs.search(value) else None
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        within = (*path, step)
        is_here = isinstance(step, str) and signs.search(step)
        if (found := within if is_here else json_path_of(signs, one, within)) is not None:
            return found
    return None


def is_utf8(text: str) -> bool:
    """Return whether a text can be written. Bytes that are not UTF-8 are halves of surrogate pairs in an argument of a
    program, or in a variable."""
    return _UNSTORABLE[HALF][0].search(text) is None


def fits_a_header(text: str) -> bool:
    """Return whether HTTP can carry a text as the value of a header."""
    return text.isascii() and text.isprintable() and text == text.strip()


def fault_of_setting(text: str) -> str | None:
    """Return why no program can use the text of a setting, without the text; None when one can."""
    if not is_utf8(text):
        return "is not UTF-8; write the value as plain text"
    return "has a NUL character; remove it" if NUL_SIGN.search(text) else None


def fault_of_url(url: str) -> str | None:
    """Return why no client can use a URL, without the URL; None when one can. It may name several hosts, as those of
    PostgreSQL do."""
    try:
        hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
    except ValueError:
        return "is no valid URL: correct its host"
    if not all(is_port(host.rpartition("]")[2].partition(":")[2]) for host in hosts):
        return "has a port that is no number to 65535; write /, ?, # and @ of a password as %2F, %3F, %23 and %40"
    return "has a NUL character (%00); remove it" if "%00" in url else None


def is_port(text: str) -> bool:
    """Return whether a text is the port of a URL, possibly none."""
    return not text or (text.isascii() and text.isdecimal() and int(text.lstrip("0")[:6] or 0) <= 65535)


def refuse_unstorable(value: Any) -> None:
    """Raise ValidationError, with the place, for JSON values with a text that PostgreSQL can't store."""
    for kind, (signs, words) in _UNSTORABLE.items():
        if (path := json_path_of(signs, value)) is not None:
            fault = InitErrorDetails(type=PydanticCustomError(kind, words), loc=path, input="")
            raise ValidationError.from_exception_data("text", [fault])


def _seen(text: str) -> str:
    if is_blank(text):
        raise PydanticCustomError(
            BLANK, "This text is empty or has only characters that can’t be seen. Write it and send it again."
        )
    return text


Seen = AfterValidator(_seen)
"""The validator of a text that must be filled in: `Annotated[Text, Field(min_length=1), Seen]`."""
