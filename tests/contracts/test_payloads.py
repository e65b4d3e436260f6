"""Models and published schemas say the same: what one side makes, the other accepts."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from contracts.catalogue import CATALOGUE
from contracts.generate import FOLDER
from contracts.message import Message
from tests.contracts.payloads import messages

FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
ONE_TYPE_PER_CLASS = sorted({entry.message: entry.type for entry in CATALOGUE.values()}.values())

formats = FormatChecker(["uuid", "date"])


def is_timestamp(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


formats.checks("date-time", raises=ValueError)(is_timestamp)


def refusal(model: type[Message], payload: Any) -> ValidationError | None:
    try:
        model.model_validate_json(json.dumps(payload))
    except ValidationError as error:
        return error
    return None


def validator(kind: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / "schemas" / f"{kind}.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema, format_checker=formats)


@pytest.mark.parametrize("kind", ONE_TYPE_PER_CLASS)
def test_what_a_model_writes_fits_the_schema_and_reads_back_equal(kind: str) -> None:
    model, fits = CATALOGUE[kind].message, validator(kind)

    @FEW
    @given(messages(model))
    def check(message: Message) -> None:
        for leave_out in (False, True):
            text = message.model_dump_json(exclude_unset=leave_out)
            fits.validate(json.loads(text))
            assert model.model_validate_json(text) == message

    check()


SPOILERS: list[Any] = [
    None,
    "",
    "x",
    0,
    -1,
    1.5,
    True,
    [],
    {},
    "2026-03-14T09:26:53",
    "9" * 3000,
    2**60,
    ["x"],
]


def spoil(data: st.DataObject, payload: Any) -> None:
    """Change one value somewhere inside, or drop it."""
    draw = data.draw
    holder, key = payload, draw(st.sampled_from(sorted(payload)))
    while isinstance(holder[key], dict | list) and holder[key] and draw(st.booleans()):
        holder = holder[key]
        key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    if draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw(st.sampled_from(SPOILERS))


@pytest.mark.parametrize("kind", ONE_TYPE_PER_CLASS)
def test_whatever_fits_the_schema_can_be_read(kind: str) -> None:
    model, fits = CATALOGUE[kind].message, validator(kind)

    @FEW
    @given(messages(model), st.data())
    def check(message: Message, data: st.DataObject) -> None:
        payload = json.loads(message.model_dump_json())
        for _ in range(2):
            if payload:
                spoil(data, payload)
        if fits.is_valid(payload):
            assert refusal(model, payload) is None

    check()


def test_an_unknown_field_is_not_an_error_for_either() -> None:
    sample = (FOLDER / "samples" / "payments.payment.settled.v1.json").read_text(encoding="utf-8")
    payload = {**json.loads(sample), "colour_of_the_cheque": "blue"}
    validator("payments.payment.settled.v1").validate(payload)
    known = CATALOGUE["payments.payment.settled.v1"].message.model_validate(payload)
    assert not hasattr(known, "colour_of_the_cheque")


def test_a_message_cannot_be_changed() -> None:
    sample = (FOLDER / "samples" / "payments.payment.settled.v1.json").read_bytes()
    message = CATALOGUE["payments.payment.settled.v1"].message.model_validate_json(sample)
    with pytest.raises(ValidationError, match="frozen"):
        message.__setattr__("amount_minor", 1)
