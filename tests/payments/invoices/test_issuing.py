"""Documents are issued by the ledger: at the right moment, numbered without gaps, in step with what is owed."""

import asyncio
import base64
import json
import os
import signal
import sys
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from structlog.testing import capture_logs

from contracts.envelope import uuid7
from contracts.message import LineUnits
from contracts.orders.changes import ChangeCause
from contracts.orders.lifecycle import OrderDeleted, OrderPlaced
from contracts.payments.invoices import (
    ChangeInvoicing,
    CreditNoteIssued,
    InvoiceIssued,
    InvoicingChanged,
    IssueAt,
    ReissueInvoice,
)
from contracts.payments.refunds import GrantCredit, RefundCause
from contracts.service import CommandDone, CommandRejected
from services import payments
from services.payments.accounts.unit.sale_store import EditRow, update_sales
from services.payments.invoices.document import digest
from services.payments.invoices.drawing import ATTEMPTS, PdfMaker
from services.payments.invoices.issuing.ready_shops import AT_ONCE, ReadyShops
from services.payments.invoices.issuing.worker import issue_documents
from services.payments.invoices.reading.archive import MISSING
from services.payments.invoices.reading.listing import DocumentFilter, read_contents_after
from services.payments.invoices.reading.paging import Pages
from tests.builders.orders import SHOP, deleted, edited
from tests.payments.builders import record, refund_order
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks
from tests.payments.invoices.sales import line, placed, settings
from tests.payments.invoices.test_pdf import PIXEL

MIGRATION = Path(payments.__file__).with_name("migrations") / "20261130193900_invoicing_switched_on.sql"
pytestmark = pytest.mark.rows("C14", "A30", "A32")


def order(total_minor: int = 12_000, *, shop: str = SHOP, **changes: Any) -> OrderPlaced:
    now = datetime.now(UTC)
    return placed([line(total_minor)], order_id=uuid7(), shop=shop, placed_at=now, **changes)


async def set_up(cashdesk: CashDesk, version: int = 0, **changes: Any) -> list[Any]:
    """Switch invoicing on; what was answered."""
    command = ChangeInvoicing(shop=SHOP, settings=settings(**changes), version=version, actor="staff:maelle")
    outcome = await cashdesk.desk.deliver(command)
    await cashdesk.desk.hub.pool.execute(
        """UPDATE invoicing SET since = since - interval '1 hour', switched_on_at = switched_on_at - interval '1 hour'
           WHERE since IS NOT NULL AND version = 1"""
    )
    return [message for _, message in outcome.emitted]


async def issue(cashdesk: CashDesk, shops: ReadyShops | None = None) -> list[Any]:
    """Issue what is due; the events."""
    cashdesk.desk._units.clear()
    shops = shops or ReadyShops()
    while await issue_documents(cashdesk.hub, shops):
        pass
    return [
        m for _, m in cashdesk.desk.emitted() if isinstance(m, InvoiceIssued | CreditNoteIssued | CommandDone)
    ]


async def pay(cashdesk: CashDesk, sale: OrderPlaced, amount: int | None = None) -> None:
    await cashdesk.desk.deliver(record(sale, amount))


async def test_an_invoice_is_issued_once_the_order_is_paid(cashdesk: CashDesk) -> None:
    (changed,) = await set_up(cashdesk)
    assert isinstance(changed, InvoicingChanged)
    assert (changed.version, changed.missing) == (1, [])
    sale = order()
    await cashdesk.desk.deliver(sale)
    assert await issue(cashdesk) == []
    await pay(cashdesk, sale)
    (issued,) = await issue(cashdesk)
    assert issued.number == f"F{issued.issued_on.year}-00001"
    assert (issued.totals.net_minor, issued.totals.tax_minor, issued.totals.total_minor) == (
        10_000,
        2000,
        12_000,
    )
    assert await issue(cashdesk) == []


async def test_an_invoice_is_issued_at_placement_where_the_shop_wants_it(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await cashdesk.desk.deliver(order())
    assert [type(one) for one in await issue(cashdesk)] == [InvoiceIssued]


async def test_orders_wait_while_a_mention_is_missing_and_are_issued_once_it_is_there(
    cashdesk: CashDesk,
) -> None:
    (changed,) = await set_up(cashdesk, issue_at=IssueAt.PLACEMENT, siret="")
    assert changed.missing == ["siret"]
    sale = order()
    await cashdesk.desk.deliver(sale)
    assert await issue(cashdesk) == []
    answer = await get(cashdesk, f"/internal/invoicing?shop={SHOP}")
    assert answer.json()["missing"] == ["siret"]
    assert [one["order_id"] for one in answer.json()["waiting"]] == [str(sale.order_id)]
    await set_up(cashdesk, version=1, issue_at=IssueAt.PLACEMENT)
    assert [one.order_id for one in await issue(cashdesk)] == [sale.order_id]


async def test_wrong_mentions_are_refused_each_with_its_sentence(cashdesk: CashDesk) -> None:
    wrong: dict[str, Any] = {
        "country": "ZZ",
        "iban": "FR00",
        "email": "not an address",
        "vat_number": "FRXX",
        "siret": "123",
    }
    (refused,) = await set_up(cashdesk, **wrong)
    assert isinstance(refused, CommandRejected)
    assert {one.field for one in refused.reasons} == {f"settings.{name}" for name in wrong}
    fields = {one.field: one.message for one in refused.reasons}
    assert fields["settings.siret"].startswith("A SIRET has 14 digits; 123 has 3.")


async def test_wrong_mentions_that_an_earlier_version_stored_keep_documents_back_until_they_are_corrected(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await cashdesk.hub.pool.execute("""UPDATE invoicing SET settings = settings || '{"iban": "FR00"}'""")
    sale = order()
    await cashdesk.desk.deliver(sale)
    with capture_logs() as logged:
        assert await issue(cashdesk) == []
        assert [(one.version, one.issues, one.missing) for one in restated(cashdesk)] == [(1, False, [])]
        assert await issue(cashdesk) == []
    assert restated(cashdesk) == []
    [held] = [line for line in logged if line["event"].startswith("invoices held back")]
    assert (held["shop"], held["fields"]) == (SHOP, ["iban"])
    answer = (await get(cashdesk, f"/internal/invoicing?shop={SHOP}")).json()
    assert answer["missing"] == []
    assert [(one["field"], one["code"]) for one in answer["invalid"]] == [("settings.iban", "iban_length")]
    assert [one["order_id"] for one in answer["waiting"]] == [str(sale.order_id)]
    cashdesk.desk._units.clear()
    await cashdesk.desk.deliver(
        ReissueInvoice(shop=SHOP, order_id=sale.order_id, reason="demandée", actor="staff:a")
    )
    ((_, refused),) = cashdesk.desk.emitted()
    assert isinstance(refused, CommandRejected)
    assert [one.code for one in refused.reasons] == ["mentions_invalid"]
    assert "iban: An IBAN that begins with FR has 27 characters; FR00 has 4." in refused.reasons[0].message
    await set_up(cashdesk, version=1, issue_at=IssueAt.PLACEMENT)
    assert [one.order_id for one in await issue(cashdesk)] == [sale.order_id]


async def test_mentions_that_contradict_each_other_are_accepted_issued_and_reported(
    cashdesk: CashDesk,
) -> None:
    doubted: dict[str, Any] = {"vat_number": "FR83404833048", "country": "BE"}
    (changed,) = await set_up(cashdesk, issue_at=IssueAt.PLACEMENT, **doubted)
    assert isinstance(changed, InvoicingChanged)
    assert (changed.missing, changed.issues) == ([], True)
    told = (await get(cashdesk, f"/internal/invoicing?shop={SHOP}")).json()
    assert (told["invalid"], told["missing"]) == ([], [])
    assert [(one["field"], one["code"]) for one in told["doubtful"]] == [
        ("settings.vat_number", "siren_differs"),
        ("settings.postal_code", "postal_code_elsewhere"),
    ]
    sale = order()
    await cashdesk.desk.deliver(sale)
    assert [one.order_id for one in await issue(cashdesk)] == [sale.order_id]


async def test_settings_that_cannot_be_read_are_named_and_never_replaced(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    sale = order()
    await cashdesk.desk.deliver(sale)
    await cashdesk.hub.pool.execute(
        """UPDATE invoicing SET settings = settings || '{"issue_at": "shipment"}'"""
    )
    stored = await cashdesk.desk.fetchval("SELECT settings FROM invoicing")
    answer = await get(cashdesk, f"/internal/invoicing?shop={SHOP}")
    assert (answer.status_code, answer.json()["code"]) == (409, "settings_unreadable")
    assert f"settings of shop {SHOP} can't be read by this version (issue_at)" in answer.json()["detail"]
    for version in (0, 1):
        (refused,) = await set_up(cashdesk, version=version)
        assert isinstance(refused, CommandRejected)
        assert [one.code for one in refused.reasons] == ["settings_unreadable"]
    cashdesk.desk._units.clear()
    await cashdesk.desk.deliver(
        ReissueInvoice(shop=SHOP, order_id=sale.order_id, reason="demandée", actor="staff:a")
    )
    ((_, rejected),) = cashdesk.desk.emitted()
    assert isinstance(rejected, CommandRejected)
    assert [one.code for one in rejected.reasons] == ["settings_unreadable"]
    assert await cashdesk.desk.fetchval("SELECT settings FROM invoicing") == stored
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM msg.parked") == 0


async def test_settings_that_the_rules_no_longer_refuse_issue_without_being_saved_again(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await cashdesk.hub.pool.execute(
        "UPDATE invoicing SET missing = '{iban}', issues_announced = false"  # as an earlier version left it
    )
    sale = order()
    await cashdesk.desk.deliver(sale)
    assert [one.order_id for one in await issue(cashdesk)] == [sale.order_id]
    assert await cashdesk.desk.fetchval("SELECT issues_announced FROM invoicing")


async def test_settings_of_an_earlier_version_are_published_once_with_the_day_from_which_they_count(
    cashdesk: CashDesk,
) -> None:
    first_day = datetime.now(UTC).date() + timedelta(days=3)
    (changed,) = await set_up(cashdesk, issue_at=IssueAt.PLACEMENT, first_day=first_day)
    midnight = datetime.combine(first_day, time(), ZoneInfo("Europe/Paris"))
    assert (changed.issues, changed.since) == (True, midnight)
    assert await issue(cashdesk) == []
    assert restated(cashdesk) == []
    await cashdesk.hub.pool.execute("UPDATE invoicing SET issues_announced = NULL")
    await issue(cashdesk)
    since = await cashdesk.desk.fetchval("SELECT since FROM invoicing")
    assert restated(cashdesk) == [changed.model_copy(update={"since": since})]
    await issue(cashdesk)
    assert restated(cashdesk) == []


async def test_settings_are_read_once_per_version_and_only_of_shops_with_something_due(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await with_more_shops(cashdesk, 2 * AT_ONCE + 1)
    statements: list[str] = []
    async with cashdesk.hub.acquire() as connection:  # each later step uses this one
        connection.add_query_logger(lambda query: statements.append(query.query))
    shops = ReadyShops()
    assert await issue(cashdesk, shops) == []
    assert len(reading_settings(statements)) == 3
    statements.clear()
    assert await issue(cashdesk, shops) == []
    assert len(statements) == 1, "only the search for something due"
    sale = order()
    await cashdesk.desk.deliver(sale)
    await set_up(cashdesk, version=1, issue_at=IssueAt.PLACEMENT, siret="")
    for _ in range(2):
        assert await issue(cashdesk, shops) == []
    assert len(reading_settings(statements)) == 1
    await set_up(cashdesk, version=2, issue_at=IssueAt.PLACEMENT)
    assert [one.order_id for one in await issue(cashdesk, shops)] == [sale.order_id]


async def with_more_shops(cashdesk: CashDesk, number: int) -> None:
    """Give as many more shops the settings of the first."""
    await cashdesk.hub.pool.execute(
        """INSERT INTO invoicing
           SELECT r.* FROM invoicing i, generate_series(1, $1) AS n,
               jsonb_populate_record(i, jsonb_build_object('shop', 'other-' || n)) AS r""",
        number,
    )


def reading_settings(statements: list[str]) -> list[str]:
    return [one for one in statements if "issues_announced, settings FROM invoicing" in one]


async def test_settings_that_cannot_be_read_hold_back_their_own_shop_only(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await with_more_shops(cashdesk, 2)
    newer = (
        """UPDATE invoicing SET version = version + 1, settings = settings || '{"issue_at": "shipment"}'"""
    )
    await cashdesk.hub.pool.execute(f"{newer} WHERE shop = 'other-1'")
    sales = {shop: order(shop=shop) for shop in (SHOP, "other-1", "other-2")}
    for sale in sales.values():
        await cashdesk.desk.deliver(sale)
    shops = ReadyShops()
    with capture_logs() as logged:
        issued = [one.order_id for one in await issue(cashdesk, shops)]
        assert await issue(cashdesk, shops) == []
    assert sorted(issued) == sorted([sales[SHOP].order_id, sales["other-2"].order_id])
    unreadable = [line for line in logged if line["log_level"] == "error"]
    assert [(line["event"], line["shop"]) for line in unreadable] == [
        ("invoicing settings unreadable; documents of this shop wait", "other-1")
    ]

    await cashdesk.desk.deliver(late := order(shop="other-2"))
    await cashdesk.desk.deliver(other := order())
    # as if they changed between the search and the issue: the version found is still that of the readable settings
    await cashdesk.hub.pool.execute(newer.replace("version + 1", "version") + " WHERE shop = 'other-2'")
    assert [one.order_id for one in await issue(cashdesk, shops)] == [other.order_id]
    failed = "SELECT failure FROM sale WHERE order_id = $1"
    assert await cashdesk.hub.pool.fetchval(failed, late.order_id) is None
    corrected = (
        """UPDATE invoicing SET version = version + 1, settings = settings || '{"issue_at": "placement"}'"""
    )
    await cashdesk.hub.pool.execute(corrected)
    assert {one.order_id for one in await issue(cashdesk, shops)} == {
        late.order_id,
        sales["other-1"].order_id,
    }


def restated(cashdesk: CashDesk) -> list[InvoicingChanged]:
    """The settings that the worker published since the last call of `issue` began."""
    return [one for _, one in cashdesk.desk.emitted() if isinstance(one, InvoicingChanged)]


async def test_orders_placed_before_invoicing_was_on_get_none_unless_requested(cashdesk: CashDesk) -> None:
    old = order().model_copy(update={"placed_at": datetime.now(UTC) - timedelta(days=3)})
    await cashdesk.desk.deliver(old)
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    assert await issue(cashdesk) == []
    await cashdesk.desk.deliver(
        ReissueInvoice(shop=SHOP, order_id=old.order_id, reason="demandée", actor="staff:a")
    )
    assert [type(one) for one in await issue(cashdesk)] == [InvoiceIssued]


async def test_an_earlier_first_day_invoices_the_orders_placed_since_then(cashdesk: CashDesk) -> None:
    old, older = (
        order().model_copy(update={"placed_at": datetime.now(UTC) - timedelta(days=days)}) for days in (2, 5)
    )
    await cashdesk.desk.deliver(
        ChangeInvoicing(shop=SHOP, settings=settings(issue_at=IssueAt.PLACEMENT), version=0, actor="a")
    )
    for one in (old, older):
        await cashdesk.desk.deliver(one)
    assert await issue(cashdesk) == []
    day = (datetime.now(UTC) - timedelta(days=3)).date()
    earlier = settings(issue_at=IssueAt.PLACEMENT, first_day=day)
    await cashdesk.desk.deliver(ChangeInvoicing(shop=SHOP, settings=earlier, version=1, actor="a"))
    (issued,) = await issue(cashdesk)
    assert issued.order_id == old.order_id


async def test_without_a_first_day_orders_are_invoiced_from_when_invoicing_was_first_switched_on(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    soon = (datetime.now(UTC) + timedelta(days=100)).date()
    await set_up(cashdesk, version=1, issue_at=IssueAt.PLACEMENT, first_day=soon)
    before = order().model_copy(update={"placed_at": datetime.now(UTC) - timedelta(days=2)})
    sale = order()
    for one in (before, sale):
        await cashdesk.desk.deliver(one)
    assert await issue(cashdesk) == []
    await set_up(cashdesk, version=2, issue_at=IssueAt.PLACEMENT)
    assert [one.order_id for one in await issue(cashdesk)] == [sale.order_id]


async def test_the_migration_repairs_a_shop_whose_first_day_to_come_was_taken_back(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await cashdesk.hub.pool.execute("UPDATE invoicing SET since = '2098-12-31'")
    sale = order()
    await cashdesk.desk.deliver(sale)
    assert await issue(cashdesk) == []
    up, _, down = MIGRATION.read_text(encoding="utf-8").partition("-- migrate:down")
    await cashdesk.hub.pool.execute(down)
    await cashdesk.hub.pool.execute(up)
    assert [one.order_id for one in await issue(cashdesk)] == [sale.order_id]


async def test_a_first_day_more_than_a_year_ahead_is_refused(cashdesk: CashDesk) -> None:
    far = (datetime.now(UTC) + timedelta(days=400)).date()
    (refused,) = await set_up(cashdesk, first_day=far)
    assert isinstance(refused, CommandRejected)
    assert [(one.code, one.field) for one in refused.reasons] == [("first_day_too_far", "settings.first_day")]
    assert f"the first day {far} is more than a year ahead" in refused.reasons[0].message


async def test_a_first_day_may_be_up_to_a_year_ahead_in_the_shops_time_zone(cashdesk: CashDesk) -> None:
    today = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    latest = today + timedelta(days=365 if (today + timedelta(days=365)).day == today.day else 366)
    zone: dict[str, Any] = {"time_zone": "Pacific/Kiritimati"}
    (refused,) = await set_up(cashdesk, first_day=latest + timedelta(days=1), **zone)
    assert isinstance(refused, CommandRejected)
    assert f"choose one up to {latest}," in refused.reasons[0].message
    (changed,) = await set_up(cashdesk, first_day=latest, **zone)
    assert not isinstance(changed, CommandRejected)


async def test_a_refund_and_a_goodwill_credit_make_credit_notes(cashdesk: CashDesk) -> None:
    await set_up(cashdesk)
    sale = order()
    await cashdesk.desk.deliver(sale)
    await pay(cashdesk, sale)
    await issue(cashdesk)
    await cashdesk.desk.deliver(refund_order(sale, 3000))
    await cashdesk.desk.deliver(
        GrantCredit(
            shop=SHOP, order_id=sale.order_id, amount_minor=1000, currency="EUR", reason="Retard", actor="a"
        )
    )
    notes = await issue(cashdesk)
    assert [(type(one), one.number[0], one.totals.total_minor) for one in notes] == [
        (CreditNoteIssued, "A", 3000),
        (CreditNoteIssued, "A", 1000),
    ]
    assert sum(one.totals.tax_minor for one in notes) == 667
    assert all(one.corrects.startswith("F") for one in notes)
    assert [one.get("reason", "") for one in await contents(cashdesk)] == ["", "Remboursement", "Retard"]
    await cashdesk.desk.deliver(refund_order(sale, 500, cause=RefundCause.PAYMENT_UNDONE))
    assert await issue(cashdesk) == []


async def test_a_dearer_order_gets_a_second_invoice_and_a_cheaper_one_a_credit_note(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    sale = order()
    await cashdesk.desk.deliver(sale)
    await issue(cashdesk)
    dearer = placed([line(12_000), line(633, 550, number=2)])
    await cashdesk.desk.deliver(edited(sale, 633, lines=dearer.lines, totals=dearer.totals))
    (more,) = await issue(cashdesk)
    assert (type(more), more.totals.total_minor, more.totals.tax_minor) == (InvoiceIssued, 633, 33)
    cheaper = placed([line(10_400), line(633, 550, number=2)])
    await cashdesk.desk.deliver(edited(sale, -1600, lines=cheaper.lines, totals=cheaper.totals, revision=3))
    (less,) = await issue(cashdesk)
    assert (type(less), less.totals.total_minor, less.totals.tax_minor) == (CreditNoteIssued, 1600, 267)
    rates = [[group["rate_ppm"] for group in one["groups"]] for one in await contents(cashdesk)]
    assert rates == [[200_000], [55_000], [200_000]]


async def test_units_cancelled_before_the_first_invoice_keep_their_rate_and_reason(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk)
    sale = placed(
        [line(2000, 550), line(2000, number=2)], order_id=uuid7(), shop=SHOP, placed_at=datetime.now(UTC)
    )
    await cashdesk.desk.deliver(sale)
    assert await issue(cashdesk) == []
    cancelled = [LineUnits(line=1, quantity=1)]
    await cashdesk.desk.deliver(
        edited(sale, -2000, ChangeCause.CANCELLED, cancelled_lines=cancelled, reason="Rupture de stock")
    )
    assert await issue(cashdesk) == []
    await pay(cashdesk, sale, 2000)
    assert [type(one) for one in await issue(cashdesk)] == [InvoiceIssued, CreditNoteIssued]
    first, note = await contents(cashdesk)
    assert (first["total_minor"], first["paid_minor"]) == (4000, 4000)
    assert (note["reason"], [group_of(one) for one in note["groups"]]) == (
        "Rupture de stock",
        [(55_000, 1896, 104)],
    )
    await cashdesk.desk.deliver(
        ReissueInvoice(shop=SHOP, order_id=sale.order_id, reason="Adresse", actor="staff:a")
    )
    assert len(await issue(cashdesk)) == 3
    *_, second, again = await contents(cashdesk)
    assert (second["total_minor"], second["paid_minor"]) == (4000, 4000)
    assert (again["reason"], again["groups"]) == (note["reason"], note["groups"])


async def test_a_prefix_that_numbers_the_other_kind_is_refused(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT, invoice_prefix="A", credit_note_prefix="F")
    await cashdesk.desk.deliver(order())
    await issue(cashdesk)
    (refused,) = await set_up(cashdesk, version=1, invoice_prefix="F", credit_note_prefix="A")
    assert [(one.code, one.field) for one in refused.reasons] == [
        ("prefix_used", "settings.credit_note_prefix")
    ]
    (changed,) = await set_up(cashdesk, version=1, invoice_prefix="F", credit_note_prefix="G")
    assert isinstance(changed, InvoicingChanged)


async def test_an_order_that_fails_by_itself_is_set_aside_and_tried_again_on_request(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    sales = [order() for _ in range(3)]
    for sale in sales:
        await cashdesk.desk.deliver(sale)
    spoiled = await cashdesk.desk.hub.pool.fetchval(
        "UPDATE sale SET content = content - 'currency' WHERE order_id = $1 RETURNING order_id",
        sales[0].order_id,
    )
    issued = [one.order_id for one in await issue(cashdesk)]
    assert sorted(issued) == sorted(one.order_id for one in sales[1:])
    shown = (await get(cashdesk, f"/internal/invoicing?shop={SHOP}")).json()["failed"]
    assert [one["order_id"] for one in shown] == [str(spoiled)]
    assert "Sale" in shown[0]["failure"]
    await cashdesk.desk.deliver(ReissueInvoice(shop=SHOP, order_id=spoiled, reason="encore", actor="staff:a"))
    cashdesk.desk._units.clear()
    await issue_documents(cashdesk.hub, ReadyShops())
    (rejected,) = [m for _, m in cashdesk.desk.emitted() if isinstance(m, CommandRejected)]
    assert [reason.code for reason in rejected.reasons] == ["invoice_failed"]
    await cashdesk.desk.hub.pool.execute(
        'UPDATE sale SET content = content || \'{"currency": "EUR"}\' WHERE order_id = $1', spoiled
    )
    answer = await post(cashdesk, "/internal/invoicing/retry", shop=SHOP)
    assert answer.json() == {"orders": 1, "pdfs": 0}
    assert [one.order_id for one in await issue(cashdesk)] == [spoiled]
    assert (await get(cashdesk, f"/internal/invoicing?shop={SHOP}")).json()["failed"] == []


async def test_open_orders_are_invoiced_when_the_time_of_issue_becomes_the_placement(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk)
    sale = order()
    await cashdesk.desk.deliver(sale)
    assert await issue(cashdesk) == []
    await set_up(cashdesk, version=1, issue_at=IssueAt.PLACEMENT)
    assert [one.order_id for one in await issue(cashdesk)] == [sale.order_id]


async def test_a_request_for_an_invoice_is_answered_when_invoicing_is_switched_off(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk)
    sale = order()
    await cashdesk.desk.deliver(sale)
    request = ReissueInvoice(shop=SHOP, order_id=sale.order_id, reason="demandée", actor="staff:a")
    await cashdesk.desk.deliver(request)
    rejected = [
        one for one in await set_up(cashdesk, version=1, is_on=False) if isinstance(one, CommandRejected)
    ]
    assert [(one.order_id, one.command_type, one.reasons[0].code) for one in rejected] == [
        (sale.order_id, "orders.invoice.reissue.v1", "invoicing_off")
    ]
    await set_up(cashdesk, version=2)
    assert (await cashdesk.desk.deliver(request)).emitted == []


async def test_a_request_for_an_invoice_is_answered_when_its_order_is_deleted(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    for is_invoiced in (False, True):
        sale = order()
        await cashdesk.desk.deliver(sale)
        if is_invoiced:
            await issue(cashdesk)
        await cashdesk.desk.deliver(
            ReissueInvoice(shop=SHOP, order_id=sale.order_id, reason="demandée", actor="staff:a")
        )
        outcome = await cashdesk.desk.deliver(deleted(sale))
        assert [one.reasons[0].code for one in outcome.messages_of(CommandRejected)] == ["order_deleted"]
        assert await issue(cashdesk) == []


async def test_an_export_holds_no_connection_while_it_is_sent(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    sales = [order() for _ in range(3)]
    for sale in sales:
        await cashdesk.desk.deliver(sale)
    await issue(cashdesk)
    goodwill = {"shop": SHOP, "order_id": sales[0].order_id, "amount_minor": 100, "currency": "EUR"}
    await cashdesk.desk.deliver(GrantCredit.model_validate({**goodwill, "reason": "Retard", "actor": "a"}))
    await issue(cashdesk)
    pool, kinds = cashdesk.hub.pool, []
    async for row in Pages(cashdesk.hub).rows(read_contents_after, DocumentFilter(SHOP), 1):
        assert pool.get_idle_size() == pool.get_size()
        kinds.append((json.loads(row["content"])["kind"], row["position"]))
    assert kinds == [("invoice", 1), ("invoice", 2), ("invoice", 3), ("credit_note", 1)]


async def test_edits_of_one_batch_are_stored_as_the_last_one_with_all_cancelled_units(
    cashdesk: CashDesk,
) -> None:
    sales = [order() for _ in range(2)]
    for sale in sales:
        await cashdesk.desk.deliver(sale)
    edits = [
        EditRow(SHOP, sale.order_id, revision, json.dumps({"r": revision}), json.dumps({str(revision): []}))
        for sale in sales
        for revision in (3, 2, 4)
    ]
    async with cashdesk.hub.unit() as unit:
        await update_sales(unit.writes, edits)
    for row in await cashdesk.desk.fetch("SELECT revision, edit, cancelled FROM sale"):
        assert (row["revision"], json.loads(row["edit"])) == (4, {"r": 4})
        assert json.loads(row["cancelled"]).keys() == {"2", "3", "4"}


async def contents(cashdesk: CashDesk) -> list[dict[str, Any]]:
    """The frozen contents, the first issued first."""
    rows = await cashdesk.desk.fetch("SELECT content FROM invoice ORDER BY issued_at, id")
    return [json.loads(row["content"]) for row in rows]


def group_of(group: dict[str, Any]) -> tuple[int, int, int]:
    return group["rate_ppm"], group["net_minor"], group["tax_minor"]


async def test_a_reissued_invoice_is_taken_back_and_issued_again(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    sale = order()
    await cashdesk.desk.deliver(sale)
    (first,) = await issue(cashdesk)
    command = ReissueInvoice(shop=SHOP, order_id=sale.order_id, reason="Adresse corrigée", actor="staff:a")
    assert (await cashdesk.desk.deliver(command)).emitted == []
    refused = await cashdesk.desk.deliver(command)
    assert [reason.code for reason in refused.messages_of(CommandRejected)[0].reasons] == [
        "invoice_being_issued"
    ]
    note, second = await issue(cashdesk)
    assert (note.corrects, note.totals) == (first.number, first.totals)
    assert (type(second), second.totals, second.number > first.number) == (InvoiceIssued, first.totals, True)


async def test_settings_that_make_no_sense_are_refused_with_every_reason(cashdesk: CashDesk) -> None:
    await set_up(cashdesk)
    (refused,) = await set_up(
        cashdesk,
        version=7,
        time_zone="Europe/Brest",
        credit_note_prefix="F",
        logo="bm8gcGljdHVyZQ==",
        first_day=date(19, 11, 2),
    )
    assert isinstance(refused, CommandRejected)
    assert {reason.code for reason in refused.reasons} == {
        "version_differs",
        "time_zone_unknown",
        "date_out_of_range",
        "prefixes_equal",
        "logo_unreadable",
    }


async def test_a_deleted_order_without_invoice_is_erased_and_an_issued_one_stays(cashdesk: CashDesk) -> None:
    await set_up(cashdesk)
    sale = order()
    await cashdesk.desk.deliver(sale)
    await cashdesk.desk.deliver(
        OrderDeleted(
            shop=SHOP,
            order_id=sale.order_id,
            code=sale.code,
            reason="doublon",
            actor="a",
            deleted_at=datetime.now(UTC),
        )
    )
    assert (
        await cashdesk.desk.fetchval(
            "SELECT count(*) FROM sale WHERE content IS NOT NULL OR edit IS NOT NULL"
        )
        == 0
    )
    assert await issue(cashdesk) == []


async def test_issued_documents_refuse_every_change(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await cashdesk.desk.deliver(order())
    await issue(cashdesk)
    for statement in ("UPDATE invoice SET number = 'F1'", "DELETE FROM invoice", "TRUNCATE invoice CASCADE"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await cashdesk.desk.hub.pool.execute(statement)
    row = (await cashdesk.desk.fetch("SELECT content, digest FROM invoice"))[0]
    assert digest(row["content"]) == row["digest"]


async def test_numbers_have_no_gap_when_two_processes_issue_at_once(cashdesks: CashDesks) -> None:
    one = await cashdesks()
    two = await cashdesks(one.hub.settings.database_url.get_secret_value())
    await set_up(one, issue_at=IssueAt.PLACEMENT)
    for _ in range(4):
        for _ in range(15):
            await one.desk.deliver(order())
        hubs = (one.hub, two.hub, one.hub)
        await asyncio.gather(*(issue_documents(hub, ReadyShops()) for hub in hubs))
    await issue(one)
    positions = await one.desk.fetchval("SELECT array_agg(position ORDER BY position) FROM invoice")
    assert positions == list(range(1, 61))
    assert await one.desk.fetchval("SELECT count(DISTINCT order_id) FROM invoice") == 60


@pytest.mark.parametrize("point", ["before_commit@unit", "after_commit@unit"])
async def test_a_death_while_issuing_leaves_no_gap(cashdesk: CashDesk, point: str) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    for _ in range(3):
        await cashdesk.desk.deliver(order())
    url = cashdesk.hub.settings.database_url.get_secret_value()
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.payments.invoices.issuing_program", url),
        env={**os.environ, "COMPTOIR_FAILPOINT": point, "PYTHONPATH": "."},
    )
    assert await killed.wait() == -signal.SIGKILL
    issued = await cashdesk.desk.fetchval("SELECT count(*) FROM invoice")
    assert issued == (0 if point.startswith("before") else 3)
    await issue(cashdesk)
    assert await cashdesk.desk.fetchval("SELECT array_agg(position ORDER BY position) FROM invoice") == [
        1,
        2,
        3,
    ]
    assert await cashdesk.desk.fetchval("SELECT last FROM invoice_series") == 3


async def test_the_pdf_is_made_once_and_read_over_http(cashdesk: CashDesk) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await cashdesk.desk.deliver(order())
    (issued,) = await issue(cashdesk)
    path = f"/internal/invoices/{SHOP}/{issued.invoice_id}/pdf"
    early = await get(cashdesk, path)
    assert (early.status_code, early.headers["retry-after"]) == (503, "2")
    await PdfMaker(cashdesk.hub, cashdesk.renderer).effects.run(cashdesk.hub)
    pdf = await get(cashdesk, path)
    assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
    assert (await cashdesk.client.get(path)).status_code == 401
    assert (await get(cashdesk, f"/internal/invoices/autre/{issued.invoice_id}/pdf")).status_code == 404


async def test_a_document_whose_logo_is_broken_is_drawn_without_it_and_a_failure_is_answered(
    cashdesk: CashDesk,
) -> None:
    broken = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(50)).decode()
    assert (await post(cashdesk, "/internal/invoicing/logo", logo=broken)).status_code == 422
    assert (
        await post(cashdesk, "/internal/invoicing/logo", logo=base64.b64encode(PIXEL).decode())
    ).status_code == 200
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT, logo=broken)
    await cashdesk.desk.deliver(order())
    (issued,) = await issue(cashdesk)
    path = f"/internal/invoices/{SHOP}/{issued.invoice_id}/pdf"
    worker = PdfMaker(cashdesk.hub, cashdesk.renderer).effects
    for attempts, status in ((0, 503), (ATTEMPTS - 1, 200)):
        await cashdesk.desk.hub.pool.execute(
            "UPDATE msg.effect SET attempts = $1, next_at = now() WHERE kind = 'invoice_pdf'", attempts
        )
        await worker.run(cashdesk.hub)
        assert (await get(cashdesk, path)).status_code == status
    await cashdesk.desk.hub.pool.execute("DELETE FROM invoice_pdf")
    await cashdesk.desk.hub.pool.execute("UPDATE msg.effect SET state = 'failed', detail = 'no font'")
    answer = await get(cashdesk, path)
    assert (answer.status_code, "no font" in answer.text) == (409, True)


async def test_documents_without_pdf_are_named_by_lists_archives_and_prints_and_are_made_on_request(
    cashdesk: CashDesk,
) -> None:
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    for _ in range(3):
        await cashdesk.desk.deliver(order())
    made, failed, waiting = await issue(cashdesk)
    maker, pool = PdfMaker(cashdesk.hub, cashdesk.renderer).effects, cashdesk.hub.pool
    hold = "UPDATE msg.effect SET {} WHERE key = $1"
    await pool.execute(hold.format("state = 'failed', detail = 'no font'"), str(failed.invoice_id))
    await pool.execute(hold.format("next_at = now() + interval '1 hour'"), str(waiting.invoice_id))
    await maker.run(cashdesk.hub)
    listed = (await get(cashdesk, f"/internal/invoices?shop={SHOP}")).json()
    states = {one["number"]: one["pdf"] for one in listed["invoices"]}
    assert states == {made.number: "made", failed.number: "failed", waiting.number: "waiting"}
    assert listed["without_pdf"] == 2
    of_one = f"/internal/invoices?shop={SHOP}&id={failed.invoice_id}"
    one = (await get(cashdesk, of_one)).json()
    assert ([row["number"] for row in one["invoices"]], one["without_pdf"]) == ([failed.number], 1)
    assert (await get(cashdesk, f"/internal/invoices?shop={SHOP}&id=x")).status_code == 422
    chosen = f"/internal/invoices/print?shop={SHOP}&id={made.invoice_id}&id={failed.invoice_id}"
    refused = await get(cashdesk, chosen)
    assert (refused.status_code, failed.number in refused.text) == (503, True)
    assert (await get(cashdesk, f"{chosen}&id={uuid7()}")).status_code == 404
    zipped = await get(cashdesk, f"/internal/invoices/export/zip?shop={SHOP}")
    with zipfile.ZipFile(BytesIO(zipped.content)) as archive:
        assert archive.namelist() == [f"{made.number}.pdf", MISSING]
        assert archive.read(MISSING).decode().split()[-2:] == [failed.number, waiting.number]
    invoicing = f"/internal/invoicing?shop={SHOP}"
    assert (await get(cashdesk, invoicing)).json()["failed_pdfs"] == 1
    answer = await post(cashdesk, "/internal/invoicing/retry", shop=SHOP)
    assert answer.json() == {"orders": 0, "pdfs": 1}
    await maker.run(cashdesk.hub)
    assert (await get(cashdesk, chosen)).status_code == 200
    assert (await get(cashdesk, invoicing)).json()["failed_pdfs"] == 0


async def test_a_mention_that_no_font_can_print_is_refused_and_a_stored_one_holds_nothing_back(
    cashdesk: CashDesk,
) -> None:
    (refused,) = await set_up(cashdesk, trade_name="Chez 🥐")
    assert isinstance(refused, CommandRejected)
    assert [(one.code, one.field) for one in refused.reasons] == [
        ("text_not_in_fonts", "settings.trade_name")
    ]
    await set_up(cashdesk, issue_at=IssueAt.PLACEMENT)
    await cashdesk.hub.pool.execute(
        """UPDATE invoicing SET settings = settings || '{"trade_name": "Chez 🥐"}'"""
    )
    await cashdesk.desk.deliver(order())
    (issued,) = await issue(cashdesk)
    await PdfMaker(cashdesk.hub, cashdesk.renderer).effects.run(cashdesk.hub)
    assert (await get(cashdesk, f"/internal/invoices/{SHOP}/{issued.invoice_id}/pdf")).status_code == 200
    shown = (await get(cashdesk, f"/internal/invoicing?shop={SHOP}")).json()
    assert shown["invalid"] == []
    assert [one["field"] for one in shown["doubtful"]] == ["settings.trade_name"]


async def test_files_for_the_accountant_balance(cashdesk: CashDesk) -> None:
    await set_up(cashdesk)
    sale = order()
    await cashdesk.desk.deliver(sale)
    await pay(cashdesk, sale)
    await issue(cashdesk)
    await cashdesk.desk.deliver(refund_order(sale, 3000))
    await issue(cashdesk)
    journal = (await get(cashdesk, f"/internal/invoices/export/journal?shop={SHOP}")).text.splitlines()
    rows = [dict(zip(journal[0].split("\t"), one.split("\t"), strict=True)) for one in journal[1:]]
    assert len(journal[0].split("\t")) == 18
    cents = [(int(row["Debit"].replace(",", "")), int(row["Credit"].replace(",", ""))) for row in rows]
    assert sum(debit for debit, _ in cents) == sum(credit for _, credit in cents) == 15_000
    listed = (await get(cashdesk, f"/internal/invoices?shop={SHOP}&limit=1")).json()
    assert len(listed["invoices"]) == 1
    following = (await get(cashdesk, f"/internal/invoices?shop={SHOP}&after={listed['next']}")).json()
    assert (len(following["invoices"]), following["next"]) == (1, None)
    table = (await get(cashdesk, f"/internal/invoices/export/csv?shop={SHOP}")).text
    assert "-30.00" in table


async def post(cashdesk: CashDesk, path: str, **body: Any) -> Any:
    token = cashdesk.hub.settings.internal_token.get_secret_value()
    return await cashdesk.client.post(path, json=body, headers={"authorization": f"Bearer {token}"})


async def get(cashdesk: CashDesk, path: str) -> Any:
    token = cashdesk.hub.settings.internal_token.get_secret_value()
    return await cashdesk.client.get(path, headers={"authorization": f"Bearer {token}"})
