"""Amounts, rates and dates as Babel writes them, and exact whatever their size."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from contracts.money import EXPONENTS, MAX_MINOR, UnknownCurrency, to_decimal
from services.notifier.mails.compose.formatter import formatter
from services.notifier.mails.compose.view_models import of_name
from services.notifier.mails.texts.planning import language_of

_AS_IN_CLDR = ("EUR", "USD", "GBP", "CHF", "JPY", "TND", "XOF")
_LOCALES = ("fr", "fr-FR", "fr-CA", "fr-CH", "en", "en-GB", "en-US", "en-IE")
minors = st.integers(-MAX_MINOR, MAX_MINOR)


@given(minors, st.sampled_from(_AS_IN_CLDR), st.sampled_from(_LOCALES))
def test_amount_is_what_babel_writes(minor: int, currency: str, locale: str) -> None:
    expected = format_currency(to_decimal(minor, currency), currency, locale=locale.replace("-", "_"))
    assert formatter(locale, currency, "UTC").amount(minor) == expected


@given(
    minors, st.sampled_from(sorted(EXPONENTS)), st.sampled_from(("fr", "en", "fr-FR", "en-IN", "de", "zh-TW"))
)
def test_every_digit_is_there_in_every_currency(minor: int, currency: str, locale: str) -> None:
    written = formatter(locale, currency, "UTC").amount(minor)
    digits = re.sub(r"\D", "", written)
    assert int(digits) == abs(minor)
    assert ("-" in written) == (minor < 0)
    assert to_decimal(abs(minor), currency) == Decimal(int(digits)).scaleb(-EXPONENTS[currency])


@pytest.mark.parametrize(("locale", "written"), [
    ("fr", "1\u202f234,50\u00a0€"), ("en", "€1,234.50"), ("de", "€1,234.50"), ("en-IN", "€1,234.50"),
])  # fmt: skip
def test_amount(locale: str, written: str) -> None:
    assert formatter(locale, "EUR", "UTC").amount(123_450) == written


@pytest.mark.parametrize(("millionths", "fr", "en"), [
    (200_000, "20\u202f%", "20%"), (55_000, "5,5\u202f%", "5.5%"), (0, "0\u202f%", "0%"),
    (21_000, "2,1\u202f%", "2.1%"), (88_750, "8,875\u202f%", "8.875%"), (1, "0,0001\u202f%", "0.0001%"),
    (1_000_000, "100\u202f%", "100%"),
])  # fmt: skip
def test_rate(millionths: int, fr: str, en: str) -> None:
    assert formatter("fr", "EUR", "UTC").rate(millionths) == fr
    assert formatter("en", "EUR", "UTC").rate(millionths) == en


@pytest.mark.parametrize(("exact", "written"), [
    ("0.0123", "€0.0123"), ("1234.5", "€1,234.50"), ("12", "€12.00"), ("0.010000", "€0.01"),
])  # fmt: skip
def test_a_unit_price_has_all_its_digits(exact: str, written: str) -> None:
    assert formatter("en", "EUR", "UTC").price(exact) == written


def test_times_are_the_shops() -> None:
    midnight = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert formatter("fr", "EUR", "Europe/Paris").date_time(midnight) == "1er janvier 2027, 00:30"
    assert formatter("en-GB", "EUR", "UTC").date_time(midnight) == "31 December 2026, 23:30"
    assert formatter("fr", "EUR", "UTC").day(date(2026, 8, 1)) == "1er août 2026"


def test_names() -> None:
    french = formatter("fr", "EUR", "UTC")
    assert (french.country("DE"), french.country("ZZZ")) == ("Allemagne", "ZZZ")
    assert (french.language("en-GB"), french.language("xx")) == ("anglais", "xx")


def test_language_without_templates_reads_english() -> None:
    assert [language_of(locale) for locale in ("fr-BE", "en-GB", "de", "pt-BR")] == ["fr", "en", "en", "en"]


def test_unknown_currency_is_an_error() -> None:
    with pytest.raises(UnknownCurrency, match="XXX"):
        formatter("fr", "XXX", "UTC")


def test_the_first_of_a_month_is_an_ordinal_in_french_alone() -> None:
    french, english = formatter("fr", "EUR", "UTC"), formatter("en", "EUR", "UTC")
    assert french.day(date(2026, 10, 1)) == "1er octobre 2026"
    assert french.day(date(2026, 10, 2)) == "2 octobre 2026"
    assert english.day(date(2026, 10, 1)) == "1 October 2026"


def test_english_dates_are_british_unless_the_locale_names_another_region() -> None:
    date_time = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    assert formatter("en", "EUR", "UTC").date_time(date_time) == "22 November 2026, 14:05"
    assert formatter("en-US", "EUR", "UTC").date_time(date_time) == "November 22, 2026, 2:05\u202fPM"


def test_a_name_behind_de_is_elided_before_a_vowel() -> None:
    assert of_name("Atelier Garance") == "d’Atelier Garance"
    assert of_name("Éditions du Port") == "d’Éditions du Port"
    assert of_name("Maison Lune") == "de Maison Lune"
    assert of_name("Hermine") == "de Hermine"
