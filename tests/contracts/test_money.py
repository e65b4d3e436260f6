"""Minor units: the exponents are ISO 4217's, conversion is exact both ways and nothing is ever rounded."""

from decimal import Decimal, localcontext

import pytest
from babel.core import get_global
from babel.numbers import get_territory_currencies
from hypothesis import given
from hypothesis import strategies as st

from contracts.money import (
    EXPONENTS,
    MAX_MINOR,
    AmountOutOfRange,
    AmountTooPrecise,
    AmountUnreadable,
    UnknownCurrency,
    exponent,
    from_decimal,
    is_known,
    to_decimal,
)

CURRENCIES = st.sampled_from(sorted(EXPONENTS))
MINOR = st.integers(-MAX_MINOR, MAX_MINOR)

CLDR_SHOWS_NO_DIGITS = frozenset(
    {"AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"}
)
"""Where CLDR gives the digits people write today, and ISO 4217 the minor unit that the currency still has."""


def cldr_digits(currency: str) -> int:
    fractions = get_global("currency_fractions")
    return int(fractions.get(currency, fractions["DEFAULT"])[0])


def test_every_legal_tender_of_the_world_is_known() -> None:
    territories = get_global("territory_currencies")
    tender = {currency for territory in territories for currency in get_territory_currencies(territory)}
    assert tender - set(EXPONENTS) == {"BGN"}, "Bulgaria pays in EUR since 2026; CLDR may still list the lev"
    assert len(EXPONENTS) == 165


def test_exponents_are_those_of_the_unicode_cldr_but_for_the_currencies_it_shows_without_digits() -> None:
    differing = {currency for currency in EXPONENTS if exponent(currency) != cldr_digits(currency)}
    assert differing == CLDR_SHOWS_NO_DIGITS
    assert {exponent(currency) for currency in differing - {"IQD"}} == {2}
    assert exponent("IQD") == 3


@pytest.mark.parametrize("code", ["eur", "EU", "EURO", "", "XAU", "XDR", "XTS", "XXX", "HRK", "ZWL", "€"])
def test_what_is_no_active_currency_is_unknown_and_the_error_states_what_to_send(code: str) -> None:
    assert not is_known(code)
    for convert in (exponent, lambda c: from_decimal("1", c), lambda c: to_decimal(1, c)):
        with pytest.raises(UnknownCurrency, match="three capital letters"):
            convert(code)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.30", "EUR", 1230),
        ("12.3", "EUR", 1230),
        ("12.3000", "EUR", 1230),
        ("-0.01", "EUR", -1),
        ("-0.00", "EUR", 0),
        ("1500", "JPY", 1500),
        ("1500.00", "JPY", 1500),
        ("1.234", "TND", 1234),
        ("0.0001", "CLF", 1),
        ("90071992547409.91", "EUR", MAX_MINOR),
        ("0000000000000000000000000012", "EUR", 1200),
    ],
)
def test_amounts_in_minor_units(text: str, currency: str, minor: int) -> None:
    assert from_decimal(text, currency) == minor
    assert from_decimal(Decimal(text), currency) == minor


def test_large_and_small_powers_of_ten_are_exact_or_refused_at_once() -> None:
    assert from_decimal(Decimal("1E+3"), "EUR") == 100_000
    assert from_decimal(Decimal("0E+999999999999999999"), "EUR") == 0
    with pytest.raises(AmountOutOfRange):
        from_decimal(Decimal("1E+999999999999999999"), "EUR")
    with pytest.raises(AmountTooPrecise):
        from_decimal(Decimal("1E-999999999999999999"), "EUR")


@pytest.mark.parametrize(("text", "currency"), [("0.001", "EUR"), ("1.5", "JPY"), ("1.0005", "TND")])
def test_a_digit_the_currency_cannot_hold_is_refused(text: str, currency: str) -> None:
    with pytest.raises(AmountTooPrecise, match="nothing is rounded here"):
        from_decimal(text, currency)


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1,5", "1_000", "1e3", "+1", "NaN", "Infinity", "٣", ".5", "5.", "1\n"]
)
def test_only_plain_decimal_text_is_read(text: str) -> None:
    with pytest.raises(AmountUnreadable, match="digits with a point"):
        from_decimal(text, "EUR")


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_decimal_that_is_not_a_number_is_refused(value: str) -> None:
    with pytest.raises(AmountUnreadable):
        from_decimal(Decimal(value), "EUR")


def test_floats_and_booleans_are_refused() -> None:
    with pytest.raises(TypeError, match="floats lose cents"):
        from_decimal(0.1, "EUR")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="int"):
        to_decimal(1.0, "EUR")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="int"):
        to_decimal(True, "EUR")


@pytest.mark.parametrize("minor", [MAX_MINOR + 1, -MAX_MINOR - 1])
def test_more_than_the_wire_carries_is_refused(minor: int) -> None:
    with pytest.raises(AmountOutOfRange):
        to_decimal(minor, "EUR")
    with pytest.raises(AmountOutOfRange):
        from_decimal(Decimal(minor), "JPY")


@given(MINOR, CURRENCIES)
def test_there_and_back_is_the_same_amount(minor: int, currency: str) -> None:
    with localcontext() as context:
        context.prec = 3
        amount = to_decimal(minor, currency)
        assert from_decimal(amount, currency) == minor
        assert from_decimal(str(amount), currency) == minor
    assert -int(amount.as_tuple().exponent) == exponent(currency)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**13), max_value=10**13), CURRENCIES)
def test_a_decimal_converts_exactly_or_not_at_all(amount: Decimal, currency: str) -> None:
    with localcontext() as context:
        context.prec = 400
        exact = amount.scaleb(exponent(currency))
        try:
            minor = from_decimal(amount, currency)
        except AmountTooPrecise:
            assert exact != exact.to_integral_value()
        except AmountOutOfRange:
            assert abs(exact) > MAX_MINOR
        else:
            assert exact == minor
