"""Which invoices and credit notes a run must issue, and what is told when they differ."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from contracts.payments.invoices import InvoicingSettings
from deploy.demo.expecting import received_minor
from deploy.demo.money.documents import CREDIT_NOTE, INVOICE, Documents, expected_documents, wrong_documents
from deploy.demo.sales.orders import demo_sales
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.stories import with_refunds
from deploy.samples.merchants import GARANCE, TRUMPET, Merchant
from services.payments.invoices.mentions import missing

SALES = [sale for sale in with_refunds(demo_sales()) if sale.is_placed]


def issued(sales: Sequence[Sale]) -> list[dict[str, Any]]:
    """What payments lists when all is well."""
    rows: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for order_id, documents in expected_documents(sales).items():
        for kind in documents.elements():
            counts[kind] += 1
            number = f"{'F' if kind == INVOICE else 'A'}2026-{counts[kind]:05}"
            rows.append({"order_id": str(order_id), "kind": kind, "position": counts[kind], "number": number})
    return rows


def test_every_paid_order_has_one_invoice_and_every_refund_a_credit_note() -> None:
    total = sum(expected_documents(SALES).values(), Counter())
    assert total[INVOICE] == sum(received_minor(sale) >= sale.total_minor > 0 for sale in SALES)
    assert total[CREDIT_NOTE] == sum(sale.story.refund is not None for sale in SALES)
    assert 0 < total[CREDIT_NOTE] < total[INVOICE] < len(SALES)


def test_nothing_is_reported_when_all_documents_are_there() -> None:
    documents = Documents.of(issued(SALES)[::-1])
    assert wrong_documents(documents, SALES) == []
    assert documents.span(INVOICE).startswith(f"{documents.count(INVOICE)}: F2026-00001 to F2026-")
    assert Documents.of([]).span(INVOICE) == "none"


def test_a_missing_document_an_extra_one_and_a_gap_are_reported() -> None:
    rows = issued(SALES)
    first, second, *others = [row for row in rows if row["kind"] == INVOICE]
    notes = [row for row in rows if row["kind"] == CREDIT_NOTE]
    twice = {**first, "position": len(others) + 3}
    faults = wrong_documents(Documents.of([first, twice, *others, *notes]), SALES)
    assert any(f"{first['order_id']} should have" in text and "invoice 2" in text for text in faults)
    assert any(f"{second['order_id']} should have" in text for text in faults)
    assert any("numbers of invoices should run from 1" in text for text in faults)


@pytest.mark.parametrize("merchant", [GARANCE, TRUMPET], ids=lambda merchant: merchant.shop)
def test_the_mentions_of_the_demos_shops_are_complete(merchant: Merchant) -> None:
    assert missing(InvoicingSettings.model_validate(merchant.mentions)) == []
