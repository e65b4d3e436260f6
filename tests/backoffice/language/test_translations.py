"""Every text of the back office has its French one, and none stands there for nothing."""

import re
from datetime import UTC, date, datetime, timedelta

from services.orders.backoffice.language import extracting
from services.orders.backoffice.language.formatting import day, when
from services.orders.backoffice.language.translating import (
    CATALOGUES,
    NARROW,
    PageLocale,
    gettext,
    language_wanted,
    ngettext,
    speaking,
)

PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def test_every_text_is_translated() -> None:
    assert extracting.missing() == {}, "run python -m services.orders.backoffice.language.extracting"


def test_no_translation_is_of_something_nobody_says() -> None:
    assert extracting.unused() == {}


def test_areas_that_translate_the_same_text_agree() -> None:
    different = {
        key: entries
        for key, entries in extracting.translated().items()
        if len({strings for _, strings in entries}) > 1
    }
    assert different == {}


def test_translations_name_the_same_values() -> None:
    wrong = [
        (key, strings)
        for key, entries in extracting.translated().items()
        for _, strings in entries
        for text in strings
        if not set(PLACEHOLDER.findall(text)) <= set(PLACEHOLDER.findall(str(key[1])))
    ]
    assert wrong == []


def test_french_signs_stand_behind_narrow_spaces() -> None:
    texts = [text for forms in CATALOGUES["fr"].texts.values() for text in forms]
    assert [text for text in texts if re.search(r"[ \u00a0][:;?!»]|«[ \u00a0]", text)] == []
    assert any(f"{NARROW}:" in text for text in texts)


def test_french_apostrophes_are_typographic() -> None:
    texts = [text for forms in CATALOGUES["fr"].texts.values() for text in forms]
    assert [text for text in texts if "'" in text] == []


def test_zero_is_singular_in_french_and_plural_in_english() -> None:
    with speaking(PageLocale("en")):
        assert ngettext("%(count)s cup", "%(count)s cups", 0) == "0 cups"
        assert ngettext("%(count)s cup", "%(count)s cups", 1) == "1 cup"
        assert ngettext("%(count)s cup", "%(count)s cups", 1200) == "1,200 cups"
    with speaking(PageLocale("fr")):
        assert ngettext("%(count)s cup", "%(count)s cups", 0) == "0 cup"
        assert ngettext("%(count)s cup", "%(count)s cups", 1200) == f"1{NARROW}200 cups"
        assert gettext("Sign in") == "Se connecter"


def test_the_browsers_first_language_that_is_ours_counts() -> None:
    assert language_wanted("de, en;q=0.8, fr;q=0.5") == "en"
    assert language_wanted("fr-CA, en") == "fr"
    assert language_wanted("en;q=0, de") == "fr"
    assert language_wanted("en;q=broken") == "fr"
    assert language_wanted(None) == "fr"


def test_the_first_of_a_month_is_an_ordinal_in_french_alone() -> None:
    first = datetime(2026, 10, 1, 12, tzinfo=UTC)
    with speaking(PageLocale("fr", now=first)):
        assert day(date(2026, 10, 1)) == "1er octobre 2026"
        assert day(date(2026, 10, 11)) == "11 octobre 2026"
        assert "1er nov. à " in when(first + timedelta(days=31))
    with speaking(PageLocale("en", now=first)):
        assert day(date(2026, 10, 1)) == "1 October 2026"
