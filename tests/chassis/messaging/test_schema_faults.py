"""The published schema is what the hub reads: other JSON types and forms are refused with a sentence of ours."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from contracts.catalogue import CATALOGUE
from contracts.derived.schema import schema_of
from contracts.message import Reason
from contracts.storefront import OrderSubmitted
from services.chassis.faults.schema_faults import reasons_of
from tests.builders.submissions import a_sale

SALE = json.loads(a_sale().model_dump_json(exclude_none=True))
SCHEMA = Draft202012Validator(
    schema_of(CATALOGUE["storefront.order.submitted.v1"]), format_checker=FormatChecker(["date-time", "uuid"])
)


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """A good submission with another value at one place."""
    sale: dict[str, Any] = json.loads(json.dumps(SALE))
    inner: Any = sale
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return sale


def faults(sale: Any) -> tuple[Reason, ...]:
    """What the hub's reading has against a submission."""
    body = json.dumps(sale).encode()
    try:
        OrderSubmitted.model_validate_json(body, strict=True)
    except ValidationError as error:
        return reasons_of(error, body)
    return ()


PRICE = ("lines", 0, "unit_price_minor")
AMOUNT = "lines[0].unit_price_minor must be a JSON integer of minor units: send "


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("15.00", '1500, not "15.00".'),
        ("15.5", '1550, not "15.5".'),
        ("15,00", '1500, not "15,00".'),
        ("-3.10", '-310, not "-3.10".'),
        ("1500", '1500, not "1500".'),
        ("1_500", '1500, not "1_500".'),
        (" 1500 ", '1500, not " 1500 ".'),
        (15.0, "1500 for 15.00 EUR, 15 if it is in minor units, not 15.0."),
        (15.5, "1550, not 15.5."),
        (True, "1500 for 15.00 EUR, not true."),
        ("fifteen", "1500 for 15.00 EUR, not a text."),
        ([1500], "1500 for 15.00 EUR, not an array."),
    ],
)
def test_an_amount_in_another_form_is_refused_with_what_to_send(value: Any, says: str) -> None:
    [reason] = faults(changed(PRICE, value))
    assert (reason.code, reason.field) == ("schema_invalid", "lines[0].unit_price_minor")
    assert reason.message == AMOUNT + says


@pytest.mark.parametrize(("currency", "minor"), [("JPY", "send 15, not"), ("TND", "send 15000, not")])
def test_the_remedy_counts_in_the_currencys_own_minor_unit(currency: str, minor: str) -> None:
    sale = {**changed(PRICE, "15.000"), "currency": currency}
    assert minor in faults(sale)[0].message


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("lines", 0, "quantity"), 0.5, "put the unit into the article"),
        (("lines", 0, "quantity"), 2.0, "send 2, not 2.0"),
        (("lines", 0, "quantity"), "1", 'send 1, not "1"'),
        (("lines", 0, "quantity"), True, "not true"),
        (("lines", 0, "vat_rate"), 8.875, "basis points"),
        (("prices_include_tax",), "no", "true or false, without quotes"),
        (("prices_include_tax",), 1, "true or false, without quotes"),
        (("submitted_at",), 1795867200, "RFC 3339"),
        (("submitted_at",), 1795867200000, "RFC 3339"),
        (("submitted_at",), "1795867200", "RFC 3339"),
        (("submitted_at",), "2026-11-28T12:00:00", "no time zone"),
        (("submitted_at",), "2026-11-31T12:00:00Z", "does not exist"),
        (("checkout_id",), "019b2f6e8c3a7d109a4e5b6c7d8e9f01", "UUID with hyphens"),
        (("checkout_id",), "{019b2f6e-8c3a-7d10-9a4e-5b6c7d8e9f01}", "UUID with hyphens"),
        (("module",), "kiosk", "must be one of 'shop'"),
        (("lines", 0, "sku"), "x" * 65, "65 characters, 64 are allowed"),
        (("lines", 0, "sku"), "x" * 60_000, "60,000 characters, 64 are allowed"),
        (("customer",), None, "a JSON object, not null"),
        (("shop",), "My Shop", "lower-case letters"),
        (("totals", "total_minor"), 2**53, "the maximum is 9007199254740991"),
    ],
)
def test_a_fault_names_its_field_and_the_remedy(path: tuple[str | int, ...], value: Any, says: str) -> None:
    [reason] = faults(changed(path, value))
    assert says in reason.message
    assert reason.field is not None
    assert reason.message.startswith(reason.field)


@pytest.mark.parametrize("value", [33612345678, {"of": "Jeanne"}, ["Jeanne Moulin", "0612345678"]])
def test_what_a_customer_wrote_is_not_repeated(value: Any) -> None:
    for path in (("customer", "phone"), ("customer", "name"), ("note",), ("shipping_address", "city")):
        [reason] = faults(changed(path, value))
        assert "Jeanne" not in reason.message
        assert not re.search(r"\d{5}", reason.message)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a JSON document but the whole."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in [(*path, key), *places(one, (*path, key))]]


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**54),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ["15.00", "1_500", "1e3", "١٢", "1795867200", "2026-11-28", "2026-11-28 12:00:00Z", "on"]
    ),
    st.sampled_from(
        ["2026-W48-6T12:00:00Z", "20261128T120000Z", "urn:uuid:019b2f6e-8c3a-7d10-9a4e-5b6c7d8e9f01"]
    ),
    st.lists(st.integers(), max_size=1),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=1),
)


@given(st.sampled_from(places(SALE)), ODD)
def test_nothing_is_read_that_the_schema_does_not_publish(path: tuple[str | int, ...], value: Any) -> None:
    sale = changed(path, value)
    found = faults(sale)
    if not found:
        SCHEMA.validate(sale)
    for reason in found:
        assert "Input should" not in reason.message
        assert "does not match the schema" not in reason.message
