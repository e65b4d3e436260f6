"""Real payloads of every message type, kept for ever: today's models read them, today's schemas fit them."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import CATALOGUE
from contracts.generate import FOLDER
from contracts.money import is_known
from contracts.sale import Module, PaymentMethod
from contracts.storefront import OrderSubmitted
from tests.contracts.test_payloads import formats

SAMPLES = sorted((FOLDER / "samples").glob("*.json"))
SUBMITTED = [path for path in SAMPLES if path.name.startswith("storefront.order.submitted.v1.")]


def type_of(sample: Path) -> str:
    """`storefront.order.submitted.v1.card.json` is a sample of `storefront.order.submitted.v1`."""
    return ".".join(sample.name.split(".")[:4])


def test_every_message_type_has_a_sample_and_every_sample_its_type() -> None:
    assert {type_of(sample) for sample in SAMPLES} == set(CATALOGUE)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: str(path.stem))
def test_a_sample_is_read_fits_its_schema_and_is_written_again_with_the_same_meaning(sample: Path) -> None:
    kind = type_of(sample)
    schema = json.loads((FOLDER / "schemas" / f"{kind}.json").read_text(encoding="utf-8"))
    fits = Draft202012Validator(schema, format_checker=formats)
    fits.validate(json.loads(sample.read_text(encoding="utf-8")))

    model = CATALOGUE[kind].message
    message = model.model_validate_json(sample.read_bytes())
    written = message.model_dump_json()
    fits.validate(json.loads(written))
    assert model.model_validate_json(written) == message


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: str(path.stem))
def test_a_sample_shows_no_field_that_its_model_would_ignore(sample: Path) -> None:
    model = CATALOGUE[type_of(sample)].message
    given = json.loads(sample.read_text(encoding="utf-8"))
    kept = json.loads(model.model_validate(given).model_dump_json(exclude_unset=True))
    assert shape(given) == shape(kept)


def shape(value: object) -> object:
    """The names in a payload, without its values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else None


def test_submitted_orders_show_every_payment_method_every_module_and_both_languages() -> None:
    orders = [OrderSubmitted.model_validate_json(path.read_bytes()) for path in SUBMITTED]
    assert {order.payment.method for order in orders if order.payment} == set(PaymentMethod)
    assert {order.module for order in orders} == set(Module)
    assert {order.locale[:2] for order in orders} == {"fr", "en"}


@pytest.mark.parametrize("sample", SUBMITTED, ids=lambda path: str(path.stem))
def test_submitted_orders_add_up_to_the_minor_unit(sample: Path) -> None:
    order = OrderSubmitted.model_validate_json(sample.read_bytes())
    totals = order.totals
    for line in order.lines:
        assert line.total_minor == line.quantity * line.unit_price_minor - line.discount_minor
    assert totals.lines_minor == sum(line.total_minor for line in order.lines)
    assert totals.shipping_minor == (order.shipping.amount_minor if order.shipping else 0)
    assert totals.extras_minor == sum(extra.amount_minor for extra in order.extra_lines)
    added_tax = 0 if order.prices_include_tax else totals.tax_minor
    assert totals.total_minor == totals.lines_minor + totals.shipping_minor + totals.extras_minor + added_tax
    assert is_known(order.currency)
