"""Formats of numbers, money and times: by Babel, in the request's language and the shop's time zone.

Each is a filter of the templates and returns text or safe HTML. A time is always a `<time>` whose exact zoned
value shows on hover, because "today at 10:30" on a page printed yesterday means another day.
"""

from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.numbers import (
    NumberPattern,
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_decimal_symbol,
)
from markupsafe import Markup, escape

from contracts.money import EXPONENTS
from contracts.orders.lifecycle import PlacedLine
from contracts.sale import ExtraLine, Shipping
from contracts.timestamps import in_zone
from services.orders.backoffice.language.translating import gettext, number, page_locale, spaced

MINUS = "\N{MINUS SIGN}"


def country(code: str | None) -> str:
    """Return a country's name by its ISO 3166-1 code; an unknown code is returned as is."""
    names = Locale.parse(page_locale().locale).territories
    return str(names.get((code or "").upper(), code or ""))


def short_number(value: int) -> str:
    """Return a number in short form, for small places: 1,2 k."""
    return spaced(format_compact_decimal(value, locale=page_locale().locale, fraction_digits=1))


def amount(amount_minor: int, currency: str) -> str:
    """Return money as text: 1 234,50 €. A negative amount has a true minus sign.

    The digits after the point are the currency's in ISO 4217, as in the ledger. CLDR has fewer for thirteen
    currencies (150.52 RSD would show as 151) and would display a different amount.
    """
    digits = EXPONENTS.get(currency, 2)
    text = format_currency(
        Decimal(amount_minor).scaleb(-digits),
        currency,
        format=_pattern(page_locale().locale, digits),
        locale=page_locale().locale,
        currency_digits=False,
    )
    return spaced(text).replace("-", MINUS)


def unit_price(line: PlacedLine, currency: str) -> Markup:
    """Return a line's unit price as HTML, with all the digits its sender gave."""
    if line.unit_price_exact is None:
        return money(line.unit_price_minor, currency)
    price = Decimal(line.unit_price_exact).normalize()
    digits = max(EXPONENTS.get(currency, 2), -int(price.as_tuple().exponent))
    pattern = _pattern(page_locale().locale, digits)
    text = format_currency(price, currency, pattern, page_locale().locale, currency_digits=False)
    return Markup('<data class="money" value="{}">{}</data>').format(line.unit_price_exact, spaced(text))


def tax_rates(part: PlacedLine | Shipping | ExtraLine, currency: str) -> str:
    """Return the taxes of a line or charge: 20 %, GST 5 % + PST 7 %, or the amount of a tax whose rate is
    unknown.
    """
    if part.taxes:
        return " + ".join(f"{tax.label or ''} {tax_rate(tax.rate_ppm)}".strip() for tax in part.taxes)
    if part.tax_minor and not part.vat_rate:
        return amount(part.tax_minor, currency)
    return tax_rate(part.vat_rate * 100)


def tax_rate(millionths: int) -> str:
    """Return a rate in millionths as per cent, with all its digits: 8,875 %."""
    rate = Decimal(millionths) / 10_000
    return f"{spaced(format_decimal(rate, locale=page_locale().locale, decimal_quantization=False))} %"


def typed_amount(amount_minor: int, currency: str) -> str:
    """Return money as typed into a form: -1234,50 or -1234.50, which `Form.amount_minor` parses back exactly."""
    text = f"{Decimal(amount_minor).scaleb(-EXPONENTS.get(currency, 2)):f}"
    return text.replace(".", get_decimal_symbol(page_locale().locale))


@cache
def _pattern(locale: str, digits: int) -> NumberPattern:
    """Return the locale's pattern for money with exactly this number of digits after the point."""
    pattern = copy(Locale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern


def money(amount_minor: int, currency: str) -> Markup:
    """Return money as HTML, in tabular figures without line breaks."""
    return Markup('<data class="money" value="{}">{}</data>').format(
        amount_minor, amount(amount_minor, currency)
    )


def when(timestamp: datetime | None, style: str = "relative") -> Markup:
    """Return a time in a readable form: today at 10:30, 3 November at 14:05, 12/03/2025.

    `style`: relative, day, time, second (the clock with its seconds), brief (for one line of a table: the
    clock today, otherwise the day).
    """
    if timestamp is None:
        return Markup("")
    how = page_locale()
    local, now = in_zone(timestamp, how.zone), how.now.astimezone(how.zone)
    shown = _shown(local, now, style)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        local.isoformat(timespec="seconds"), exact(timestamp), shown
    )


def _shown(local: datetime, now: datetime, style: str) -> str:
    if style == "second":
        return format_time(local, "HH:mm:ss", tzinfo=local.tzinfo, locale=page_locale().locale)
    if style == "brief" and local.date() != now.date():
        return _date(local, "d MMM" if local.year == now.year else "dd/MM/y")
    if style in ("time", "brief"):
        return _clock(local)
    if style == "day":
        return day(local.date())
    if page_locale().on_paper:
        return gettext("%(day)s at %(time)s", day=day(local.date()), time=_clock(local))
    return _relative(local, now)


def exact(timestamp: datetime) -> str:
    """Return day, time to the second and zone."""
    how = page_locale()
    local = in_zone(timestamp, how.zone)
    return (
        f"{day(local.date())} {local:%H:%M:%S} ({get_timezone_name(local, width='short', locale=how.locale)})"
    )


def day(one: date) -> str:
    """Return a day in long form: 3 novembre 2026."""
    return _date(one, "d MMMM y")


def month(one: date) -> str:
    """Return the month of a day: novembre 2026."""
    return _date(one, "MMMM y")


def _date(one: date, pattern: str) -> str:
    """Return a day in Babel's pattern; the first of a month is «1er» in French, which CLDR leaves out."""
    if page_locale().language == "fr" and one.day == 1 and pattern.startswith("d "):
        pattern = f"d'er'{pattern[1:]}"
    return format_date(one, pattern, locale=page_locale().locale)


def _relative(local: datetime, now: datetime) -> str:
    clock = _clock(local)
    if local.date() == now.date():
        return gettext("today at %(time)s", time=clock)
    if local.date() == now.date() - timedelta(days=1):
        return gettext("yesterday at %(time)s", time=clock)
    if local.date() == now.date() + timedelta(days=1):
        return gettext("tomorrow at %(time)s", time=clock)
    pattern = "d MMM" if local.year == now.year else "d MMM y"
    return gettext("%(day)s at %(time)s", day=_date(local, pattern), time=clock)


def _clock(local: datetime) -> str:
    return format_time(local, "HH:mm", tzinfo=local.tzinfo, locale=page_locale().locale)


def file_size(size: int) -> str:
    """Return a size of a file in bytes in readable form: 340 kB, 1.2 MB."""
    if size < 1000:
        return gettext("%(size)s B", size=number(size))
    if size < 1_000_000:
        return gettext("%(size)s kB", size=number(round(size / 1000)))
    return gettext(
        "%(size)s MB", size=spaced(format_decimal(round(size / 1_000_000, 1), locale=page_locale().locale))
    )


def lines(text: str | None) -> Markup:
    """Return a text with its line breaks, escaped."""
    return Markup("<br>").join(escape(line) for line in (text or "").splitlines())


def mail_address(address: str | None) -> Markup:
    """Return a mail address that breaks before the @ if it has to break."""
    return Markup("<wbr>@").join(escape(part) for part in (address or "").split("@"))


FILTERS = {
    "country": country,
    "number": number,
    "short_number": short_number,
    "amount": amount,
    "money": money,
    "unit_price": unit_price,
    "tax_rate": tax_rate,
    "tax_rates": tax_rates,
    "when": when,
    "day": day,
    "month": month,
    "lines": lines,
    "mail_address": mail_address,
    "file_size": file_size,
}
"""Filters that templates may use."""
