"""One order whole over HTTP, by id or by code, and what became of a submission."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from contracts.envelope import uuid7
from contracts.payments.accounts import BalanceChanged, LedgerEntry, Position
from contracts.sale import PaymentMethod, Totals
from tests.conftest import Desks
from tests.orders.api.test_api_lists import fits
from tests.orders.rest_client import OTHER_TOKEN, PAYMENT, TOKENS, answered, client, key, place, sale, settled


async def test_an_order_is_shown_with_everything_by_id_and_by_code(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    sold = sale()
    placed = await place(desk, sold)
    async with client(desk) as http:
        paths = (str(placed.order_id), placed.code, placed.code.lower().replace("-", " "))
        answers = [await http.get(f"/v1/orders/{path}") for path in paths]
    order: dict[str, Any] = answers[0].json()
    assert all(answer.status_code == 200 and answer.json() == order for answer in answers)
    fits("OrderResponse", order)
    assert order["customer"]["name"] == "Zoé Martin"
    assert order["customer"]["company"] == "Martin SARL"
    assert order["shipping_address"]["city"] == "Quimper"
    assert order["billing_address"] is None
    assert order["totals"]["total_minor"] == order["money"]["balance_minor"] == 8400
    assert order["shipping"]["label"] == "Colissimo"
    assert order["note"] == "Sonner deux fois."
    assert [(line["line"], line["kind"], line["quantity"]) for line in order["lines"]] == [
        (1, "ship", 3),
        (2, "service", 1),
    ]
    assert order["lines"][0]["options"] == {"parfum": "figuier"}
    assert "192.0.2.7" not in answers[0].text
    assert "Mozilla" not in answers[0].text


async def test_a_payment_shows_in_the_ledger_and_its_command_beside_it(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        request = http.post(f"/v1/orders/{placed.code}/payments", json=PAYMENT, headers=key())
        done = await answered(desk, request, settled(placed.code))
        position = Position(version=1, currency="EUR", due_minor=8400, received_minor=8400, balance_minor=0)
        entry = LedgerEntry(
            entry_id=uuid4(),
            number=1,
            kind="payment_received",
            amount_minor=8400,
            method=PaymentMethod.CHEQUE,
            reference="0042",
            received_on=date(2026, 11, 22),
            actor="api:erp",
            occurred_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
            balance_after_minor=0,
        )
        about = {"shop": "maison", "order_id": placed.order_id, "code": placed.code}
        paid = BalanceChanged(**about, position=position, entries=[entry])
        await desk.deliver(paid)
        order = (await http.get(f"/v1/orders/{placed.order_id}")).json()
    fits("OrderResponse", order)
    (entry,) = order["ledger"]
    assert (entry["method"], entry["amount_minor"], entry["reference"]) == ("cheque", 8400, "0042")
    assert (entry["recorded_by"], entry["balance_minor"], entry["received_on"]) == (
        "api:erp",
        0,
        "2026-11-22",
    )
    assert order["commands"] == [done.json()]
    assert (order["state"], order["payment_status"], order["payment"]) == ("ready", "paid", "paid")
    assert (order["money"]["version"], order["money"]["received_minor"]) == (1, 8400)
    assert order["history"][-1]["state"] == "ready"
    assert any(activity["actor"] == "api:erp" for activity in order["activity"])


async def test_another_shops_order_does_not_exist(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk, OTHER_TOKEN) as http:
        for name in (placed.code, str(placed.order_id), str(uuid4()), "no such order"):
            answer = await http.get(f"/v1/orders/{name}")
            assert (answer.status_code, answer.json()["code"]) == (404, "order_unknown")
        answer = await http.get("/v1/orders/%00")
        assert (answer.status_code, answer.json()["code"]) == (422, "nul_in_address")


async def test_a_submission_shows_its_order_or_every_reason(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    good, odd = sale(idempotency_key="basket/7 é"), sale(idempotency_key="basket-8", currency="XXX")
    odd = odd.model_copy(update={"totals": Totals(lines_minor=1, total_minor=2)})
    placed, refused_id = await place(desk, good), uuid7()
    await desk.deliver(odd, id=refused_id)
    async with client(desk) as http:
        first = await http.get("/v1/submissions/shop/basket/7 é")
        second = await http.get("/v1/submissions/shop/basket-8")
        third = await http.get("/v1/submissions/events/basket-8")
    assert first.status_code == second.status_code == 200
    fits("SubmissionResponse", first.json())
    assert first.json() == {
        "module": "shop",
        "idempotency_key": "basket/7 é",
        "answer": "placed",
        "submission_id": str(placed.order_id),
        "order_id": str(placed.order_id),
        "code": placed.code,
        "reasons": [],
    }
    assert (second.json()["answer"], second.json()["submission_id"]) == ("refused", str(refused_id))
    assert len(second.json()["reasons"]) >= 2
    assert "order_id" not in second.json()
    assert (third.status_code, third.json()["code"]) == (404, "submission_unknown")
