"""The two languages: English texts are the message ids, French ones are in `locale/fr/<area>.po`.

The catalogues are read at start, all areas as one; nothing is compiled. A text may occur in several areas as
long as its translation is the same. French typography is applied here, so that translators type plain spaces:
narrow no-break spaces before `: ; ? !` and inside « ». The language depends on the request (`speaking`), so
that templates, filters and errors all agree.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po
from babel.numbers import format_decimal

FOLDER = Path(__file__).parent / "locale"
LANGUAGES = ("fr", "en")
DEFAULT_LANGUAGE = "fr"
NARROW = "\N{NARROW NO-BREAK SPACE}"
_BEFORE = re.compile(r"[ \u00a0](?=[:;?!»])")
_AFTER = re.compile(r"(?<=«)[ \u00a0]")


class TranslationsDisagree(ValueError):
    """Two areas translate one text differently: give one of them a context (`pgettext`), or make them the
    same.
    """


@dataclass(frozen=True)
class Catalogue:
    """The texts of one language: by context and id; a plural has one text per form."""

    texts: Mapping[tuple[str | None, str], tuple[str, ...]] = field(default_factory=dict)
    is_french: bool = False

    def find(self, context: str | None, text: str, plural: str | None, count: int) -> str:
        """Return the translation, or the English text itself."""
        forms = self.texts.get((context, text))
        is_one = count in (0, 1, -1) if self.is_french else count == 1
        if not forms:
            return text if plural is None or is_one else plural
        return forms[0] if is_one or len(forms) == 1 else forms[1]


def read_french(folder: Path = FOLDER) -> Catalogue:
    """Read all areas of `locale/fr`. Raises TranslationsDisagree."""
    texts: dict[tuple[str | None, str], tuple[str, ...]] = {}
    for path in sorted((folder / "fr").glob("*.po")):
        with path.open("rb") as file:
            area = read_po(file, locale="fr")
        for message in area:
            if not message.id or not message.string:
                continue
            ids, strings = _tuple(message.id), tuple(_typeset(one) for one in _tuple(message.string))
            key = (message.context, ids[0])
            if texts.setdefault(key, strings) != strings:
                raise TranslationsDisagree(
                    f"{path.name}: {ids[0]!r} is {strings} here, {texts[key]} elsewhere"
                )
    return Catalogue(texts, is_french=True)


def _tuple(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _typeset(text: str) -> str:
    return _AFTER.sub(NARROW, _BEFORE.sub(NARROW, text))


CATALOGUES = {"fr": read_french(), "en": Catalogue()}


_PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class PageLocale:
    """The locale of one request: language, the shop's time zone, and the current time."""

    language: str = DEFAULT_LANGUAGE
    zone: tzinfo = _PARIS
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    on_paper: bool = False
    """Whether it is written for paper, where "today" says nothing."""
    people: Mapping[str, str] = field(default_factory=dict)
    """Names of the shop's staff by login."""

    @property
    def locale(self) -> str:
        """Return Babel's locale: British English for English, with days before months as in France."""
        return "fr" if self.language == "fr" else "en_GB"


_speech: ContextVar[PageLocale] = ContextVar("speech")


def speech() -> PageLocale:
    """Return the locale of the current request."""
    return _speech.get(None) or PageLocale()


@contextmanager
def speaking(how: PageLocale) -> Iterator[None]:
    """Set the locale inside the block."""
    token = _speech.set(how)
    try:
        yield
    finally:
        _speech.reset(token)


def number(value: int | float | Decimal) -> str:
    """Format a number: 1 234 or 1,234."""
    return spaced(format_decimal(value, locale=speech().locale))


def spaced(text: str) -> str:
    """Replace the spaces of a French number with narrow no-break ones, also before the currency symbol."""
    return text.replace("\N{NO-BREAK SPACE}", NARROW)


def gettext(text: str, /, **values: Any) -> str:
    """Return a text in the request's language; its `%(name)s` placeholders are filled in."""
    return pgettext(None, text, **values)


def ngettext(text: str, plural: str, count: int, /, **values: Any) -> str:
    """Return a text that depends on a number, which it may name as `%(count)s`."""
    found = CATALOGUES[speech().language].find(None, text, plural, count)
    return found % {"count": number(count), "num": number(count), **values}


def pgettext(context: str | None, text: str, /, **values: Any) -> str:
    """Return a text whose translation depends on its context."""
    found = CATALOGUES[speech().language].find(context, text, None, 1)
    return found % values if values else found.replace("%%", "%")


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a text that is translated later, where it is shown (`gettext(LABEL)`)."""
    return text


def language_wanted(accepted: str | None) -> str:
    """Return the first of our languages in a browser's `Accept-Language`; French when there is none."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate((accepted or "").split(",")[:20]):
        name, _, quality = part.strip().partition(";")
        weight = _weight(quality)
        if weight > 0 and name[:2].lower() in LANGUAGES:
            weighed.append((-weight, place, name[:2].lower()))
    return min(weighed)[2] if weighed else DEFAULT_LANGUAGE


def _weight(quality: str) -> float:
    try:
        return float(quality.strip().removeprefix("q=") or 1)
    except ValueError:
        return 0.0
