"""Disputes, closings and reconciliation on their pages, with the real payments service behind them."""

import re
from datetime import UTC, datetime
from uuid import uuid4

from contracts.payments.disputes import Dispute, DisputeClosed, DisputeOpened, ResolveDispute
from services.orders.backoffice.access.permissions import Role
from services.payments.closings.closing import close_next_day
from tests.backoffice.browser import SHOP
from tests.backoffice.payments.test_webhooks import Systems, systems
from tests.orders.rest_client import place, sale
from tests.payments.builders import record
from tests.payments.closings.test_chain import date_back
from tests.payments.conftest import cashdesks
from tests.payments.invoices.sales import line, placed

__all__ = ["cashdesks", "systems"]
DISPUTES, CLOSINGS, RECONCILIATION = "/payments/disputes", "/payments/closings", "/payments/reconciliation"


def dispute(**changes: object) -> Dispute:
    """A dispute over 89.40 euros that waits for an answer."""
    values = {
        "provider": "stripe",
        "provider_reference": "du_of-the-page",
        "version": 5,
        "state": "needs_response",
        "amount_minor": 8940,
        "currency": "EUR",
        "withdrawn_minor": 8940,
        "fees": [{"amount_minor": 2000, "currency": "EUR"}],
        "payment_reference": "pi_of-the-page",
        "payment_entry_id": uuid4(),
        "reason": "product_not_received",
        "due_at": datetime(2026, 12, 8, 12, 0, tzinfo=UTC),
        "opened_at": datetime(2026, 11, 29, 8, 0, tzinfo=UTC),
        "updated_at": datetime(2026, 11, 29, 8, 0, tzinfo=UTC),
    }
    return Dispute.model_validate({**values, **changes})


async def test_a_dispute_is_shown_with_its_deadline_and_settled_when_it_is_lost(systems: Systems) -> None:
    office = systems.backoffice
    placed = await place(office.desk, sale())
    about = {"shop": placed.shop, "order_id": placed.order_id, "code": placed.code}
    await office.desk.deliver(DisputeOpened(**about, dispute=dispute()))
    accountant = await office.signed_in(Role.ACCOUNTANT)
    shown = (await accountant.get(DISPUTES)).words
    assert all(
        one in shown for one in (placed.code, "€89.40", "Answer needed", "Goods not received", "€20.00")
    )
    page = (await accountant.get(f"/orders/{placed.code}")).words
    assert "Reference: du_of-the-page · Goods not received" in page
    assert "Reason: Goods not received" in page
    assert "not_received" not in page
    lost = dispute(version=6, state="lost", due_at=None)
    await office.desk.deliver(DisputeClosed(**about, dispute=lost))
    assert "No disputes here" in (await accountant.get(DISPUTES)).words
    to_resolve = f"{DISPUTES}?state=to_resolve"
    assert not [one for one in (await accountant.get(to_resolve)).forms if "resolve" in one.action]
    browser = await office.signed_in()
    (form,) = [one for one in (await browser.get(to_resolve)).forms if "resolve" in one.action]
    refused = await browser.post(form.action, form.filled(note="Colis perdu"))
    assert (refused.status, "Choose who bears the loss." in refused.words) == (422, True)
    (form,) = [one for one in (await browser.get(to_resolve)).forms if "resolve" in one.action]
    await browser.post(form.action, form.filled(resolution="written_off", note="Colis perdu"))
    sent = await office.desk.fetch("SELECT type FROM command")
    assert [row["type"] for row in sent] == [f"orders.{ResolveDispute.wire_name}"]


async def test_the_accountant_reads_closings_and_reconciliation(systems: Systems) -> None:
    accountant = await systems.backoffice.signed_in(Role.ACCOUNTANT)
    closings = await accountant.get(CLOSINGS)
    assert (closings.status, "No days closed in this year" in closings.words) == (200, True)
    assert (await accountant.get(f"{CLOSINGS}?year=x")).status == 404
    compared = await accountant.get(RECONCILIATION)
    assert (compared.status, "Nothing to compare with" in compared.words) == (200, True)
    assert not [one for one in compared.forms if "reconciliation" in one.action]


async def test_closed_days_show_their_totals_in_the_sequence_of_a_ledger(systems: Systems) -> None:
    desk = systems.cashdesk.desk
    order = placed([line(12_000)], shop=SHOP, order_id=uuid4(), code="K7F3-QD9M", placed_at=datetime.now(UTC))
    await desk.deliver(order)
    await desk.deliver(record(order, 12_000))
    await date_back(systems.cashdesk, 2)
    while await close_next_day(systems.cashdesk.hub, SHOP):
        pass
    day = (await desk.fetchval("SELECT min(day) FROM ledger_closing")).replace(day=1)
    accountant = await systems.backoffice.signed_in(Role.ACCOUNTANT)
    words = (await accountant.get(f"{CLOSINGS}?year={day.year}")).words
    shown = "Total of the order €120.00 Payment received €120.00"
    assert re.search(rf"Year {day.year} \d days? closed · 2 entries {shown}", words)
    assert re.search(rf"{day:%B} {day.year} \d 2 {shown}", words)
    french = await systems.backoffice.signed_in(Role.ACCOUNTANT, language="fr")
    assert "Total de la commande 120,00 €" in (await french.get(f"{CLOSINGS}?year={day.year}")).words.replace(
        "\u202f", " "
    ).replace("\xa0", " ")


async def test_a_difference_is_resolved_with_a_note(systems: Systems) -> None:
    await systems.cashdesk.hub.pool.execute(
        """INSERT INTO reconcile_finding (id, shop, provider, endpoint, side, kind, object_id, theirs_minor, currency,
               occurred_at, found_at, seen_at)
           VALUES (gen_random_uuid(), $1, 'stripe', 'hook', 'theirs', 'payment', 'pi_lost', 4200, 'EUR', now(),
               now(), now())""",
        SHOP,
    )
    browser = await systems.backoffice.signed_in()
    shown = await browser.get(RECONCILIATION)
    assert all(one in shown.words for one in ("pi_lost", "€42.00", "Only at the provider"))
    (form,) = [one for one in shown.forms if "resolve" in one.action]
    refused = await browser.post(form.action, form.filled(note=" "))
    assert (refused.status, "Enter an explanation" in refused.words) == (422, True)
    (form,) = [one for one in (await browser.get(RECONCILIATION)).forms if "resolve" in one.action]
    assert (await browser.post(form.action, form.filled(note="Don d’un ami"))).status == 303
    assert "No differences." in (await browser.get(RECONCILIATION)).words
    assert "Don d’un ami" in (await browser.get(f"{RECONCILIATION}?open=false")).words
