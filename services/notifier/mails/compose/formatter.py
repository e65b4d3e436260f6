"""Amounts, rates, dates and times in the format of a reader's language: 1 234,50 € or €1,234.50.

The signs and separators come from CLDR through Babel, read once per language and currency: Babel's own
formatting costs 25 µs an amount, and a recap shows thirty. The number of decimals is the currency's in ISO
4217 (contracts.money), never fewer, since an invoice must not be rounded.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, get_decimal_symbol, get_group_symbol

from contracts.money import exponent
from contracts.timestamps import in_zone
from services.notifier.mails.texts.planning import language_of

_AROUND_NUMBER = re.compile(r"(\D*)[\d.,]*\d(\D*)")
_PERCENT_SPACE = {"fr": "\u202f"}


@dataclass(frozen=True, slots=True)
class AmountStyle:
    """Format of one currency in one language."""

    digits: int
    group: str
    point: str
    before: tuple[str, str]
    after: tuple[str, str]

    def write(self, minor: int) -> str:
        """Format `minor` in the currency's minor units, exactly."""
        sign = minor < 0
        units, rest = divmod(abs(minor), 10**self.digits)
        return self._signed(units, f"{rest:0{self.digits}}" if self.digits else "", sign=sign)

    def write_exact(self, price: str) -> str:
        """Format a price in the major unit with all its digits, and at least as many decimals as the currency
        has: 0.0123.
        """
        units, _, rest = price.partition(".")
        return self._signed(int(units), rest.rstrip("0").ljust(self.digits, "0"))

    def _signed(self, units: int, rest: str, *, sign: bool = False) -> str:
        number = f"{units:,}".replace(",", self.group)
        if rest:
            number += self.point + rest
        return self.before[sign] + number + self.after[sign]


@dataclass(frozen=True, slots=True)
class Formatter:
    """Formatter for one reader: `locale` by Babel, amounts of one currency, times in `zone`."""

    locale: Locale
    amounts: AmountStyle
    zone: ZoneInfo

    def amount(self, minor: int) -> str:
        """Format an amount in minor units, with its currency."""
        return self.amounts.write(minor)

    def price(self, exact: str) -> str:
        """Format a unit price that is finer than the minor unit, with its currency."""
        return self.amounts.write_exact(exact)

    def rate(self, millionths: int) -> str:
        """Format a rate in millionths as a percentage: 55000 is 5,5 %, 88750 is 8,875 %."""
        whole, rest = divmod(millionths, 10_000)
        number = f"{whole}.{rest:04d}".rstrip("0").rstrip(".").replace(".", self.amounts.point)
        return f"{number}{_PERCENT_SPACE.get(self.locale.language, '')}%"

    def country(self, code: str) -> str:
        """Return a country's name by its ISO 3166-1 code: FR is France."""
        return self.locale.territories.get(code, code)

    def language(self, locale: str) -> str:
        """Return a language's name by its BCP 47 tag: en-GB is anglais."""
        language = locale.partition("-")[0]
        return self.locale.languages.get(language, language)

    def day(self, day: date) -> str:
        """Format a date in full: 22 novembre 2026."""
        return _day(day, self.locale)

    def date_time(self, date_time: datetime) -> str:
        """Format a time in the shop's zone: 22 novembre 2026, 14:05."""
        local = in_zone(date_time, self.zone)
        return f"{_day(local.date(), self.locale)}, {_minute(local.hour, local.minute, self.locale)}"


@lru_cache(maxsize=1024)
def formatter(locale: str, currency: str, time_zone: str) -> Formatter:
    """Return the formatter for a BCP 47 locale. Raises contracts.money.UnknownCurrency."""
    known = _babel_locale(locale)
    return Formatter(known, _amount_style(known, currency), ZoneInfo(time_zone))


def _babel_locale(locale: str) -> Locale:
    """Return the locale with its region where Babel has it and groups by thousands; else only its language."""
    language = language_of(locale)
    region = locale.partition("-")[2] if locale.startswith(language) else ""
    try:
        exact = Locale(language, region or None)
    except UnknownLocaleError:
        return Locale(language)
    return exact if exact.currency_formats["standard"].grouping == (3, 3) else Locale(language)


def _amount_style(locale: Locale, currency: str) -> AmountStyle:
    digits = exponent(currency)
    around = [_around(Decimal(probe), locale, currency) for probe in ("1", "-1")]
    return AmountStyle(
        digits,
        get_group_symbol(locale),
        get_decimal_symbol(locale),
        (around[0][0], around[1][0]),
        (around[0][1], around[1][1]),
    )


def _around(probe: Decimal, locale: Locale, currency: str) -> tuple[str, str]:
    found = _AROUND_NUMBER.fullmatch(format_currency(probe, currency, locale=locale))
    if found is None:
        raise ValueError(f"Babel writes {probe} {currency} in {locale} in a way this module can't read")
    return found[1], found[2]


@lru_cache(maxsize=4096)
def _day(day: date, locale: Locale) -> str:
    pattern = "d'er' MMMM y" if locale.language == "fr" and day.day == 1 else "long"
    return format_date(day, pattern, locale=_locale_of_dates(locale))


@lru_cache(maxsize=4096)
def _minute(hour: int, minute: int, locale: Locale) -> str:
    time = datetime(2000, 1, 1, hour, minute).time()  # noqa: DTZ001 - a wall clock's face
    return format_time(time, "short", locale=_locale_of_dates(locale))


def _locale_of_dates(locale: Locale) -> Locale:
    """Return British English for an English of no region: days before months, as in the back office."""
    return Locale("en", "GB") if str(locale) == "en" else locale
