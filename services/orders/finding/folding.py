"""Text made comparable: without case, accents or ligatures, in plain ASCII. Pure.

Invariant: what is stored and what is asked for go through the same function, in this service and never in the
database: there the result would depend on its locale. Letters that have no ASCII counterpart become a fixed group of
ASCII letters each, so that Greek or Cyrillic names are found by the same index.
"""

import re
import unicodedata
from collections.abc import Iterable

MOST_TERMS = 8
LEAST_PHONE_DIGITS = 9
PHONE_TAIL = 8
_PHONE = re.compile(r"[+(]?[0-9][0-9 .()/+-]*")
_LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def fold(text: str) -> str:
    """The text in lower-case ASCII; runs of white space are one blank."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(map(_ascii, plain)).split())


def _ascii(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    if unicodedata.combining(character):
        return ""
    if character.isspace():
        return " "
    return _OWN.get(character) or f"q{ord(character):x}q" if character.isalnum() else " "


_OWN = {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
"""Latin letters that Unicode does not take apart."""


def digits(text: str) -> str:
    """Its ASCII digits alone."""
    return re.sub(r"[^0-9]", "", text)


def terms(asked: str) -> tuple[str, ...]:
    """What must all occur in a document. A phone number, however written, is one term: its last digits, which are the
    same with the country's prefix and without. Words without a letter or digit say nothing."""
    folded = fold(asked)
    if _is_number(folded):
        return (digits(folded)[-PHONE_TAIL:],)
    words = [word for word in folded.split() if any(map(str.isalnum, word))]
    return tuple(dict.fromkeys(words))[:MOST_TERMS]


def _is_number(folded: str) -> bool:
    return len(digits(folded)) >= LEAST_PHONE_DIGITS and _PHONE.fullmatch(folded) is not None


def document(code: str, words: Iterable[str | None], phone: str | None) -> str:
    """What is searched of an order: its code with and without the dash, the words, the phone, and the bare digits of
    all that is written like a phone number. Begins and ends with a blank, so that a word's beginning can be told."""
    parts = [fold(part) for part in (code, code.replace("-", ""), *words, phone) if part]
    parts += [digits(part) for part in parts if _is_number(part)]
    return f" {' '.join(dict.fromkeys(filter(None, parts)))} "


def occurs(term: str, text: str) -> bool:
    """Whether a document has a term: anywhere, but one or two letters at a word's beginning only."""
    return (f" {term}" if len(term) < 3 else term) in text


def landmark(term: str) -> str:
    """The part of a term that tells most: of a mail address what stands before the @. The rest, common to all customers
    of a provider, would only make the index read long lists."""
    local, at, _ = term.partition("@")
    return local + at if at and len(local) >= 3 else term


def pattern(term: str) -> str:
    """`occurs` as a pattern of LIKE. Short terms begin a word: the index knows groups of three letters."""
    escaped = term.translate(_LIKE)
    return f"% {escaped}%" if len(term) < 3 else f"%{escaped}%"
