"""What a request may hold, what is refused by the request alone, and the message it becomes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, ValidationError

from contracts.sale import PaymentMethod
from services.orders.api.actions.action import command
from services.orders.api.context import order_named
from services.orders.api.erasure_routes import ErasureRequest
from services.orders.order.requests import (
    AdjustmentRequest,
    DeliveryRequest,
    OrderFacts,
    ParcelRequest,
    PaymentRequest,
    RequestBody,
    ShipmentRequest,
    StockRequest,
)

TYPES = ("bool_type", "int_type", "dict_type", "list_type")
ORDER = OrderFacts("maison", uuid4(), "K7F3-QD9M", "EUR", frozenset({1, 2}))
PAYMENT = {"method": "cheque", "amount_minor": 4200, "currency": "EUR", "received_on": "2026-11-22"}
PARCEL: dict[str, Any] = {"lines": [{"line": 1, "quantity": 2}]}
SHIPMENT = {"parcel_ids": [str(UUID(int=9))], "carrier": "Colissimo", "shipped_on": "2026-11-22"}
DELIVERY = {"delivered_at": "2026-11-24T10:30:00+01:00", "proof": "signature"}
STOCK: dict[str, Any] = {"levels": [{"sku": "BOUGIE-01", "on_hand": 12}]}
ADJUSTMENT: dict[str, Any] = {"sku": "BOUGIE-01", "change": -2, "reason": "Cassées"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (PaymentRequest, PAYMENT),
        (ParcelRequest, PARCEL),
        (ShipmentRequest, SHIPMENT),
        (DeliveryRequest, DELIVERY),
        (StockRequest, STOCK),
        (AdjustmentRequest, ADJUSTMENT),
    ],
)
def test_a_field_nobody_knows_is_refused(kind: type[RequestBody], body: dict[str, Any]) -> None:
    kind.model_validate(body)
    for extra in ("traking_number", "actor", "shop", "order_id"):
        with pytest.raises(ValidationError, match="Extra inputs"):
            kind.model_validate({**body, extra: "x"})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (PaymentRequest, {**PAYMENT, "amount_minor": 0}),
        (PaymentRequest, {**PAYMENT, "amount_minor": -1}),
        (PaymentRequest, {**PAYMENT, "amount_minor": 12.0}),
        (PaymentRequest, {**PAYMENT, "amount_minor": "4200"}),
        (PaymentRequest, {**PAYMENT, "amount_minor": True}),
        (PaymentRequest, {**PAYMENT, "amount_minor": 2**53}),
        (PaymentRequest, {**PAYMENT, "currency": "eur"}),
        (PaymentRequest, {**PAYMENT, "note": "nul \0"}),
        (PaymentRequest, {**PAYMENT, "note": "half \ud800"}),
        (PaymentRequest, {**PAYMENT, "received_on": "22/11/2026"}),
        (ParcelRequest, {"lines": []}),
        (ParcelRequest, {"lines": [{"line": 1, "quantity": 0}]}),
        (ParcelRequest, {"lines": [{"line": 1, "quantity": 1, "sku": "A"}]}),
        (ParcelRequest, {**PARCEL, "weight_grams": -1}),
        (ShipmentRequest, {**SHIPMENT, "parcel_ids": []}),
        (ShipmentRequest, {**SHIPMENT, "tracking_url": "javascript:alert(1)"}),
        (ShipmentRequest, {**SHIPMENT, "cost_minor": 500}),
        (ShipmentRequest, {**SHIPMENT, "notify_customer": "yes"}),
        (DeliveryRequest, {**DELIVERY, "delivered_at": "2026-11-24T10:30:00"}),
        (DeliveryRequest, {**DELIVERY, "shipment_id": str(UUID(int=9))}),
        (AdjustmentRequest, {**ADJUSTMENT, "change": 0}),
        (AdjustmentRequest, {**ADJUSTMENT, "change": 1_000_001}),
        (AdjustmentRequest, {**ADJUSTMENT, "change": "2"}),
        (AdjustmentRequest, {**ADJUSTMENT, "reason": "  "}),
        (AdjustmentRequest, {"sku": "A", "change": 1}),
        (StockRequest, {"levels": []}),
        (StockRequest, {"levels": [{"sku": "A", "on_hand": -1}]}),
        (StockRequest, {"levels": [{"sku": "A", "on_hand": 1, "reserved": 0}]}),
        (StockRequest, {"levels": [{"sku": "A\0", "on_hand": 1}]}),
    ],
)
def test_what_cannot_be_meant_is_refused(kind: type[RequestBody], body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(body)


def test_a_payment_in_another_currency_is_a_fault_that_names_both() -> None:
    request = PaymentRequest.model_validate({**PAYMENT, "currency": "JPY"})
    (fault,) = request.faults(ORDER)
    assert (fault.code, fault.field) == ("currency_differs", "currency")
    assert "EUR" in fault.message
    assert "JPY" in fault.message
    assert PaymentRequest.model_validate(PAYMENT).faults(ORDER) == []


def test_every_unknown_line_is_a_fault_with_its_place() -> None:
    lines = [{"line": number, "quantity": 1} for number in (1, 3, 2, 7)]
    faults = ParcelRequest.model_validate({"lines": lines}).faults(ORDER)
    assert [fault.field for fault in faults] == ["lines[1].line", "lines[3].line"]
    assert all("1, 2" in fault.message for fault in faults)


def test_requests_become_the_owners_messages() -> None:
    made = uuid4()
    paid = PaymentRequest.model_validate({**PAYMENT, "reference": "0042"}).command(ORDER, "api:erp")
    assert (paid.shop, paid.order_id, paid.actor) == ("maison", ORDER.order_id, "api:erp")
    assert (paid.method, paid.amount_minor, paid.reference) == (PaymentMethod.CHEQUE, 4200, "0042")
    assert paid.received_on == date(2026, 11, 22)
    packed = ParcelRequest.model_validate(PARCEL).command(ORDER, "api:erp", made)
    assert (packed.parcel_id, packed.lines[0].quantity, packed.kind) == (made, 2, "box")
    shipped = ShipmentRequest.model_validate(SHIPMENT).command(ORDER, "api:erp", made)
    assert (shipped.shipment_id, shipped.parcel_ids, shipped.notify_customer) == (made, [UUID(int=9)], False)
    delivered = DeliveryRequest.model_validate(DELIVERY).command(ORDER, "api:erp", made)
    assert delivered.shipment_id == made
    assert delivered.delivered_at == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    stock = StockRequest.model_validate(STOCK).command("maison", "api:erp")
    assert (stock.levels[0].sku, stock.levels[0].location, stock.levels[0].on_hand) == (
        "BOUGIE-01",
        "main",
        12,
    )


def test_ids_the_caller_chose_are_kept() -> None:
    chosen = uuid4()
    parcel = ParcelRequest.model_validate({**PARCEL, "parcel_id": str(chosen)})
    assert parcel.command(ORDER, "api:erp", uuid4()).parcel_id == chosen
    shipment = ShipmentRequest.model_validate({**SHIPMENT, "shipment_id": str(chosen)})
    assert shipment.command(ORDER, "api:erp", uuid4()).shipment_id == chosen


def hash_of(body: dict[str, Any], actor: str = "api:erp", order: OrderFacts = ORDER) -> bytes:
    request = ParcelRequest.model_validate(body)
    return command(
        "maison", order.order_id, "k", lambda made: request.command(order, actor, made)
    ).request_hash


def test_the_same_request_is_known_again_and_another_is_not() -> None:
    assert hash_of(PARCEL) == hash_of({"kind": "box", "weight_grams": None, **PARCEL})
    other_order = OrderFacts("maison", uuid4(), "AAAA-AAAA", "EUR", frozenset({1}))
    different = {
        hash_of(PARCEL),
        hash_of({**PARCEL, "weight_grams": 1}),
        hash_of({**PARCEL, "parcel_id": str(uuid4())}),
        hash_of(PARCEL, actor="api:script"),
        hash_of(PARCEL, order=other_order),
    }
    assert len(different) == 5


@pytest.mark.parametrize("name", ["K7F3-QD9M", "k7f3qd9m", "K7F3 QD9M", " k7f3-qd9m "])
def test_a_code_is_read_as_people_write_it(name: str) -> None:
    assert order_named(name) == (None, "K7F3-QD9M")


def test_letters_that_no_code_has_are_read_as_the_digits_they_look_like() -> None:
    assert order_named("OIL0-1111") == (None, "0110-1111")


def test_an_id_is_an_id_and_anything_else_is_no_order() -> None:
    assert order_named(str(ORDER.order_id)) == (ORDER.order_id, None)
    for name in ("", "K7F3", "K7F3-QD9M-1", "UUUU-UUUU", "K7F3\0QD9M", "é" * 8):
        assert order_named(name) == (None, None)


def _bodies(kind: type[RequestBody] = RequestBody) -> Iterator[type[RequestBody]]:
    for one in kind.__subclasses__():
        yield one
        yield from _bodies(one)


def _kinds(annotation: Any) -> set[Any]:
    """The types that a field may have, those of `int | None` also."""
    return {annotation}.union(*map(_kinds, get_args(annotation)[:2]))


def test_no_text_is_a_boolean_or_a_whole_number() -> None:
    checked = set()
    kinds: set[type[BaseModel]] = {*_bodies(), ErasureRequest}
    for kind in kinds:
        names = {name for name, one in kind.model_fields.items() if {bool, int} & _kinds(one.annotation)}
        with pytest.raises(ValidationError) as refused:
            kind.model_validate({"no": "field", **dict.fromkeys(names, "1")})
        types = {one["loc"][0]: one["type"] for one in refused.value.errors()}
        assert {name for name in names if types.get(name) not in TYPES} == set(), kind
        checked |= names
    assert checked >= {"is_on", "payment_days", "revision", "notify_customer", "amount_minor", "dry"}
