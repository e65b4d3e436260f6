"""Erasure in payments: a sale without invoice goes; invoices, the sales they are of, and the ledger stay."""

import json
from typing import Any
from uuid import UUID

import pytest

from contracts.envelope import uuid7
from contracts.orders.erasure import CustomerErased, ErasureDone
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.invoices import IssueAt
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.erasure.store import TIMER
from services.payments.erasing import ERASEABLE
from tests.builders.orders import SHOP
from tests.payments.builders import intent_id, placed, succeeded
from tests.payments.cashdesk import CashDesk
from tests.payments.invoices.test_issuing import issue, order, set_up

BUYER = "SELECT content::text AS content FROM sale WHERE order_id = $1"


async def erase(cashdesk: CashDesk, order_: OrderPlaced, erasure_id: UUID | None = None) -> ErasureDone:
    """Deliver the erasure and fire its timer; what is reported."""
    request = CustomerErased(erasure_id=erasure_id or uuid7(), shop=SHOP, order_ids=[order_.order_id])
    await cashdesk.desk.deliver(request)
    await run_pass(cashdesk)
    (done,) = [one for _, one in cashdesk.desk.emitted() if isinstance(one, ErasureDone)]
    return done


async def run_pass(cashdesk: CashDesk) -> None:
    """Fire the timer of the one erasure that is due."""
    (row,) = await cashdesk.desk.fetch("DELETE FROM msg.timer WHERE kind = $1 RETURNING key, payload", TIMER)
    cashdesk.desk._units.clear()
    async with cashdesk.desk.unit() as unit:
        await erasing.timer(ERASEABLE)(unit, row["key"], json.loads(row["payload"]))


async def fetch(cashdesk: CashDesk, table: str) -> list[Any]:
    return [dict(row) for row in await cashdesk.desk.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3")]  # noqa: S608


async def test_a_sale_without_invoice_is_erased(cashdesk: CashDesk) -> None:
    sale = order()
    await cashdesk.desk.deliver(sale)
    books = await fetch(cashdesk, "ledger_entry")
    done = await erase(cashdesk, sale)
    assert done.counts["sale"] == 1
    assert await cashdesk.desk.fetchval(BUYER, sale.order_id) is None
    assert await fetch(cashdesk, "ledger_entry") == books


async def test_an_invoice_and_the_sale_of_its_credit_notes_stay(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    sale = order()
    await cashdesk.desk.deliver(sale)
    await issue(cashdesk)
    before = await fetch(cashdesk, "invoice")
    done = await erase(cashdesk, sale)
    assert "sale" not in done.counts
    assert await fetch(cashdesk, "invoice") == before != []
    assert sale.customer.name in await cashdesk.desk.fetchval(BUYER, sale.order_id)


async def test_a_second_pass_changes_nothing_and_reports_it(cashdesk: CashDesk) -> None:
    sale = order()
    await cashdesk.desk.deliver(sale)
    first = await erase(cashdesk, sale)
    assert first.counts
    await cashdesk.desk.fetch("DELETE FROM msg.timer")
    assert (await erase(cashdesk, sale, first.erasure_id)).counts == {}


@pytest.mark.parametrize("cents", [3000, 9000])
async def test_what_comes_again_about_an_erased_order_keeps_no_content(
    cashdesk: CashDesk, cents: int
) -> None:
    """Under the id of an earlier event, with the same payment or with another amount."""
    sale = placed(3000, reference=(payment := intent_id()))
    await cashdesk.desk.deliver(sale)
    first = succeeded(payment, 3000)
    await cashdesk.post(first)
    await cashdesk.apply()
    await erase(cashdesk, sale)
    again = {**succeeded(payment, cents), "id": first["id"]}
    again["data"]["object"]["receipt_email"] = sale.customer.email
    await cashdesk.post(again)
    await cashdesk.apply()
    await run_pass(cashdesk)
    kept = await cashdesk.desk.fetch("SELECT state, convert_from(body, 'UTF8') AS body FROM webhook")
    assert {row["state"] for row in kept} == {"applied", "parked"}
    assert not [row for row in kept if sale.customer.email in row["body"]]
