"""Issued invoices and credit notes are copied once, shown in the history, in any sequence."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.envelope import uuid7
from contracts.payments.invoices import CreditNoteIssued, InvoiceIssued, InvoiceTotals
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Finder
from services.orders.order.search.indexing import index_due
from tests.builders.submissions import SHOP
from tests.conftest import Desks
from tests.orders.builders import Life, a_life
from tests.orders.listing.random_orders import PARIS

pytestmark = pytest.mark.rows("A30", "A32")
TOTALS = InvoiceTotals(net_minor=10_000, tax_minor=2000, total_minor=12_000)


def values_of(life: Life) -> dict[str, Any]:
    """What all documents of an order have, but for their id and number."""
    return {
        "shop": SHOP, "order_id": life.order_id, "code": life.code, "issued_on": date(2026, 11, 29),
        "issued_at": datetime(2026, 11, 29, 9, tzinfo=UTC), "currency": "EUR", "totals": TOTALS, "locale": "fr",
        "mails_customer": True, "invoice_id": uuid7(),
    }  # fmt: skip


async def test_a_document_is_copied_once_and_shown_in_the_history(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    invoice = InvoiceIssued(number="F2026-00001", **values_of(life))
    note = CreditNoteIssued(number="A2026-00001", corrects="F2026-00001", **values_of(life))
    for message in (note, invoice, invoice, note):
        await desk.deliver(message)
    rows = await desk.fetch("SELECT kind, number, corrects, total_minor FROM invoice ORDER BY kind")
    assert [tuple(row) for row in rows] == [
        ("credit_note", "A2026-00001", "F2026-00001", 12_000),
        ("invoice", "F2026-00001", None, 12_000),
    ]
    kinds = await desk.fetch("SELECT kind FROM activity WHERE kind LIKE '%issued' ORDER BY kind")
    assert [row["kind"] for row in kinds] == ["credit_note_issued", "invoice_issued"]


async def test_an_order_is_found_by_the_numbers_of_its_documents(desks: Desks) -> None:
    desk = await desks("orders")
    life, other = await a_life(desk), await a_life(desk)
    await index_due(desk.hub)
    for one, number in ((life, "F2026-00042"), (other, "F2026-00043")):
        await desk.deliver(InvoiceIssued(number=number, **values_of(one)))
    await desk.deliver(CreditNoteIssued(number="A2026-00007", corrects="F2026-00042", **values_of(life)))
    await index_due(desk.hub)
    async with desk.hub.acquire() as connection:
        for text in ("F2026-00042", "f2026 00042", "F202600042", "00042", "A2026-00007"):
            found = await Finder().page(connection, SHOP, Filters(q=text), PARIS)
            assert found.order_ids == (life.order_id,), text
        found = await Finder().page(connection, SHOP, Filters(q="F2026"), PARIS)
        assert set(found.order_ids) == {life.order_id, other.order_id}
