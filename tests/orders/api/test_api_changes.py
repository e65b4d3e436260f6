"""Changes over REST: looked at before they are made, made once per key, refused from a stale form."""

import pytest

from tests.conftest import Desks
from tests.orders.changing_orders import Merchant, a_merchant
from tests.orders.rest_client import TOKENS, client, key


async def test_a_preview_shows_money_stock_and_what_stays_and_changes_nothing(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders", api_tokens=TOKENS))
    body = {"lines": [{"line": 1, "quantity": 1}, {"line": 2, "unit_price_minor": 3000}], "shipping": None}
    async with client(merchant.desk) as http:
        path = f"/v1/orders/{merchant.order.code}"
        seen = (await http.patch(path, json=body, params={"preview": True}, headers=key())).json()
        wrong = await http.patch(
            path, json={"lines": [{"line": 7, "quantity": 1}]}, params={"preview": True}, headers=key()
        )
        cancelled = (await http.post(f"{path}/cancellation?preview=true", json={}, headers=key())).json()
    assert (seen["due_change_minor"], seen["balance_after_minor"]) == (-3900, 4500)
    assert (seen["totals_before"]["total_minor"], seen["totals"]["total_minor"]) == (8400, 4500)
    assert (seen["stop"], seen["stays"], seen["add"]) == ([{"line": 1, "quantity": 2}], [], [])
    assert [reason["code"] for reason in wrong.json()["reasons"]] == ["line_unknown"]
    assert cancelled["due_change_minor"] == -8400
    assert await merchant.desk.fetchval("select count(*) from order_edit") == 0
    assert await merchant.desk.fetchval("select count(*) from command") == 0


async def test_the_same_key_is_the_same_change_and_another_content_is_refused(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders", api_tokens=TOKENS))
    path, header = f"/v1/orders/{merchant.order.order_id}", key()
    async with client(merchant.desk) as http:
        edit = {"customer": {"phone": "+33 6 00"}}
        first = await http.patch(path, json=edit, headers=header)
        again = await http.patch(path, json=edit, headers=header)
        other = await http.patch(path, json={"customer": {"phone": "1"}}, headers=header)
        shown = (await http.get(path)).json()
    assert (first.status_code, first.json()["state"], again.json()) == (200, "done", first.json())
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (shown["customer"]["phone"], shown["customer"]["company"]) == ("+33 6 00", "Martin SARL")
    assert await edits_of(merchant) == 1


async def test_refusals_give_the_reason_and_leave_no_command(desks: Desks) -> None:
    merchant = await a_merchant(await desks("orders", api_tokens=TOKENS))
    path = f"/v1/orders/{merchant.order.order_id}"
    async with client(merchant.desk) as http:
        stale = await http.patch(path, json={"revision": 9, "shipping": None}, headers=key())
        unknown = await http.patch(path, json={"shiping": None}, headers=key())
        alive = await http.post(f"{path}/reinstatement", json={}, headers=key())
        silent = await http.request("DELETE", path, headers=key())
        faulty = await http.patch(path, json={"lines": [{"line": 1, "discount_minor": 9999}]}, headers=key())
    assert (stale.status_code, stale.json()["code"]) == (409, "order_changed_meanwhile")
    assert (unknown.status_code, silent.status_code) == (422, 422)
    assert (alive.status_code, alive.json()["code"]) == (409, "order_not_cancelled")
    assert (faulty.status_code, faulty.json()["code"]) == (422, "change_refused")
    assert "discount_above_price" in {reason["code"] for reason in faulty.json()["errors"]}
    assert await merchant.desk.fetchval("select count(*) from command") == 0


@pytest.mark.parametrize("value", ["1500", "15.00", 15.0, True])
async def test_amounts_rates_and_counts_of_an_edit_are_json_integers(desks: Desks, value: object) -> None:
    merchant = await a_merchant(await desks("orders", api_tokens=TOKENS))
    edits: list[dict[str, object]] = [
        {"shipping": {"label": "Colissimo", "amount_minor": value}},
        {"shipping": {"label": "Colissimo", "amount_minor": 500, "vat_rate": value}},
        {"extra_lines": [{"label": "Frais", "amount_minor": 500, "tax_minor": value}]},
        {
            "extra_lines": [
                {"label": "Frais", "amount_minor": 1, "taxes": [{"rate_ppm": value, "tax_minor": 0}]}
            ]
        },
        {"lines": [{"line": 1, "vat_rate": value}]},
        {"revision": value},
    ]
    async with client(merchant.desk) as http:
        for edit in edits:
            answer = await http.patch(f"/v1/orders/{merchant.order.order_id}", json=edit, headers=key())
            assert answer.status_code == 422, edit
    assert await edits_of(merchant) == 0


async def edits_of(merchant: Merchant) -> int:
    """How many changes the order had."""
    count: int = await merchant.desk.fetchval("select count(*) from order_edit")
    return count
