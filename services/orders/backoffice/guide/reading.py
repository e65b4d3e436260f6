"""The format of the guide's files: one task in one language.

    # Receive a cheque or a transfer
    group: money
    needs: payments.record
    pages: /payments
    see: ledger refund
    words: virement

    An introduction.

    ![The form that receives a cheque.](receive-payment)

    1. Open [the orders that wait for money](/orders?tab=to_cash).
    2. Press [[Receive the cheque]], or [[parcels column|Left to pack]] for a text with a context.
    - A remark.

`[[…]]` quotes a button or a field by its English text, the id of its translation, so that the guide shows the
page's own labels in either language, and a test finds labels that no page has any more. `%(amount)s` in one
becomes `…`. A picture has its alternative text and its name (pictures.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.orders.backoffice.language.translating import TRANSLATIONS, typeset

_INLINE = re.compile(r"\[\[(?P<label>[^\]]+)\]\]|\[(?P<text>[^\]]+)\]\((?P<href>/[^)\s]*)\)")
_STEP = re.compile(r"\d+\. ")
_FACT = re.compile(r"(group|needs|pages|see|words): ?(.*)")
_PICTURE = re.compile(r"!\[(?P<alt>[^\]]+)\]\((?P<name>[a-z0-9-]+)\)")
_VALUE = re.compile(r"%\(\w+\)s")


class GuideUnreadable(ValueError):
    """A file of the guide has an invalid line, or lacks a required one."""


class Kind(StrEnum):
    """The kind of a piece of a sentence: text, the label of a button or field, or a link."""

    WORDS = "words"
    LABEL = "label"
    LINK = "link"


@dataclass(frozen=True)
class Piece:
    """A piece of a sentence; `target`: a link's address, or the id of a label's translation."""

    kind: Kind
    text: str
    target: str = ""


Sentence = tuple[Piece, ...]


@dataclass(frozen=True)
class Picture:
    """A picture of a page, with the text for those who do not see it."""

    name: str
    alt: str


@dataclass(frozen=True)
class Task:
    """A page of the guide in one language."""

    slug: str
    title: str
    group: str
    needs: tuple[str, ...]
    pages: tuple[str, ...]
    see: tuple[str, ...]
    words: str
    intro: tuple[Sentence, ...]
    pictures: tuple[Picture, ...]
    steps: tuple[Sentence, ...]
    remarks: tuple[Sentence, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Return all sentences, in their order."""
        return self.intro + self.steps + self.remarks


def plain(sentence: Sentence) -> str:
    """Return a sentence as text."""
    return "".join(piece.text for piece in sentence)


def read_task(slug: str, text: str, language: str) -> Task:
    """Return the task that a file describes. Raises GuideUnreadable."""
    title, *lines = text.strip().splitlines()
    if not title.startswith("# "):
        raise GuideUnreadable(f"{slug}.txt ({language}): the first line is {title!r}; begin it with '# '")
    facts = dict(_facts(slug, lines))
    if not facts.get("group"):
        raise GuideUnreadable(f"{slug}.txt ({language}): no group; add a line 'group: …' below the title")
    text_lines = [line for line in lines[len(facts) :] if line.strip()]
    pictures = [found for line in text_lines if (found := _PICTURE.fullmatch(line))]
    body = [line for line in text_lines if not _PICTURE.fullmatch(line)]
    return Task(
        slug=slug,
        title=_typeset(title.removeprefix("# "), language),
        group=facts["group"],
        needs=tuple(facts.get("needs", "").split()),
        pages=tuple(facts.get("pages", "").split()),
        see=tuple(facts.get("see", "").split()),
        words=facts.get("words", ""),
        intro=tuple(_sentence(line, language) for line in body if not _STEP.match(line) and line[:2] != "- "),
        pictures=tuple(Picture(one["name"], _typeset(one["alt"], language)) for one in pictures),
        steps=tuple(_sentence(_STEP.sub("", line, count=1), language) for line in body if _STEP.match(line)),
        remarks=tuple(_sentence(line[2:], language) for line in body if line[:2] == "- "),
    )


def _facts(slug: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if not line.strip():
            return
        found = _FACT.fullmatch(line)
        if found is None:
            raise GuideUnreadable(
                f"{slug}.txt: {line!r} is none of group, needs, pages, see, words; leave a line empty before the text"
            )
        yield found[1], found[2]


def _sentence(line: str, language: str) -> Sentence:
    return tuple(_pieces(line, language))


def _pieces(line: str, language: str) -> Iterator[Piece]:
    end = 0
    for found in _INLINE.finditer(line):
        if found.start() > end:
            yield Piece(Kind.WORDS, _typeset(line[end : found.start()], language))
        if found["label"]:
            yield Piece(Kind.LABEL, _label(found["label"], language), found["label"])
        else:
            yield Piece(Kind.LINK, _typeset(found["text"], language), found["href"])
        end = found.end()
    if line[end:]:
        yield Piece(Kind.WORDS, _typeset(line[end:], language))


def label_key(label: str) -> tuple[str | None, str]:
    """Return a label's context and its English text, as the catalogues name it."""
    context, separator, text = label.rpartition("|")
    return (context if separator else None, text)


def _label(label: str, language: str) -> str:
    context, text = label_key(label)
    spoken = TRANSLATIONS[language]
    return _VALUE.sub("…", spoken.pgettext(context, text) if context else spoken.gettext(text))


def _typeset(text: str, language: str) -> str:
    return str(typeset(text)) if language == "fr" else text
