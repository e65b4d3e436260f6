"""A sale is not lost for what nobody needs: shown texts are cut, unusable values left out, each of them noted."""

import json
from typing import Any

import pytest

from contracts.orders.lifecycle import OrderPlaced
from contracts.storefront import OrderAccepted, OrderRefused
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.testing import Desk, envelope_for
from services.orders.order.intake.adaptation import _CONTROLS, adapt, may_need_changes
from tests.builders.submissions import ADDRESS, a_line, a_sale
from tests.conftest import Desks

LOGIN = "storefront.maison.shop"


async def submit(desk: Desk, change: Any) -> dict[type, Any]:
    """Submit a sale whose JSON was changed; what was emitted, by class."""
    sale = a_sale()
    body = json.loads(sale.model_dump_json(exclude_none=True))
    change(body)
    desk._units.clear()
    arrival = RawMessage(
        "orders.storefront", envelope_for("orders", sale).headers(), json.dumps(body).encode(), LOGIN
    )
    await desk.hub.committer.commit([arrival])
    return {type(message): message for _, message in desk.emitted()}


def put(path: str, value: Any) -> Any:
    """Set one value: customer.phone, lines.0.sku; `...` removes it."""
    *steps, name = path.split(".")

    def change(body: Any) -> None:
        for step in steps:
            body = body[int(step)] if isinstance(body, list) else body[step]
        if value is ...:
            body.pop(name, None)
        else:
            body[name] = value

    return change


NOT_NEEDED = [
    ("customer.ip_address", "2001:db8:1:1a40:f829:8829:139c:d85f, 10.0.0.1, 10.0.0.2", "value_left_out"),
    ("customer.ip_address", 12, "value_left_out"),
    ("customer.browser", "x" * 1001, "value_left_out"),
    ("customer.browser", {"name": "Lynx"}, "value_left_out"),
    ("customer.phone", "+33 6 00 00 00 00 call after six, else neighbours!", "text_cut"),
    ("customer.email", "", "value_left_out"),
    ("customer.email", "not an address", "value_left_out"),
    ("customer.email", "x" * 250 + "@example.org", "value_left_out"),
    ("customer.name", "N" * 201, "text_cut"),
    ("customer.company", "N" * 201, "text_cut"),
    ("customer.vat_number", "N" * 41, "text_cut"),
    ("lines.0.sku", "", "value_left_out"),
    ("lines.0.sku", "S" * 65, "value_left_out"),
    ("lines.0.description", "d" * 501, "text_cut"),
    ("shipping_address.street", "s" * 301, "text_cut"),
    ("shipping_address.postal_code", "7" * 21, "text_cut"),
    ("shipping_address.country", "fr", "value_corrected"),
    ("shipping_address.country", "UK", "value_corrected"),
    ("shipping_address.country", "ZZ", "country_unknown"),
    ("shipping_address.country", "xx", "country_unknown"),
    ("shipping.label", "l" * 201, "text_cut"),
    ("note", "n" * 2001, "text_cut"),
    ("note", "a\0b", "characters_removed"),
    ("customer.name", "Zoé\u200b\u202e Martin\x1b[31m", "characters_removed"),
    ("locale", "fr_FR", "value_corrected"),
    ("locale", "klingon", "value_left_out"),
]


@pytest.mark.parametrize(("path", "value", "code"), NOT_NEEDED)
async def test_the_sale_is_placed_and_its_order_states_what_was_changed(
    desks: Desks, path: str, value: Any, code: str
) -> None:
    desk = await desks("orders")
    answer = await submit(desk, put(path, value))
    assert OrderAccepted in answer
    (row,) = await desk.fetch("SELECT data FROM activity WHERE kind = 'sale_adapted'")
    (reason,) = json.loads(row["data"])["reasons"]
    assert (reason["code"], reason["field"]) == (code, path.replace(".0.", "[0]."))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("customer.email", ...),
        ("customer.email", None),
        ("lines.0.sku", ...),
        ("lines.0.sku", " "),
        ("shipping_address.city", ""),
        ("shipping_address.street", ""),
        ("shipping_address.street", ...),
        ("shipping_address.postal_code", ...),
        ("shipping_address.postal_code", None),
        ("shipping_address.city", None),
        ("customer.email", "taro..y.@docomo.example"),
        ("customer.email", "jörg@example.org"),
        ("customer.email", "zoe@localhost"),
    ],
)
async def test_what_a_sale_may_lack_is_no_change(desks: Desks, path: str, value: Any) -> None:
    desk = await desks("orders")
    answer = await submit(desk, put(path, value))
    assert OrderAccepted in answer
    assert await desk.fetchval("SELECT count(*) FROM activity WHERE kind = 'sale_adapted'") == 0
    placed: OrderPlaced = answer[OrderPlaced]
    if path == "lines.0.sku":
        assert placed.lines[0].sku is None


async def test_a_cut_text_ends_with_a_mark_at_its_limit(desks: Desks) -> None:
    answer = await submit(await desks("orders"), put("lines.0.description", "d" * 501))
    assert answer[OrderPlaced].lines[0].description == "d" * 499 + "…"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("totals.total_minor", "4100"),
        ("totals.total_minor", 4100.0),
        ("lines.0.quantity", True),
        ("currency", "EUR\u200b"),
        ("idempotency_key", "k" * 201),
        ("payment.provider_reference", "p" * 201),
        ("shipping_address.country", "FRA"),
        ("customer.name", "\u200b\u200b"),
        ("customer.name", ""),
    ],
)
async def test_what_identifies_and_pays_the_sale_is_strict(desks: Desks, path: str, value: Any) -> None:
    answer = await submit(await desks("orders"), put(path, value))
    assert OrderRefused in answer
    assert answer[OrderRefused].reasons[0].field == path.replace(".0.", "[0].")


def test_a_sale_that_fits_is_not_touched() -> None:
    body = (
        a_sale(a_line(description="Mug «bleu» — 30 cl 😀"), shipping_address=ADDRESS)
        .model_dump_json()
        .encode()
    )
    assert adapt(body, False) is None
    assert adapt(b"no JSON", True) is None
    assert adapt(b"[1e999]", True) is None


def test_each_character_that_cannot_be_seen_makes_a_body_be_looked_at() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x10000)):
        char = chr(code)
        if _CONTROLS.search(char):
            assert may_need_changes(json.dumps({"note": char}).encode()), hex(code)
            if code >= 0x20:
                assert may_need_changes(json.dumps({"note": char}, ensure_ascii=False).encode()), hex(code)


@pytest.mark.parametrize(
    "text",
    ["l’été – « à 5\u202f€ » “ok”…", 'line\none "two"', "日本語 ＡＢＣ", "Ελλάδα, Россия", "a\u00a0b ½"],
)
def test_what_people_write_is_not_looked_at(text: str) -> None:
    assert not may_need_changes(json.dumps({"country": "FR", "note": text}, ensure_ascii=False).encode())
