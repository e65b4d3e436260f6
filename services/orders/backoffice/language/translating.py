"""The two languages: English texts are the message ids, French ones are in `locale/fr/<area>.po`.

The catalogues are read at start, all areas as one, and compiled in memory. A text may occur in several areas as
long as its translation is the same. French typography is applied here, so that translators type plain spaces:
narrow no-break spaces before `: ; ? !` and inside « ». The language depends on the request (`using_locale`), so
that templates, filters and errors all use the same one.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

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


def read_french(folder: Path = FOLDER) -> Catalog:
    """Read all areas of `locale/fr`, with French typography. Raises TranslationsDisagree."""
    whole = Catalog(locale="fr")
    for path in sorted((folder / "fr").glob("*.po")):
        with path.open("rb") as file:
            area = read_po(file, locale="fr")
        for message in area:
            if not message.id or not message.string:
                continue
            text, known = typeset(message.string), whole.get(message.id, message.context)
            if known is not None and known.string != text:
                raise TranslationsDisagree(
                    f"{path.name}: {message.id!r} is {text!r} here, {known.string!r} elsewhere"
                )
            whole.add(message.id, text, context=message.context)
    return whole


def compiled(catalogue: Catalog) -> Translations:
    """Return a catalogue's translations, ready to be looked up."""
    file = BytesIO()
    write_mo(file, catalogue)
    file.seek(0)
    return Translations(file)


def typeset(text: Any) -> Any:
    """Return a translation, or the forms of a plural, with French spaces."""
    if not isinstance(text, str):
        return tuple(map(typeset, text))
    return _AFTER.sub(NARROW, _BEFORE.sub(NARROW, text))


TRANSLATIONS: dict[str, NullTranslations] = {"fr": compiled(read_french()), "en": NullTranslations()}


_PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class PageLocale:
    """The locale of one request: language, the shop's time zone, and the current time."""

    language: str = DEFAULT_LANGUAGE
    zone: tzinfo = _PARIS
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    on_paper: bool = False
    """Whether it is rendered for paper, where "today" is meaningless."""
    people: Mapping[str, str] = field(default_factory=dict)
    """Names of the shop's staff by login."""
    form_mark: str = ""
    """The user's mark in the keys of the forms they are shown."""
    kept_form: tuple[str, str] = ("", "")
    """Path and key of a form that was sent after its session had ended, where its page shows it again."""

    @property
    def locale(self) -> str:
        """Return Babel's locale: British English for English, with days before months as in France."""
        return "fr" if self.language == "fr" else "en_GB"


_locale: ContextVar[PageLocale] = ContextVar("page_locale")


def page_locale() -> PageLocale:
    """Return the locale of the current request."""
    return _locale.get(None) or PageLocale()


@contextmanager
def using_locale(how: PageLocale) -> Iterator[None]:
    """Set the locale inside the block."""
    token = _locale.set(how)
    try:
        yield
    finally:
        _locale.reset(token)


def number(value: int | float | Decimal) -> str:
    """Format a number: 1 234 or 1,234."""
    return spaced(format_decimal(value, locale=page_locale().locale))


def spaced(text: str) -> str:
    """Replace the spaces of a French number with narrow no-break ones, also before the currency symbol."""
    return text.replace("\N{NO-BREAK SPACE}", NARROW)


def gettext(text: str, /, **values: Any) -> str:
    """Return a text in the request's language; its `%(name)s` placeholders are filled in."""
    return _filled_in(_translations().gettext(text) if text else "", values)


def ngettext(text: str, plural: str, count: int, /, **values: Any) -> str:
    """Return a text that depends on a number, which it may name as `%(count)s`."""
    found = _translations().ngettext(text, plural, abs(count))
    return found % {"count": number(count), "num": number(count), **values}


def pgettext(context: str, text: str, /, **values: Any) -> str:
    """Return a text whose translation depends on its context."""
    return _filled_in(_translations().pgettext(context, text), values)


def _translations() -> NullTranslations:
    return TRANSLATIONS[page_locale().language]


def _filled_in(text: str, values: Mapping[str, Any]) -> str:
    return text % values if values else text.replace("%%", "%")


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
