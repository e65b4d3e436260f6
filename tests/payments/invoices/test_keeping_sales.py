"""A sale without invoice is erased with its buyer five years after its last entry; one with an invoice is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.payments.invoices import ReissueInvoice
from contracts.service import CommandRejected
from services.chassis.background.retention import forget_due
from services.payments.invoices.retention import RULES
from tests.builders.orders import SHOP
from tests.payments.builders import record
from tests.payments.cashdesk import CashDesk
from tests.payments.invoices.test_issuing import issue, order, set_up

OLD, RECENT = timedelta(days=1830), timedelta(days=1820)


async def aged(cashdesk: CashDesk, placed: Any, age: timedelta) -> None:
    """Let an order and its entries be so old."""
    at = datetime.now(UTC) - age
    pool = cashdesk.desk.hub.pool
    await pool.execute("UPDATE sale SET placed_at = $2 WHERE order_id = $1", placed.order_id, at)
    await pool.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
    await pool.execute("UPDATE ledger_entry SET recorded_at = $2 WHERE order_id = $1", placed.order_id, at)
    await pool.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")


async def is_kept(cashdesk: CashDesk, placed: Any) -> bool:
    """Return whether the sale is there once what is due was erased."""
    cashdesk.hub.is_clock_doubtful = False
    await forget_due(cashdesk.hub, RULES)
    query = "SELECT content IS NOT NULL OR edit IS NOT NULL FROM sale WHERE order_id = $1"
    return bool(await cashdesk.desk.fetchval(query, placed.order_id))


@pytest.mark.parametrize(("age", "kept"), [(OLD, False), (RECENT, True)], ids=["old", "recent"])
async def test_a_sale_without_invoice_is_erased_with_time(
    cashdesk: CashDesk, age: timedelta, kept: bool
) -> None:
    sold = order()
    await cashdesk.desk.deliver(sold)
    await aged(cashdesk, sold, age)
    assert await is_kept(cashdesk, sold) is kept


async def test_money_that_moved_since_keeps_a_sale(cashdesk: CashDesk) -> None:
    sold = order()
    await cashdesk.desk.deliver(sold)
    await aged(cashdesk, sold, OLD)
    await cashdesk.desk.deliver(record(sold, 1000))
    assert await is_kept(cashdesk, sold)


async def test_a_sale_with_an_invoice_is_kept_for_its_credit_notes(cashdesk: CashDesk) -> None:
    sold = order()
    await set_up(cashdesk)
    await cashdesk.desk.deliver(sold)
    await cashdesk.desk.deliver(record(sold, 12_000))
    assert await issue(cashdesk)
    await aged(cashdesk, sold, OLD)
    assert await is_kept(cashdesk, sold)


async def test_an_invoice_of_an_erased_sale_is_refused_in_words(cashdesk: CashDesk) -> None:
    sold = order()
    await set_up(cashdesk)
    await cashdesk.desk.deliver(sold)
    await aged(cashdesk, sold, OLD)
    assert not await is_kept(cashdesk, sold)
    wish = ReissueInvoice(shop=SHOP, order_id=sold.order_id, reason="Comptabilité", actor="marie")
    (rejected,) = (await cashdesk.desk.deliver(wish)).messages_of(CommandRejected)
    assert [reason.code for reason in rejected.reasons] == ["sale_unknown"]
