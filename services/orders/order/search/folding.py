"""Text made comparable: without case, accents, ligatures or punctuation, in plain ASCII. Pure.

Invariant: what is stored and what is asked for go through the same function, in this service and never in the
database: there the result would depend on its locale. Letters that have no ASCII counterpart become a fixed group of
ASCII letters each, so that Greek or Cyrillic names are found by the same index.

A word with signs in it (O'Brien, Jean-Pierre, 1-800-FLOWERS) is stored in its pieces and without the signs, and asked
for without them; which of the many apostrophes, hyphens and blanks somebody typed does not matter.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MOST_TERMS = 8
LEAST_PHONE_DIGITS = 9
PHONE_TAIL = 8
MOST_REMEMBERED = 4096
LEAST_JOINED = 6
"""Shortest text for which words written apart are also looked for as one."""
_PHONE = re.compile(r"[+(]?[0-9][0-9 .()/+-]*")
_SIGNS = re.compile(r"[^0-9a-z]+")
_LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def fold(text: str) -> str:
    """The text in lower-case ASCII; runs of white space are one blank."""
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.replace("\u00b4", "'").casefold())
    return " ".join(plain.translate(_FOLDED).split())


def _ascii(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    if character in _OWN:
        return _OWN[character]
    category = unicodedata.category(character)
    if category == "Cf" or unicodedata.combining(character):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Pd":
        return "-"
    if category in ("Pi", "Pf", "Sk") or "\u02b9" <= character <= "\u02cf":
        return "'"
    return f"q{ord(character):x}q" if character.isalnum() else " "


_OWN = {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
_OWN |= dict.fromkeys("\u2032\u2035\ua78b\ua78c", "'") | {"\u2212": "-", "\u2043": "-", "\u00b7": "-"}
"""Latin letters that Unicode does not take apart, and signs that people use as apostrophes and hyphens."""


class _Folded(dict[int, str]):
    """`_ascii` by code point, for `str.translate`: worked out once for those that occur, as far as they are few."""

    def __missing__(self, code: int) -> str:
        found = _ascii(chr(code))
        if len(self) < MOST_REMEMBERED:
            self[code] = found
        return found


_FOLDED = _Folded()


def digits(text: str) -> str:
    """Its ASCII digits alone."""
    return re.sub(r"[^0-9]", "", text)


def joined(text: str) -> str:
    """The folded text without blanks and signs: 1Z 5R8-939 as 1z5r8939."""
    return _SIGNS.sub("", fold(text))


def terms(asked: str) -> tuple[str, ...]:
    """What must all occur in a document. A phone number, however written, is one term: its last digits, which are the
    same with the country's prefix and without. Mail addresses keep their signs. Words without a letter or digit say
    nothing."""
    folded = fold(asked)
    if _is_number(folded):
        return (digits(folded)[-PHONE_TAIL:],)
    words = [word if "@" in word else _SIGNS.sub("", word) for word in folded.split()]
    return tuple(dict.fromkeys(word for word in words if any(map(str.isalnum, word))))[:MOST_TERMS]


def whole(asked: str) -> str | None:
    """A text of several words as one, since somebody may have stored it without the blanks (tracking numbers, double
    names); None when there is nothing to join."""
    if "@" in asked or len(terms(asked)) < 2:
        return None
    text = joined(asked)
    return text if len(text) >= LEAST_JOINED else None


def _is_number(folded: str) -> bool:
    return len(digits(folded)) >= LEAST_PHONE_DIGITS and _PHONE.fullmatch(folded) is not None


def document(names: Iterable[str | None], texts: Iterable[str | None] = ()) -> str:
    """What is searched of an order. `names` are names, companies, towns, phones, mail addresses, codes and references,
    which people write with and without blanks: they are stored as one word as well. `texts` are stored by the word.

    The words are distinct, sorted, each between two blanks, so that a word's beginning can be told.
    """
    found: set[str] = set()
    for name in filter(None, names):
        folded = fold(name)
        found.add(folded if folded.isalnum() else _SIGNS.sub("", folded))
        found.update(_words(folded))
    for text in filter(None, texts):
        found.update(_words(fold(text)))
    return f" {' '.join(sorted(found - {''}))} "


def _words(folded: str) -> Iterator[str]:
    for word in folded.split():
        if word.isalnum():
            yield word
            continue
        yield _SIGNS.sub("", word)
        if "@" in word:
            yield word
        else:
            yield from _SIGNS.split(word)


def occurs(asked: str, text: str) -> bool:
    """Whether a document has what is asked: all terms anywhere, but one or two letters at a word's beginning only; or
    all of it as one word."""
    wanted = terms(asked)
    if not wanted:
        return not asked.strip()
    everything = whole(asked)
    return all(_in(term, text) for term in wanted) or (everything is not None and everything in text)


def _in(term: str, text: str) -> bool:
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
