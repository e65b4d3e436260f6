"""Which characters the invoices' fonts can show, and texts in which the others are replaced. Pure.

Invariant: a mention is refused, and a document printed, by the same set of characters: that of
`printable_signs.txt`. The file is made from the fonts inside the pinned Typst (`python -m
services.payments.invoices.rendering.fonts`); the fonts of the machine never count.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from services.chassis.texts import is_unwanted

SIGNS = Path(__file__).with_name("printable_signs.txt")
EVERY_FONT, MAIN_FONT = "any", "main"
"""The sections of the file: signs of any font, and those of the main font both regular and bold."""
SUBSTITUTE = "\ufffd"
"""What is printed for a character that no font has; the main font has it."""
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_JOINER, _NEWLINE, _TAB = "\u200d", "\n", "\t"
_SHAPING = re.compile("[\u034f\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]")
"""Characters that show nothing by themselves and shape those beside them; no font needs to have them."""
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]")
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")


def printable(text: str) -> str:
    """Return a text as documents print it: composed (NFC), with one substitute for each cluster that no font has."""
    signs = _signs()[MAIN_FONT]
    if unicodedata.is_normalized("NFC", text) and all(ord(sign) in signs for sign in text):
        return text
    return "".join(_shown(cluster) for cluster in clusters(text))


def plainly_printable(text: str) -> str:
    """Return a text with single signs of the main font only, which nothing can keep from being printed."""
    shown = (_shown(cluster) for cluster in clusters(text))
    return "".join(one if _is_plain(one) else SUBSTITUTE for one in shown if one)


def first_unprintable(text: str) -> str | None:
    """Return the first cluster of a text that no font can show; None if all can be."""
    return next((cluster for cluster in clusters(text) if _shown(cluster) == SUBSTITUTE != cluster), None)


def clusters(text: str) -> Iterator[str]:
    """Yield what a reader takes for one character: a sign with its marks, an emoji with all that is joined to it, a
    flag, a Korean syllable. By the rules of UAX 29 as far as they decide what is replaced."""
    cluster = ""
    for sign in unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text)):
        if cluster and not _continues(cluster, sign):
            yield cluster
            cluster = ""
        cluster += sign
    if cluster:
        yield cluster


def _continues(cluster: str, sign: str) -> bool:
    last = cluster[-1]
    if last in (_NEWLINE, _TAB) or sign in (_NEWLINE, _TAB):
        return False
    if last == _JOINER or _SHAPING.match(sign) or _SKIN_TONE.match(sign):
        return True
    if _REGIONAL.match(sign):
        return len(cluster) == 1 and _REGIONAL.match(last) is not None
    return unicodedata.category(sign) in ("Mn", "Mc", "Me") or bool(_JAMO.match(sign) and _JAMO.match(last))


def _shown(cluster: str) -> str:
    """Return a cluster as it is printed: itself, a space for a space that no font has, nothing for what can't be seen,
    or the substitute."""
    seen = _SHAPING.sub("", cluster)
    if not seen:
        return ""
    if len(seen) > 1:
        return cluster if all(_is_in(MAIN_FONT, sign) for sign in seen) else SUBSTITUTE
    if seen in (_NEWLINE, _TAB) or _is_in(EVERY_FONT, seen):
        return cluster
    if unicodedata.category(seen) == "Zs":
        return " "
    return "" if is_unwanted(seen) and unicodedata.category(seen) not in ("Co", "Cn", "Cs") else SUBSTITUTE


def _is_plain(shown: str) -> bool:
    return shown in (_NEWLINE, _TAB) or (len(shown) == 1 and _is_in(MAIN_FONT, shown))


def _is_in(section: str, sign: str) -> bool:
    return ord(sign) in _signs()[section]


@cache
def _signs() -> dict[str, frozenset[int]]:
    """Return the signs by section, read once per process when a text is first looked at."""
    found: dict[str, set[int]] = {}
    for line in SIGNS.read_text("ascii").splitlines():
        section, *ranges = line.split()
        for first, _, last in (one.partition("-") for one in ranges):
            found.setdefault(section, set()).update(range(int(first, 16), int(last or first, 16) + 1))
    return {section: frozenset(signs) for section, signs in found.items()}
