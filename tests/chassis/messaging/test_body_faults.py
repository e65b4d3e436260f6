"""A body that is not JSON is refused with a sentence that says what it is and what to send; no parser speaks."""

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.message import Reason
from contracts.storefront import OrderSubmitted
from services.chassis.faults.schema_faults import reasons_of
from tests.builders.submissions import a_sale

SALE = a_sale().model_dump_json(exclude_none=True)
BEGINNING = "the body is not JSON text in UTF-8: "
OTHERS = (
    "EOF",
    "expected value",
    "expected ident",
    "column",
    "Invalid JSON",
    "code point",
    "recursion",
    "trailing",
)
"""Words of parsers."""


def faults(body: bytes) -> tuple[Reason, ...]:
    """What the hub's reading has against a body."""
    with pytest.raises(ValidationError) as caught:
        OrderSubmitted.model_validate_json(body, strict=True)
    return reasons_of(caught.value, body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "it is empty: send the message as a JSON object."),
        (b"\n \n", "it is empty: send the message as a JSON object."),
        (
            SALE.encode("utf-8-sig"),
            "it begins with a byte order mark (BOM): remove these three bytes.",
        ),
        (gzip.compress(SALE.encode()), "it is compressed with gzip: send it uncompressed."),
        (zlib.compress(SALE.encode()), "it is compressed with zlib (deflate): send it uncompressed."),
        (SALE.encode("utf-16"), "it is in UTF-16: encode it in UTF-8."),
        (b"\xfe\xff" + SALE.encode("utf-16-be"), "it is in UTF-16: encode it in UTF-8."),
        (SALE.encode("utf-16-le"), "it is in UTF-16 or UTF-32: encode it in UTF-8."),
        (SALE.encode("utf-16-be"), "it is in UTF-16 or UTF-32: encode it in UTF-8."),
        (SALE.encode("utf-32"), "it is in UTF-32: encode it in UTF-8."),
        (
            '{"a": "é"}'.encode("latin-1"),
            "byte 8 is not UTF-8 (Latin-1 or Windows-1252?): encode it in UTF-8.",
        ),
        (b'{"a": 1', "at line 1, byte 7, it ends before its JSON does: send all of it."),
        (
            b'{"a": 1} {}',
            "at line 1, byte 10, there is more after its JSON: send a single JSON object.",
        ),
        (b"{'a': 1}", "at line 1, byte 2, the name of a field is not in double quotes: quote it."),
        (
            b"shop=1",
            "at line 1, byte 1, a JSON value was expected: send a JSON object, written by a JSON encoder.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_that_is_not_json_is_named_for_what_it_is(body: bytes, says: str) -> None:
    [reason] = faults(body)
    assert (reason.code, reason.field) == ("schema_invalid", None)
    assert reason.message == BEGINNING + says


@pytest.mark.parametrize(
    "body",
    [
        *(
            b'{"a": 1,}',
            b"[" * 3000,
            b'{"a" 1}',
            b'{"a": 1 "b": 2}',
            b'{"a": 01}',
            b'{"a": "\\x"}',
            b'{"a": "\n"}',
        ),
        *(
            b'{"a": "\\ud800"}',
            b'{"a": "\\ud800\\u0041"}',
            b"<order/>",
            b"\0\0\0",
            b"\xff",
            b"True",
            b'{"a": +1}',
        ),
    ],
)
def test_a_fault_of_the_syntax_has_a_place_or_an_encoding_and_a_remedy(body: bytes) -> None:
    [reason] = faults(body)
    assert reason.message.startswith(BEGINNING)
    assert ": " in reason.message.removeprefix(BEGINNING)
    assert not [words for words in OTHERS if words in reason.message]


@given(st.binary(max_size=40))
def test_no_bytes_yield_a_parsers_own_message(body: bytes) -> None:
    for reason in faults(body):
        assert not [words for words in OTHERS if words in reason.message]


def test_a_whole_event_in_the_body_is_one_fault_with_its_remedy() -> None:
    event = {"specversion": "1.0", "type": "storefront.order.submitted.v1", "data": json.loads(SALE)}
    [reason] = faults(json.dumps(event).encode())
    assert "structured mode" in reason.message
    assert "send what is in its data as the body" in reason.message
