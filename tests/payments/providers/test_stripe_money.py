"""Stripe's units beside ISO 4217's: the differences by name, and no cent lost between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import money
from services.payments.providers.stripe.money import EXPONENTS, StripeAmountUnusable, currency_of, to_minor


def test_the_differences_from_iso_4217_are_these() -> None:
    differing = {
        code: (EXPONENTS[code], money.EXPONENTS[code])
        for code in EXPONENTS
        if EXPONENTS[code] != money.EXPONENTS[code]
    }
    assert differing == {"ISK": (2, 0), "UGX": (2, 0), "MGA": (0, 2)}


def test_the_currencies_stripe_documents_nothing_about_are_these() -> None:
    assert set(money.EXPONENTS) - set(EXPONENTS) == {"CLF", "IQD", "LYD", "UYI", "UYW"}


def test_every_currency_of_stripe_is_one_of_iso_4217() -> None:
    assert set(EXPONENTS) <= set(money.EXPONENTS)


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(0, 10**10))
def test_round_trip(currency: str, major: int) -> None:
    assert to_minor(major * 10 ** EXPONENTS[currency], currency) == major * 10 ** money.EXPONENTS[currency]


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [(5000, "EUR", 5000), (500, "JPY", 500), (500, "UGX", 5), (500, "MGA", 50000), (5000, "TND", 5000)],
)
def test_amounts_by_example(amount: int, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize("amount", [-1, True, "500", 5.0, None, 2**53])
def test_an_unusable_amount_is_refused(amount: object) -> None:
    with pytest.raises(StripeAmountUnusable):
        to_minor(amount, "EUR")


def test_a_part_of_a_whole_currency_is_refused() -> None:
    with pytest.raises(StripeAmountUnusable, match="zero"):
        to_minor(501, "ISK")


@pytest.mark.parametrize("code", ["iqd", "xyz", "", None, 5, "euro", "ﬁe"])
def test_a_currency_stripe_does_not_list_is_refused(code: object) -> None:
    with pytest.raises(StripeAmountUnusable):
        currency_of(code)
