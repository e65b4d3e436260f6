"""How fast invoices are issued, from orders that wait for it: numbered and frozen, then drawn as PDF.

Payments runs alone and knows the orders; the shop's legal details are completed at once, which makes all of them due.
"""

import time

from contracts.payments.invoices import InvoicingSettings, IssueAt
from tests.bench.harness import Harness
from tests.bench.row import Row
from tests.bench.sales import SHOP

GOAL_PER_SECOND = 300
GOAL_PDFS_PER_SECOND = 20
SETTINGS = InvoicingSettings(
    is_on=True,
    issue_at=IssueAt.PLACEMENT,
    mails_customer=False,
    name="Atelier Garance",
    legal_form="EI",
    street="12 rue de la Soif",
    postal_code="35000",
    city="Rennes",
    siret="73282932000074",
    registration="RNE",
    vat_number="FR44732829320",
    late_penalty="trois fois le taux d’intérêt légal",
    early_discount="néant",
)
_COMPLETE = """INSERT INTO invoicing (shop, version, settings, missing, is_on, since, changed_by, changed_at)
    VALUES ($1, 1, $2, '{}', true, '1970-01-01', 'bench', now())"""
_ISSUED = "SELECT count(*) FROM invoice"
_DRAWN = "SELECT count(*) FROM invoice_pdf"


async def measure(harness: Harness) -> list[Row]:
    """Invoices a second, and PDFs a second after them."""
    await harness.run_only("orders", "payments")
    before = await harness.fetchval("payments", "SELECT count(*) FROM sale")
    count = harness.scale.invoices
    await harness.place(count)
    await harness.until("payments", "SELECT count(*) FROM sale", before + count)
    await harness.ours.supervisor.stop("orders")
    due = await harness.fetchval(
        "payments",
        "SELECT count(*) FROM sale s JOIN account a USING (shop, order_id) WHERE s.is_due AND due_minor > 0",
    )
    harness.progress.begin(f"invoices: {due} due")
    await harness.fetch("payments", _COMPLETE, SHOP, SETTINGS.model_dump_json(exclude={"logo"}))
    began = time.monotonic()
    await harness.until("payments", _ISSUED, due)
    issued = time.monotonic()
    first = await harness.fetchval("payments", _DRAWN)
    await harness.until("payments", _DRAWN, min(due, first + harness.scale.invoice_pdfs))
    drawn = time.monotonic()
    made = await harness.fetchval("payments", _DRAWN) - first
    await harness.fetch("payments", "DELETE FROM invoicing")
    return [
        Row("invoices", due / (issued - began), "invoices/s", goal=GOAL_PER_SECOND),
        Row("invoice PDFs", made / (drawn - issued) if made else 0.0, "PDFs/s", goal=GOAL_PDFS_PER_SECOND),
    ]
