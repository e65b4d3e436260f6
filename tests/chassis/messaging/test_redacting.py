"""Redaction: what names the person goes, what the books need stays, and messages are still readable."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import CATALOGUE
from services.chassis.messaging.erasure.erasing import redact_body
from services.chassis.messaging.erasure.redacting import ERASED, ERASED_ADDRESS, Person, redact, texts_in

STAFF_ONLY = ("orders.test_mail.send.v1",)
"""Messages that never name a customer."""
FOLDER = Path(__file__).resolve().parents[3] / "contracts" / "samples"
SAMPLES = sorted(path for path in FOLDER.glob("*.json") if not path.stem.startswith(STAFF_ONLY))
SALE: dict[str, Any] = {
    "shop": "maison",
    "order_id": "0193",
    "customer": {
        "name": "Ada Moreau",
        "email": "ada@clients.example",
        "phone": "+33 6",
        "ip_address": "203.0.113.9",
    },
    "shipping_address": {"name": "Ada Moreau", "street": "3 rue Basse", "city": "Nantes", "country": "FR"},
    "note": "Pour Ada",
    "lines": [
        {"description": "Carnet", "total_minor": 500, "options": {"attendee": "ada moreau", "size": "M"}}
    ],
}


def test_of_a_person_only_the_country_stays() -> None:
    left = redact(SALE, Person(set(texts_in(SALE))))
    assert left["customer"] == {"name": ERASED}
    assert left["shipping_address"] == {"name": ERASED, "country": "FR"}
    assert left["note"] == ERASED
    assert left["lines"] == [
        {"description": "Carnet", "total_minor": 500, "options": {"attendee": ERASED, "size": "M"}}
    ]


def test_texts_that_name_the_person_lose_the_name_and_codes_stay() -> None:
    person = Person({"Ada Moreau", "ada@clients.example"})
    row = {
        "detail": "550 no such user <other@mail.example>, ADA MOREAU",
        "reason": "order_unknown",
        "cancel_reason": "she called",
        "recipient": "ada@clients.example",
        "actor": "staff:ada moreau",
        "note": "paid by Ada Moreau",
        "label": "Moreau’s",
        "address": "Ada@clients.example",
        "amount_minor": 7,
    }
    assert redact(row, person) == {
        "detail": f"550 no such user <{ERASED}>, {ERASED}",
        "reason": "order_unknown",
        "cancel_reason": ERASED,
        "recipient": "",
        "actor": "staff:ada moreau",
        "note": f"paid by {ERASED}",
        "label": "Moreau’s",
        "address": ERASED_ADDRESS,
        "amount_minor": 7,
    }


def test_of_a_message_about_many_orders_only_the_erased_ones_change() -> None:
    mails = [{"order_id": "1", "recipient": "a@b.example"}, {"order_id": "2", "recipient": "c@d.example"}]
    left = redact({"mails": mails}, Person(), {"1"})
    assert left == {"mails": [{"order_id": "1", "recipient": ""}, mails[1]]}


def test_a_body_that_is_not_json_becomes_an_empty_object() -> None:
    assert redact_body(b"ada@clients.example \x00", Person()) == b"{}"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_message_is_readable_after_redaction(path: Path) -> None:
    entry = next(entry for type_, entry in CATALOGUE.items() if f"{path.stem}.".startswith(f"{type_}."))
    content = json.loads(path.read_text("utf-8"))
    left = redact(content, Person(set(texts_in(content))))
    entry.message.model_validate_json(json.dumps(left))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["customer", "name", "email", "reason", "note", "detail", "text", "options", "other"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sets(st.text(min_size=4, max_size=8), max_size=3))
def test_redacting_twice_changes_no_more(document: Any, texts: set[str]) -> None:
    person = Person(texts)
    once = redact(document, person)
    assert redact(once, person) == once


@pytest.mark.parametrize(
    ("text", "is_addressed"),
    [
        ('{"address":"ada@clients.example"}', True),
        ("<ADA@Clients.example>, please", True),
        ("ada@xn--caf-dma.example", True),
        ("nada@clients.example", False),
        ("a.ada@clients.example", False),
        ("ada@clients.example.org", False),
        ("ada@clients.example.", True),
        ("ada", False),
    ],
)
def test_an_address_is_found_in_any_spelling_and_never_as_the_end_of_another(
    text: str, is_addressed: bool
) -> None:
    assert Person({"Ada@clients.example", "ada@café.example"}).is_addressed_in(text) is is_addressed
