"""Which lines of an answer are ours: those fold, everything else shows. Pure, in linear time; nothing is cut.

A line is ours if, without quote marks and spaces, it is part of what was written in the thread before and has twelve
characters or more; so it does not matter how the sender's program wrapped it. A shorter line is ours where, together
with the line of ours next to it, it is part of that text; empty lines fold between lines of ours. A line that
introduces a quotation folds only when the line after it folds, and so nobody's own words do: «Le livreur a écrit :» is
a sentence like any other. All segments together are the text, character by character.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

SHOWN, FOLDED, QUOTE = "shown", "folded", "quote"
LEAST = 12
BESIDE = 64
"""Characters of a line of ours with which a short line beside it is compared."""
MOST_LINES = 20_000
"""What is below it is shown."""
MOST_EARLIER = 256 * 1024
"""Characters of the earlier text that are compared."""
MOST_WORK = 64 * 1024 * 1024
"""Characters compared for one mail; what is not compared shows."""
SIGNATURE_LINES = 8
HEADER_LINES = 8
_MARKS = re.compile(r"^[ \t]*(?:[>|][ \t]?)+")
_SPACES = re.compile(r"[\s\u00a0\u200b\u200c\u200d\ufeff]+")
_ATTRIBUTION_END = re.compile(
    r"(?:a écrit|a ecrit|wrote|écrivit|schrieb|escribió|ha scritto|schreef)\s*:?\s*$|"
    r"^[-_\s]*(?:original message|message d['’]origine|message original|ursprüngliche nachricht)[-_\s]*$|"
    r"^_{10,}$",
    re.IGNORECASE,
)
_ATTRIBUTION_START = re.compile(r"^\s*(?:le\s|on\s|am\s|el\s|il\s|op\s|de\s)", re.IGNORECASE)
_HEADER = re.compile(
    r"^\**\s*(?:de|from|von|envoyé|sent|gesendet|date|à|a|to|an|cc|objet|subject|betreff)\s*\**\s*:",
    re.IGNORECASE,
)


class Earlier:
    """What was written in a thread before: messages of both sides, and our mails."""

    def __init__(self, texts: Iterable[str]) -> None:
        bare = ("".join(map(_bare, text[:MOST_EARLIER].split("\n"))) for text in texts)
        self._whole = "\n".join(bare)[:MOST_EARLIER]
        self._starts = {self._whole[at : at + LEAST] for at in range(max(0, len(self._whole) - LEAST + 1))}
        self._work = 0
        self._found: dict[str, bool] = {}

    def contains(self, bare: str) -> bool:
        """Return whether a line without marks and spaces, of twelve characters or more, is part of the text."""
        if len(bare) < LEAST or bare[:LEAST] not in self._starts:
            return False
        if bare not in self._found:
            self._work += len(self._whole)
            if self._work > MOST_WORK:
                return False
            self._found[bare] = bare in self._whole
        return self._found[bare]


def fold(text: str, earlier: Earlier) -> list[dict[str, str]]:
    """Return the text in segments: shown, folded and quote. Joined they are the text; nothing left to show is shown."""
    lines = text.split("\n", MOST_LINES)
    bare = [_bare(line) for line in lines]
    folds = [earlier.contains(one) for one in bare]
    _fold_beside(bare, folds, earlier)
    _fold_introductions(lines, bare, folds)
    _fold_signature(lines, bare, folds)
    is_quote = [_MARKS.match(line) is not None for line in lines]
    if not any(one and not folded for one, folded in zip(bare, folds, strict=True)):
        folds = [False] * len(lines)
    kinds = [
        FOLDED if folded else QUOTE if quoted else SHOWN
        for folded, quoted in zip(folds, is_quote, strict=True)
    ]
    return list(_segments(lines, _without_gaps(bare, kinds)))


def _bare(line: str) -> str:
    return _SPACES.sub("", _MARKS.sub("", line))


def _fold_beside(bare: list[str], folds: list[bool], earlier: Earlier) -> None:
    """Fold short lines that are ours together with the line of ours next to them, and empty lines between these."""
    written = [at for at, one in enumerate(bare) if one]
    for before, at in pairwise(written):
        if folds[before] and not folds[at]:
            folds[at] = _is_short(bare[at]) and earlier.contains(bare[before][-BESIDE:] + bare[at])
    for at, after in reversed(list(pairwise(written))):
        if folds[after] and not folds[at]:
            folds[at] = _is_short(bare[at]) and earlier.contains(bare[at] + bare[after][:BESIDE])
    for before, after in pairwise(written):
        if folds[before] and folds[after]:
            folds[before + 1 : after] = [True] * (after - before - 1)


def _is_short(bare: str) -> bool:
    return len(bare) < LEAST


def _fold_introductions(lines: list[str], bare: list[str], folds: list[bool]) -> None:
    """Fold the lines that introduce a quotation, from below upwards: «Le … a écrit :», «De : … Objet : …»."""
    for at in range(len(lines) - 1, 0, -1):
        if not folds[at] or (folds[at - 1] and bare[at - 1]):
            continue
        end = at - 1
        while end >= 0 and not bare[end] and not folds[end]:
            end -= 1
        begin = _introduction(lines, bare, folds, end) if end >= 0 else None
        if begin is not None:
            for one in range(begin, at):
                folds[one] = True


def _introduction(lines: list[str], bare: list[str], folds: list[bool], end: int) -> int | None:
    """Return where the introduction that ends at this line begins; None when it is none. One may be wrapped."""
    plain = [_MARKS.sub("", lines[at]).strip() for at in range(max(0, end - HEADER_LINES), end + 1)]
    first = end - len(plain) + 1
    if _HEADER.match(plain[-1]):
        begin = len(plain) - 1
        while begin > 0 and _HEADER.match(plain[begin - 1]):
            begin -= 1
        while begin > 0 and (not plain[begin - 1] or _ATTRIBUTION_END.search(plain[begin - 1])):
            begin -= 1
        is_header = sum(1 for line in plain[begin:] if _HEADER.match(line)) >= 2
        return first + begin if is_header else None
    if not _ATTRIBUTION_END.search(plain[-1]):
        return None
    for wrapped in range(min(3, len(plain))):
        begin = len(plain) - 1 - wrapped
        if not plain[begin]:
            return None
        if _ATTRIBUTION_START.match(plain[begin]) or plain[begin].startswith(("-", "_")):
            return first + begin
    return end if _ATTRIBUTION_END.search(plain[-1]) and "@" in plain[-1] else None


def _fold_signature(lines: list[str], bare: list[str], folds: list[bool]) -> None:
    """Fold a signature below `-- ` (RFC 3676, 4.3) at the end of the text, or above what folds already."""
    for at, line in enumerate(lines):
        if line != "-- " or folds[at]:
            continue
        end = at + 1
        while end < len(lines) and not folds[end] and not _MARKS.match(lines[end]):
            end += 1
        words = [one for one in range(at + 1, end) if bare[one]]
        if (
            words
            and len(words) <= SIGNATURE_LINES
            and all(folds[one] or not bare[one] for one in range(end, len(lines)))
        ):
            for one in range(at, end):
                folds[one] = True
        return


def _without_gaps(bare: list[str], kinds: list[str]) -> list[str]:
    """Return the kinds with empty lines counted to what they stand beside, so that there are few segments."""
    merged = list(kinds)
    for at in range(1, len(kinds)):
        if not bare[at] and kinds[at] == SHOWN:
            merged[at] = merged[at - 1]
    return merged


def _segments(lines: list[str], kinds: list[str]) -> Iterator[dict[str, str]]:
    begin = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or kinds[at] != kinds[begin]:
            text = "\n".join(lines[begin:at]) + ("\n" if at < len(lines) else "")
            if text:
                yield {"kind": kinds[begin], "text": text}
            begin = at
