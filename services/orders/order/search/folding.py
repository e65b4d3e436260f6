"""Text folding for comparison: without case, accents, ligatures or punctuation, in plain ASCII. Pure.

Invariant: stored text and search text pass through the same function, in this service and never in the
database, where the result would depend on its locale. Letters without an ASCII counterpart become a fixed
group of ASCII letters each, so that Greek or Cyrillic names are found by the same index.

A word with signs in it (O'Brien, Jean-Pierre, 1-800-FLOWERS) is stored both in pieces and without the signs,
and is searched without them; the choice among the many apostrophes, hyphens and spaces does not matter.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MOST_TERMS = 8
LEAST_PHONE_DIGITS = 9
PHONE_TAIL = 8
MOST_REMEMBERED = 4096
LEAST_JOINED = 6
"""Minimum length of a text whose separately written words are also searched as one word."""
_PHONE = re.compile(r"[+(]?[0-9][0-9 .()/+-]*")
_SIGNS = re.compile(r"[^0-9a-z]+")
_LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def fold(text: str) -> str:
    """Return the text in lower-case ASCII, each run of white space replaced by one space."""
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    # Lower-cased twice: mathematical capitals (U+1D50D) have no lower case before they are decomposed.
    plain = unicodedata.normalize("NFKD", text.replace("\u00b4", "'").casefold()).casefold()
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
"""Latin letters that Unicode does not decompose, and signs used as apostrophes and hyphens."""


class _Folded(dict[int, str]):
    """Cache of `_ascii` by code point, for `str.translate`; its size is limited."""

    def __missing__(self, code: int) -> str:
        found = _ascii(chr(code))
        if len(self) < MOST_REMEMBERED:
            self[code] = found
        return found


_FOLDED = _Folded()


def digits(text: str) -> str:
    """Return only the ASCII digits of the text."""
    return re.sub(r"[^0-9]", "", text)


def joined(text: str) -> str:
    """Return the folded text without spaces and signs: 1Z 5R8-939 as 1z5r8939."""
    return _SIGNS.sub("", fold(text))


def terms(query: str) -> tuple[str, ...]:
    """Return the terms that must all occur in a document.

    A phone number, in any notation, is one term: its last digits, which are the same with and without the
    country prefix. Mail addresses keep their signs. Words without a letter or digit are ignored.
    """
    folded = fold(query)
    if _is_number(folded):
        return (digits(folded)[-PHONE_TAIL:],)
    words = [word if "@" in word else _SIGNS.sub("", word) for word in folded.split()]
    return tuple(dict.fromkeys(word for word in words if any(map(str.isalnum, word))))[:MOST_TERMS]


def whole(query: str) -> str | None:
    """Return a text of several words as one word, since it may be stored without the spaces (tracking
    numbers, double names); None when there is nothing to join.
    """
    if "@" in query or len(terms(query)) < 2:
        return None
    text = joined(query)
    return text if len(text) >= LEAST_JOINED else None


def _is_number(folded: str) -> bool:
    return len(digits(folded)) >= LEAST_PHONE_DIGITS and _PHONE.fullmatch(folded) is not None


def document(names: Iterable[str | None], texts: Iterable[str | None] = ()) -> str:
    """Return the searchable text of an order.

    `names` are names, companies, towns, phones, mail addresses, codes and references, which people write with
    and without spaces: they are also stored as one word. `texts` are stored word by word. The words are
    distinct, sorted, each between two spaces, so that a prefix match can find a word's beginning.
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


def occurs(query: str, text: str) -> bool:
    """Return whether a document matches the search: all terms anywhere, but terms of one or two letters at a
    word's beginning only; or the whole search as one word.
    """
    wanted = terms(query)
    if not wanted:
        return not query.strip()
    everything = whole(query)
    return all(_in(term, text) for term in wanted) or (everything is not None and everything in text)


def _in(term: str, text: str) -> bool:
    return (f" {term}" if len(term) < 3 else term) in text


def landmark(term: str) -> str:
    """Return the most selective part of a term: for a mail address the part before the @.

    The rest, common to all customers of a provider, would only make the index read long lists.
    """
    local, at, _ = term.partition("@")
    return local + at if at and len(local) >= 3 else term


def pattern(term: str) -> str:
    """Return `occurs` as a LIKE pattern. Short terms match at a word's beginning: the index is on trigrams."""
    escaped = term.translate(_LIKE)
    return f"% {escaped}%" if len(term) < 3 else f"%{escaped}%"
