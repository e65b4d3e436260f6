"""The body of a parked message as an operator without the right to personal data sees it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contracts
from services.chassis.messaging.erasure.redacting import Person, redact, texts_in
from services.chassis.messaging.recovery.known_fields import known_fields
from services.chassis.messaging.recovery.readable_body import HIDDEN, readable_body, readable_headers

FOLDER = Path(contracts.__file__).parent
SCHEMAS, SAMPLES = (sorted((FOLDER / name).glob("*.json")) for name in ("schemas", "samples"))
OF_THE_SHOP = {
    *(
        "capital",
        "country",
        "early_discount",
        "footer",
        "iban",
        "intro",
        "label_texts",
        "late_penalty",
    ),
    *("legal_form", "location", "logo", "registration", "signature", "siret", "time_zone", "trade_name"),
    *("carrier", "description", "label", "resource", "sku", "template", "tracking_number"),
}
OF_STAFF = {"actor", "assignee"}
"""And every field whose name ends in `_by`."""
OF_THE_MESSAGE = {
    *("cause", "code", "command_type", "corrects", "currency", "detail", "field", "fingerprint", "flags"),
    *(
        "idempotency_key",
        "kind",
        "message",
        "message_type",
        "missing",
        "number",
        "payment_reference",
        "provider",
    ),
    *("provider_reference", "queue", "reference", "source_reference", "status"),
}


def test_of_a_body_that_is_not_json_or_no_object_nothing_is_shown() -> None:
    for body in (b"{customer: Zo\xc3\xa9 Martin", b'"Zo\xc3\xa9 Martin"', b'["Zo\xc3\xa9 Martin", 7]'):
        assert "Martin" not in readable_body(body)["text"]
        assert "Martin" in readable_body(body, with_persons=True)["text"]


def test_a_reason_is_shown_if_it_is_a_code_and_addresses_are_hidden_in_any_text() -> None:
    fields = {
        "reason": "order_unknown",
        "exemption_reason": "Zoé called",
        "detail": "550 no such user <zoe@client.example>",
    }
    assert json.loads(readable_body(json.dumps(fields).encode())["text"]) == {
        "reason": "order_unknown",
        "exemption_reason": HIDDEN,
        "detail": f"550 no such user <{HIDDEN}>",
    }


def test_a_number_as_text_is_shown_and_a_telephone_number_is_not() -> None:
    fields = {
        "quantity": "0612345678",
        "line": "+33612345678",
        "unit_price_minor": "1990",
        "amount_minor": "-0.5",
    }
    shown = json.loads(readable_body(json.dumps(fields).encode())["text"])
    assert shown == {**fields, "quantity": HIDDEN, "line": HIDDEN}


def test_unknown_types_share_one_table_of_fields() -> None:
    assert known_fields("anybodys.own.word.v1") is known_fields()


NAME = "Zoé Martin"
KEYS = st.sampled_from([*sorted(known_fields()), NAME, "surname", "note_from_zoe"])
SUBMITTED = "storefront.order.submitted.v1"
SCALARS = st.sampled_from([NAME, 33612345678, True, None, "15.00", 1500])


def bodies(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)


def keys_of(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        yield from document
    for one in document.values() if isinstance(document, dict) else document:
        if isinstance(one, dict | list):
            yield from keys_of(one)


@given(document=st.dictionaries(KEYS, st.recursive(SCALARS, bodies, max_leaves=8), max_size=5))
def test_a_key_that_no_contract_knows_is_never_shown(document: dict[str, Any]) -> None:
    shown = json.loads(readable_body(json.dumps(document).encode())["text"])
    assert {key for key in keys_of(shown) if not key.startswith(HIDDEN)} <= known_fields().keys()


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"surname": "Martin", "Zoé": 1}, {HIDDEN: HIDDEN, f"{HIDDEN} 2": HIDDEN}),
        ({"lines": NAME}, {"lines": HIDDEN}),
        ({"lines": "Martin"}, {"lines": HIDDEN}),
        ({"currency": "EUR"}, {"currency": "EUR"}),
        ({"submitted_at": "Martin"}, {"submitted_at": HIDDEN}),
        ({"submitted_at": "2026-11-28T10:00:00+01:00"}, {"submitted_at": "2026-11-28T10:00:00+01:00"}),
        ({"total_minor": "15.00"}, {"total_minor": "15.00"}),
        ({"total_minor": "+33612345678"}, {"total_minor": HIDDEN}),
        ({"phone": 33612345678}, {"phone": HIDDEN}),
        ({"sku": 33612345678}, {"sku": HIDDEN}),
        ({"customer": [NAME, 33612345678]}, {"customer": [HIDDEN, HIDDEN]}),
        ({"total_minor": {"said": NAME}}, {"total_minor": {HIDDEN: HIDDEN}}),
        ({"options": {"Engraving for Zoé": "Martin"}}, {"options": HIDDEN}),
    ],
    ids=json.dumps,
)
def test_what_does_not_fit_its_field_is_hidden(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    body = json.dumps(sent).encode()
    assert json.loads(readable_body(body, SUBMITTED)["text"]) == shown
    assert json.loads(readable_body(body, with_persons=True)["text"]) == sent


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_all_fields_of_a_sample_are_known_and_its_numbers_are_shown(path: Path) -> None:
    sample = json.loads(path.read_text())
    shown = json.loads(readable_body(json.dumps(sample).encode())["text"])
    assert set(sample) == set(shown)
    for key, value in sample.items():
        if isinstance(value, int):
            assert shown[key] == value


def test_all_contracts_are_queried_where_the_type_is_unknown() -> None:
    body = json.dumps({"parcel_id": "0192f0c1-0000-7000-8000-000000000001"}).encode()
    assert HIDDEN not in readable_body(body, "orders.no_such_message.v1")["text"]
    assert HIDDEN in readable_body(body, SUBMITTED)["text"]


def test_of_headers_those_of_the_envelope_and_the_broker_are_shown() -> None:
    headers = {
        "cloudEvents_id": "0192f0c1-0000-7000-8000-000000000001",
        "cloudEvents_subject": NAME,
        "cloudEvents_source": "zoe@client.example",
        "x-death": "[{'queue': 'orders.payments', 'reason': 'expired'}]",
        "comptoir_replay": "0192f0c1-0000-7000-8000-000000000002",
        "customer": NAME,
        NAME: "1",
    }
    assert readable_headers(headers) == {
        **{name: headers[name] for name in ("cloudEvents_id", "x-death", "comptoir_replay")},
        "cloudEvents_subject": HIDDEN,
        "cloudEvents_source": HIDDEN,
        HIDDEN: HIDDEN,
        f"{HIDDEN} 2": HIDDEN,
    }
    assert readable_headers(headers, with_persons=True) == headers


def free_texts(schema: Any, name: str = "") -> Iterator[str]:
    """The names of the fields of a schema that any text may stand in."""
    if schema.get("type") == "string" and not {"pattern", "format", "enum", "const"} & schema.keys():
        yield name
    for inner, one in schema.get("properties", {}).items():
        yield from free_texts(one, inner)
    for part in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(part, ()):
            yield from free_texts(one, name)
    for one in schema.get("$defs", {}).values():
        yield from free_texts(one)
    for part in ("items", "additionalProperties"):
        if isinstance(one := schema.get(part), dict):
            yield from free_texts(one, name)


def test_each_text_of_a_contract_is_hidden_or_known_to_name_no_customer() -> None:
    """A new field is in one of these sets, or in those of redacting."""
    names = {name for schema in SCHEMAS for name in free_texts(json.loads(schema.read_text())) if name}
    assert {"address", "excerpt", "subject", "author_name", "tracking_url", "resume_url"} <= names
    shown = {
        name for name in names if "Zoé" in readable_body(json.dumps({name: "Zoé Martin"}).encode())["text"]
    }
    assert {name for name in shown if not name.endswith("_by")} == OF_THE_SHOP | OF_STAFF | OF_THE_MESSAGE


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_an_erasure_removes_from_a_sample_is_hidden(path: Path) -> None:
    sample = json.loads(path.read_text())
    shown = set(texts_of(json.loads(readable_body(json.dumps(sample).encode())["text"])))
    removed = set(texts_of(sample)) - set(texts_of(redact(sample, Person(set(texts_in(sample))))))
    assert shown & removed == set()


def texts_of(document: Any) -> Iterator[str]:
    if isinstance(document, dict | list):
        for one in document.values() if isinstance(document, dict) else document:
            yield from texts_of(one)
    elif isinstance(document, str):
        yield document
