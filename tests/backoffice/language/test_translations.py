"""Every text of the back office has a French translation, and every translation is used."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from services.orders.backoffice.language import extracting
from services.orders.backoffice.language.formatting import day, when
from services.orders.backoffice.language.translating import (
    NARROW,
    PageLocale,
    gettext,
    language_wanted,
    ngettext,
    pgettext,
    read_french,
    using_locale,
)

ROOT = Path(extracting.__file__).parents[4]
IN_FRENCH = (
    "services/orders/backoffice/guide/content/fr/*.txt",
    "services/notifier/mails/compose/templates/fr/*",
    "services/notifier/page/words/fr.toml",
)
"""French texts outside the translations."""
MAIL = re.compile(r"(?<![\w/%{(.@-])(?:e-)?mails?(?![\w./)=-])", re.IGNORECASE)
MARKUP = re.compile(r"\{[%{].*?[%}]\}|\[\[.*?\]\]|\]\(.*?\)|^[a-z]+: .*$", re.MULTILINE)
"""Values, buttons, addresses, and a guide page's head with its search words."""
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def test_every_text_is_translated() -> None:
    assert extracting.missing() == {}, "run python -m services.orders.backoffice.language.extracting"


def test_no_translation_is_of_something_nobody_uses() -> None:
    assert extracting.unused() == {}


def test_areas_that_translate_the_same_text_agree() -> None:
    different = {
        key: entries
        for key, entries in extracting.translated().items()
        if len({strings for _, strings in entries}) > 1
    }
    assert different == {}


def test_a_mail_is_called_a_courriel_everywhere() -> None:
    translated = {
        text
        for entries in extracting.translated().values()
        for _, strings in entries
        for text in strings
        if MAIL.search(PLACEHOLDER.sub("", text))
    }
    files = [path for pattern in IN_FRENCH for path in ROOT.glob(pattern)]
    assert len(files) > 50
    written = {
        f"{path.name}: {found[0]}"
        for path in files
        for found in [MAIL.search(MARKUP.sub("", path.read_text(encoding="utf-8")))]
        if found
    }
    assert (translated, written) == (set(), set())
    assert [bool(MAIL.search(text)) for text in ("Les mails", "un e-mail", "le courriel")] == [
        True,
        True,
        False,
    ]


def test_translations_name_the_same_values() -> None:
    wrong = [
        (key, strings)
        for key, entries in extracting.translated().items()
        for _, strings in entries
        for text in strings
        if not set(PLACEHOLDER.findall(text)) <= set(PLACEHOLDER.findall(str(key[1])))
    ]
    assert wrong == []


def french_messages() -> list[Any]:
    """The entries of the French catalogue, but for its header."""
    return [message for message in read_french() if message.id]


def french_texts() -> list[str]:
    """Every translation as pages show it."""
    strings = [message.string for message in french_messages()]
    return [text for string in strings for text in ([string] if isinstance(string, str) else string)]


def test_every_translation_of_the_catalogue_is_found_by_its_text() -> None:
    with using_locale(PageLocale("fr")):
        for message in french_messages():
            if message.pluralizable:
                counted = dict.fromkeys(PLACEHOLDER.findall(str(message.id)), "")
                for count, form in ((1, message.string[0]), (5, message.string[1])):
                    singular, plural = message.id
                    fields = ngettext(singular, plural, count, **{**counted, "count": "", "num": ""})
                    assert fields == form % {**counted, "count": "", "num": ""}
            elif message.context:
                assert pgettext(message.context, message.id) == message.string.replace("%%", "%")
            else:
                assert gettext(message.id) == message.string.replace("%%", "%")


def test_what_is_missing_is_printed_as_entries_to_fill_in() -> None:
    texts: dict[extracting.Key, list[str]] = {
        ("tab", 'A "new" one'): ["orders/pages.py:3"],
        (None, ("%(count)s cup", "%(count)s cups")): ["home/pages.py:4"],
    }
    printed = extracting.as_entries(texts)
    for entry in (
        '#: orders/pages.py:3\nmsgctxt "tab"\nmsgid "A \\"new\\" one"\nmsgstr ""\n',
        'msgid "%(count)s cup"\nmsgid_plural "%(count)s cups"\nmsgstr[0] ""\nmsgstr[1] ""\n',
    ):
        assert entry in printed


def test_french_signs_stand_behind_narrow_spaces() -> None:
    texts = french_texts()
    assert [text for text in texts if re.search(r"[ \u00a0][:;?!»]|«[ \u00a0]", text)] == []
    assert any(f"{NARROW}:" in text for text in texts)


def test_french_apostrophes_are_typographic() -> None:
    texts = french_texts()
    assert [text for text in texts if "'" in text] == []


def test_zero_is_singular_in_french_and_plural_in_english() -> None:
    def orders(count: int) -> str:
        return ngettext("%(count)s order", "%(count)s orders", count)

    with using_locale(PageLocale("en")):
        assert [orders(0), orders(1), orders(1200)] == ["0 orders", "1 order", "1,200 orders"]
    with using_locale(PageLocale("fr")):
        assert [orders(0), orders(-1)] == ["0 commande", "-1 commande"]
        assert [orders(-2), orders(1200)] == ["-2 commandes", f"1{NARROW}200 commandes"]
        assert gettext("Sign in") == "Se connecter"
        assert gettext("") == ""


def test_the_browsers_first_language_that_is_ours_counts() -> None:
    assert language_wanted("de, en;q=0.8, fr;q=0.5") == "en"
    assert language_wanted("fr-CA, en") == "fr"
    assert language_wanted("en;q=0, de") == "fr"
    assert language_wanted("en;q=broken") == "fr"
    assert language_wanted(None) == "fr"


def test_the_first_of_a_month_is_an_ordinal_in_french_alone() -> None:
    first = datetime(2026, 10, 1, 12, tzinfo=UTC)
    with using_locale(PageLocale("fr", now=first)):
        assert day(date(2026, 10, 1)) == "1er octobre 2026"
        assert day(date(2026, 10, 11)) == "11 octobre 2026"
        assert "1er nov. à " in when(first + timedelta(days=31))
    with using_locale(PageLocale("en", now=first)):
        assert day(date(2026, 10, 1)) == "1 October 2026"
