"""Commands over HTTP: sent once per key, answered with the owner's outcome, or with where to look for it."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import type_of
from contracts.fulfillment.parcels import PackParcel, UnpackParcel
from contracts.fulfillment.shipments import DispatchShipment, RecordDelivery
from contracts.fulfillment.stock import AdjustStock, SetStock, StockLevelChanged
from contracts.message import Reason
from contracts.payments.accounts import RecordPayment
from contracts.service import CommandDone, MessageParked
from services.orders.api.actions import action
from tests.conftest import Desks
from tests.orders.api.test_api_lists import fits
from tests.orders.rest_client import (
    OTHER_TOKEN,
    PAYMENT,
    TOKENS,
    answered,
    client,
    key,
    patiently,
    place,
    rejected,
    sent,
    settled,
)

PARCEL: dict[str, Any] = {"lines": [{"line": 1, "quantity": 2}]}
SHIPMENT: dict[str, Any] = {
    "parcel_ids": [str(uuid4())],
    "carrier": "Colissimo",
    "tracking_number": "6A123",
    "shipped_on": "2026-11-22",
}
DELIVERY: dict[str, Any] = {"delivered_at": "2026-11-24T10:30:00+01:00", "proof": "signature"}
STOCK: dict[str, Any] = {"levels": [{"sku": "BOUGIE-01", "on_hand": 12}]}
ADJUSTMENT: dict[str, Any] = {"sku": "BOUGIE-01", "change": -2, "reason": "Cassées"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait a tenth of a second for an outcome."""
    monkeypatch.setattr(action, "WAIT_SECONDS", 0.1)


async def test_a_payment_is_answered_with_the_owners_outcome(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        request = http.post(f"/v1/orders/{placed.order_id}/payments", json=PAYMENT, headers=key())
        answer = await answered(desk, request, settled(placed.code))
        assert answer.status_code == 201
        done = answer.json()
        fits("CommandResponse", done)
        assert (done["state"], done["type"]) == ("done", "orders.payment.record.v1")
        assert (done["actor"], done["order_id"]) == ("api:erp", str(placed.order_id))
        assert done["outcome"]["type"] == "payments.payment.settled.v1"
        assert done["outcome"]["amount_minor"] == 8400
        assert answer.headers["location"] == f"/v1/commands/{done['command_id']}"
        assert (await http.get(answer.headers["location"])).json() == done
    ((command_id, command),) = await sent(desk)
    assert str(command_id) == done["command_id"]
    assert (command.shop, command.order_id, command.actor) == ("maison", placed.order_id, "api:erp")


async def test_a_refusal_is_422_with_every_reason_and_is_remembered(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    reasons = [
        Reason(code="method_differs", message="The customer chose cheque; record cheque.", field="method"),
        Reason(
            code="balance_exceeded", message="8400 left, 9000 sent; send at most 8400.", field="amount_minor"
        ),
    ]
    async with client(desk) as http:
        headers = key()
        url = f"/v1/orders/{placed.code}/payments"
        request = http.post(url, json=PAYMENT, headers=headers)
        answer = await answered(desk, request, rejected(*reasons))
        again = await http.post(url, json=PAYMENT, headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    fits("ProblemDetails", answer.json())
    assert answer.json()["code"] == "command_rejected"
    assert answer.json()["errors"] == [reason.model_dump() for reason in reasons]
    assert (again.status_code, again.json()) == (422, answer.json())
    assert len(await sent(desk)) == 1


async def test_without_an_outcome_in_time_the_answer_states_where_to_look(
    desks: Desks, impatient: None
) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        headers = key()
        url = f"/v1/orders/{placed.code}/payments"
        answer = await http.post(url, json=PAYMENT, headers=headers)
        assert (answer.status_code, answer.json()["state"]) == (202, "pending")
        assert answer.headers["retry-after"] == "1"
        look = await http.get(answer.headers["location"])
        assert (look.status_code, look.json(), look.headers["retry-after"]) == (200, answer.json(), "1")
        ((command_id, command),) = await sent(desk)
        await desk.deliver(settled(placed.code)(command_id, command), causation_id=command_id)
        look = await http.get(answer.headers["location"])
        assert (look.json()["state"], "retry-after" in look.headers) == ("done", False)
        again = await http.post(url, json=PAYMENT, headers=headers)
        assert (again.status_code, again.json()) == (201, look.json())
    assert len(await sent(desk)) == 1


async def test_a_parked_command_waits_for_staff_and_may_still_be_done(desks: Desks, impatient: None) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        answer = await http.post(f"/v1/orders/{placed.code}/payments", json=PAYMENT, headers=key())
        ((command_id, command),) = await sent(desk)
        parked = MessageParked(
            shop="maison",
            message_id=command_id,
            message_type="orders.payment.record.v1",
            queue="payments.orders",
            reason="handler_failed",
            fingerprint="abc",
        )
        await desk.deliver(parked, sender="payments", causation_id=command_id)
        look = await http.get(answer.headers["location"])
        assert (look.json()["state"], "retry-after" in look.headers) == ("parked", False)
        await desk.deliver(settled(placed.code)(command_id, command), causation_id=command_id)
        assert (await http.get(answer.headers["location"])).json()["state"] == "done"


async def test_an_outcome_another_process_handled_is_found(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        request = http.post(f"/v1/orders/{placed.code}/payments", json=PAYMENT, headers=key())
        waiting = patiently(request)
        ((command_id, _),) = await sent(desk)
        outcome = json.dumps({"type": "payments.payment.settled.v1", "event_id": str(uuid4())})
        await desk.hub.pool.execute(
            "update command set state = 'done', outcome = $2, settled_at = now() where command_id = $1",
            command_id,
            outcome,
        )
        assert (await waiting).status_code == 201


async def test_waiting_requests_hold_no_connection(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action, "WAIT_SECONDS", 5.0)
    desk = await desks("orders", api_tokens=TOKENS, pool_size=2)
    placed = await place(desk)
    async with client(desk) as http:
        requests = [
            asyncio.create_task(http.post(f"/v1/orders/{placed.code}/parcels", json=PARCEL, headers=key()))
            for _ in range(20)
        ]
        await sent(desk, 20)
        assert (await http.get(f"/v1/orders/{placed.code}")).status_code == 200
        assert not any(request.done() for request in requests)
        assert [answer.status_code for answer in await asyncio.gather(*requests)] == [202] * 20


async def test_a_key_used_for_another_request_is_a_conflict(desks: Desks, impatient: None) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed, other = await place(desk), await place(desk)
    async with client(desk) as http:
        headers = key()
        url = f"/v1/orders/{placed.code}/payments"
        first = (await http.post(url, json=PAYMENT, headers=headers)).json()
        for path, body in (
            (url, {**PAYMENT, "amount_minor": 1}),
            (f"/v1/orders/{other.code}/payments", PAYMENT),
            (f"/v1/orders/{placed.code}/parcels", PARCEL),
        ):
            answer = await http.post(path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
            assert answer.json()["command_id"] == first["command_id"]
    assert len(await sent(desk)) == 1


async def test_two_shops_may_use_the_same_key(desks: Desks, impatient: None) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    headers = key()
    async with client(desk) as ours, client(desk, OTHER_TOKEN) as theirs:
        answers = [await http.post("/v1/stock", json=STOCK, headers=headers) for http in (ours, theirs)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert {command.shop for _, command in await sent(desk, 2)} == {"maison", "atelier"}


async def test_requests_at_the_same_time_with_one_key_are_one_command(desks: Desks, impatient: None) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    twin = await desks("orders", desk.hub.settings.database_url.get_secret_value(), api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as one, client(twin) as other:
        headers = key()
        requests = [
            http.post(f"/v1/orders/{placed.code}/parcels", json=PARCEL, headers=headers)
            for http in (one, other) * 10
        ]
        answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["command_id"] for answer in answers}) == 1
    assert len(await sent(desk)) == 1
    assert await desk.fetchval("select count(*) from command") == 1
    assert (
        await desk.fetchval("select count(*) from msg.dispatch where routing_key like '%parcel.pack%'") == 1
    )


async def test_of_two_different_requests_at_the_same_time_with_one_key_one_wins(
    desks: Desks, impatient: None
) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        headers = key()
        url = f"/v1/orders/{placed.code}/payments"
        bodies = [{**PAYMENT, "amount_minor": amount} for amount in (100, 200)]
        answers = await asyncio.gather(*(http.post(url, json=body, headers=headers) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert len(await sent(desk)) == 1


async def test_every_command_reaches_its_owner_with_what_was_requested(desks: Desks, impatient: None) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    parcel, shipment = uuid4(), uuid4()
    order = f"/v1/orders/{placed.order_id}"
    async with client(desk) as http:
        for path, body in (
            (f"{order}/payments", PAYMENT),
            (f"{order}/parcels", {**PARCEL, "parcel_id": str(parcel), "weight_grams": 800}),
            (f"{order}/parcels/{parcel}/unpacking", {}),
            (f"{order}/shipments", {**SHIPMENT, "parcel_ids": [str(parcel)], "notify_customer": True}),
            (f"{order}/shipments/{shipment}/delivery", DELIVERY),
            ("/v1/stock", STOCK),
            ("/v1/stock/adjustments", ADJUSTMENT),
        ):
            assert (await http.post(path, json=body, headers=key())).status_code == 202
    requested = _, packed, opened, shipped, delivered, counted, adjusted = [
        one for _, one in await sent(desk, 7)
    ]
    assert [type(one) for one in requested] == [
        RecordPayment,
        PackParcel,
        UnpackParcel,
        DispatchShipment,
        RecordDelivery,
        SetStock,
        AdjustStock,
    ]
    assert (packed.parcel_id, packed.weight_grams, packed.lines[0].quantity) == (parcel, 800, 2)
    assert (opened.order_id, opened.parcel_id) == (placed.order_id, parcel)
    assert (shipped.parcel_ids, shipped.tracking_number, shipped.notify_customer) == ([parcel], "6A123", True)
    assert (delivered.shipment_id, delivered.proof) == (shipment, "signature")
    assert counted.levels[0].on_hand == 12
    assert (adjusted.sku, adjusted.location, adjusted.change) == ("BOUGIE-01", "main", -2)
    assert {one.actor for one in requested} == {"api:erp"}
    keys = await desk.fetch("select routing_key from msg.dispatch where exchange = 'orders' order by id")
    assert {type_of(type(one), "orders") for one in requested} <= {row["routing_key"] for row in keys}


async def test_ids_nobody_chose_are_made_and_returned(desks: Desks, impatient: None) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        headers = key()
        url = f"/v1/orders/{placed.order_id}/parcels"
        first = await http.post(url, json=PARCEL, headers=headers)
        again = await http.post(url, json=PARCEL, headers=headers)
    ((command_id, command),) = await sent(desk)
    assert first.json() == again.json()
    assert command.parcel_id == command_id == UUID(first.json()["command_id"])


async def test_what_changed_nothing_and_what_belongs_to_no_order_is_200(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)

    def done(command_id: UUID, command: Any) -> CommandDone:
        return CommandDone(
            shop=command.shop,
            order_id=command.order_id,
            command_id=command_id,
            command_type="orders.parcel.pack.v1",
        )

    def counted(_: UUID, command: SetStock) -> StockLevelChanged:
        return StockLevelChanged(shop=command.shop, levels=command.levels)

    async with client(desk) as http:
        request = http.post(f"/v1/orders/{placed.code}/parcels", json=PARCEL, headers=key())
        packed = await answered(desk, request, done)
        stocked = await answered(desk, http.post("/v1/stock", json=STOCK, headers=key()), counted)
    assert (packed.status_code, packed.json()["outcome"]["type"]) == (200, "fulfillment.command.done.v1")
    assert (stocked.status_code, stocked.json()["order_id"]) == (200, None)


async def test_what_can_not_be_meant_is_refused_before_anything_is_sent(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    order = f"/v1/orders/{placed.order_id}"
    async with client(desk) as http:
        for path, body, status, code, fields in (
            (f"{order}/payments", {**PAYMENT, "currency": "JPY"}, 422, "request_impossible", ["currency"]),
            (f"{order}/payments", {**PAYMENT, "amount_minor": 0}, 422, "request_invalid", ["amount_minor"]),
            (f"{order}/payments", {**PAYMENT, "amount_minor": -5}, 422, "request_invalid", ["amount_minor"]),
            (f"{order}/payments", {**PAYMENT, "amout": 1}, 422, "request_invalid", ["amout"]),
            (
                f"{order}/parcels",
                {
                    "lines": [
                        {"line": 9, "quantity": 1},
                        {"line": 1, "quantity": 1},
                        {"line": 8, "quantity": 1},
                    ]
                },
                422,
                "request_impossible",
                ["lines[0].line", "lines[2].line"],
            ),
            (
                f"{order}/parcels",
                {"lines": [{"line": 1, "quantity": 0}], "size": "big"},
                422,
                "request_invalid",
                ["lines[0].quantity", "size"],
            ),
            (f"{order}/shipments/not-an-id/delivery", DELIVERY, 422, "request_invalid", ["shipment_id"]),
            (f"/v1/orders/{uuid4()}/payments", PAYMENT, 404, "order_unknown", None),
            ("/v1/orders/K7F3-QD9M/parcels", PARCEL, 404, "order_unknown", None),
        ):
            answer = await http.post(path, json=body, headers=key())
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (status, code), (path, body)
            assert answer.headers["content-type"] == "application/problem+json"
            assert [error["field"] for error in problem.get("errors", [])] == (fields or [])
            fits("ProblemDetails", problem)
    assert await desk.fetchval("select count(*) from command") == 0


async def test_another_shops_order_takes_no_command(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk, OTHER_TOKEN) as http:
        answer = await http.post(f"/v1/orders/{placed.order_id}/payments", json=PAYMENT, headers=key())
        assert answer.status_code == 404
        look = await http.get(f"/v1/commands/{uuid4()}")
        assert (look.status_code, look.json()["code"]) == (404, "command_unknown")
    assert await desk.fetchval("select count(*) from command") == 0


async def test_a_command_without_a_usable_key_is_refused(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        for name in (None, "", "x" * 256, "a b", "é"):
            headers = [] if name is None else [(b"Idempotency-Key", name.encode())]
            answer = await http.post(f"/v1/orders/{placed.code}/payments", json=PAYMENT, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_needed"), name
            assert "Idempotency-Key" in answer.json()["detail"]
    assert await desk.fetchval("select count(*) from command") == 0


async def test_a_body_that_is_not_a_request_is_refused(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        url = f"/v1/orders/{placed.code}/payments"
        for content in (b"", b"{", b"[]", b"null", b"\xff", b'{"amount_minor": NaN}', b"[" * 100_000):
            headers = {**key(), "Content-Type": "application/json"}
            answer = await http.post(url, content=content, headers=headers)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.status_code in (400, 422), (content[:20], answer.text)
        answer = await http.post(url, content=b"{", headers={**key(), "Content-Type": "application/json"})
        [fault] = answer.json()["errors"]
        assert fault["code"] == "json_invalid"
        assert fault["message"].startswith(
            "The body is not JSON text in UTF-8: at line 1, byte 1, it ends before"
        )
        plain = await http.post(
            url, content=json.dumps(PAYMENT), headers={**key(), "Content-Type": "text/plain"}
        )
        assert plain.status_code == 422
    assert await desk.fetchval("select count(*) from command") == 0
