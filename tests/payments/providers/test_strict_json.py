"""Strangers' JSON: one meaning or none, and no exception but ours."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.providers.strict_json import MAX_DEPTH, JsonRefused, read_object


def test_numbers_with_a_point_are_decimals() -> None:
    assert read_object(b'{"a": 1.10, "b": 2}') == {"a": Decimal("1.10"), "b": 2}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "a": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'\xff{"a": 1}',
        b'{"a": 1} {"b": 2}',
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b"[" * 500_000,
    ],
)
def test_refused(body: bytes) -> None:
    with pytest.raises(JsonRefused):
        read_object(body)


def test_the_deepest_that_is_read() -> None:
    deepest = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert read_object(deepest)
    with pytest.raises(JsonRefused, match="deep"):
        read_object(b'{"a":' + deepest + b"}")


@given(st.binary(max_size=200))
def test_no_other_exception(body: bytes) -> None:
    with contextlib.suppress(JsonRefused):
        read_object(body)
