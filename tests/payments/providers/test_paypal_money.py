"""PayPal's amounts: both shapes, either sign, and the digits that each currency has at PayPal."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import money
from services.payments.providers.paypal.money import EXPONENTS, PaypalAmountUnusable, amount_of, from_minor
from services.payments.providers.stripe.money import EXPONENTS as STRIPE


def v2(value: Any, currency: Any = "EUR") -> dict[str, Any]:
    return {"amount": {"value": value, "currency_code": currency}}


def v1(value: Any, currency: Any = "EUR") -> dict[str, Any]:
    return {"amount": {"total": value, "currency": currency}}


@pytest.mark.parametrize(
    ("resource", "minor"),
    [
        (v2("10.99"), 1099),
        (v1("10.99"), 1099),
        (v1("-10.99"), 1099),
        (v2("10"), 1000),
        (v2("10.9"), 1090),
        (v2("500", "JPY"), 500),
        (v2("500", "HUF"), 50000),
        (v2("500", "TWD"), 50000),
    ],
)
def test_amounts_become_minor_units(resource: dict[str, Any], minor: int) -> None:
    assert amount_of(resource)[0] == minor


@pytest.mark.parametrize(
    "resource",
    [
        v2("10.999"),
        v2("500.00", "JPY"),
        v2("500.00", "HUF"),
        v2("1e3"),
        v2("1,000.00"),
        v2(" 1"),
        v2("NaN"),
        v2(""),
        v2(10),
        v2(None),
        v2("1.00", "KWD"),
        v2("1.00", "eur"),
        v2("1.00", None),
        v2("9" * 15),
        {"amount": "10.00"},
        {},
    ],
)
def test_amounts_that_could_be_wrong_are_refused(resource: dict[str, Any]) -> None:
    with pytest.raises(PaypalAmountUnusable):
        amount_of(resource)


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(0, 10**12))
def test_amounts_come_back_as_they_went(currency: str, coarse: int) -> None:
    minor = coarse * 10 ** (money.EXPONENTS[currency] - EXPONENTS[currency])
    assert amount_of({"amount": from_minor(minor, currency)}) == (minor, currency)


def test_an_amount_too_fine_for_paypal_is_not_sent() -> None:
    with pytest.raises(PaypalAmountUnusable):
        from_minor(50050, "HUF")


def test_where_paypal_counts_otherwise_than_iso_4217_and_stripe() -> None:
    assert {c for c, digits in EXPONENTS.items() if digits != money.EXPONENTS[c]} == {"HUF", "TWD"}
    assert {c for c, digits in EXPONENTS.items() if digits != STRIPE[c]} == {"HUF", "TWD"}
