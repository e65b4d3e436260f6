"""Invoices on pages: legal details are filled in, documents are found, shown and exported, and issued on request.

The payments service that answers is the real one, over real HTTP.
"""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from contracts.envelope import uuid7
from contracts.notifier.mails import MailReport, MailSent
from contracts.payments.invoices import (
    ChangeInvoicing,
    CreditNoteIssued,
    InvoiceIssued,
    IssueAt,
    ReissueInvoice,
)
from contracts.payments.refunds import GrantCredit
from services.chassis.testing import wait_until
from services.orders.backoffice.access.permissions import Role
from services.payments import api
from services.payments.invoices.drawing import PdfMaker
from services.payments.invoices.issuing.ready_shops import ReadyShops
from services.payments.invoices.issuing.worker import issue_documents
from tests.backoffice.browser import SHOP, Browser, Shown
from tests.backoffice.conftest import Backoffices
from tests.backoffice.payments.test_webhooks import Systems
from tests.orders.builders import a_life
from tests.payments.conftest import CashDesks, cashdesks
from tests.payments.invoices.sales import line, placed, settings
from tests.serving import serving

__all__ = ["cashdesks"]
pytestmark = pytest.mark.rows("A30", "A32", "C14")
LIST = "/payments/invoices"
MENTIONS = settings().model_dump(
    mode="json", exclude={"is_on", "logo", "first_day", "mails_customer", "vat_on_debits", "payment_days"}
)


@pytest.fixture
async def systems(backoffices: Backoffices, cashdesks: CashDesks) -> AsyncIterator[Systems]:
    cashdesk = await cashdesks()
    async with serving(api.build(cashdesk.hub, cashdesk.receiver, cashdesk.renderer)) as url:
        yield Systems(await backoffices(payments_url=url), cashdesk)


async def an_invoice(systems: Systems) -> tuple[InvoiceIssued, str]:
    """An invoice of an order that both services know, with its PDF; the order's code."""
    desk = systems.cashdesk.desk
    life = await a_life(systems.backoffice.desk, shop=SHOP)
    await desk.deliver(
        ChangeInvoicing(shop=SHOP, settings=settings(issue_at=IssueAt.PLACEMENT), version=0, actor="a")
    )
    await desk.hub.pool.execute("UPDATE invoicing SET since = '1970-01-01'")
    order = placed(
        [line(12_000)], shop=SHOP, order_id=life.order_id, code=life.code, placed_at=datetime.now(UTC)
    )
    await desk.deliver(order)
    (issued,) = await issue(systems)
    await PdfMaker(desk.hub, systems.cashdesk.renderer).effects.run(desk.hub)
    return issued, life.code


async def issue(systems: Systems) -> list[Any]:
    """Issue due documents, and deliver the events to orders."""
    systems.cashdesk.desk._units.clear()
    await issue_documents(systems.cashdesk.hub, ReadyShops())
    found = [m for _, m in systems.cashdesk.desk.emitted() if isinstance(m, InvoiceIssued | CreditNoteIssued)]
    for message in found:
        await systems.backoffice.desk.deliver(message)
    return found


async def sent(systems: Systems, type_: str) -> tuple[Any, bytes]:
    """The one command of a type that the back office sent: its id and body."""
    (row,) = await systems.backoffice.desk.fetch("SELECT id, body FROM msg.event_log WHERE type = $1", type_)
    return row["id"], row["body"]


async def test_mentions_are_filled_in_until_nothing_is_missing(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    form = (await browser.get("/settings/invoices")).form("/settings/invoices")
    fields = {**dict(form.fields), **MENTIONS, "is_on": "on", "payment_days": "30", "siret": ""}
    fields["first_day"] = "2026-11-02"
    await browser.post(form.action, fields)
    identifier, body = await sent(systems, "orders.invoicing.change.v1")
    command = ChangeInvoicing.model_validate_json(body)
    assert command.settings.first_day == date(2026, 11, 2)
    assert (command.settings.is_on, command.settings.payment_days, command.keeps_logo) == (True, 30, True)
    await systems.cashdesk.desk.deliver(command, id=identifier)
    page = await browser.get("/settings/invoices")
    assert "No invoice is issued while these are missing: SIRET" in " ".join(page.words.split())
    assert "Atelier Kerdrel" in page.text
    french = await systems.backoffice.signed_in(language="fr")
    assert "Mentions obligatoires" in (await french.get("/settings/invoices")).words


async def test_wrong_mentions_are_refused_at_their_fields_and_those_stored_before_are_shown_wrong(
    systems: Systems,
) -> None:
    browser = await systems.backoffice.signed_in(language="fr")
    form = (await browser.get("/settings/invoices")).form("/settings/invoices")
    fields = {**dict(form.fields), **MENTIONS, "is_on": "on", "payment_days": "30"}
    wrong = {"country": "zz", "iban": "FR00", "email": "not an address", "vat_number": "FRXX", "siret": "123"}
    refused = await browser.post(form.action, {**fields, **wrong})
    assert refused.status == 422
    words = " ".join(refused.words.split())
    for sentence in (
        "Aucun pays n’a le code ZZ.",
        "Un IBAN qui commence par FR a 27 caractères ; FR00 en a 4.",
        "Aucun courriel ne peut être envoyé à « not an address ».",
        "Un numéro de TVA qui commence par FR a 13 caractères ; FRXX en a 4.",
        "Un SIRET a 14 chiffres ; 123 en a 3.",
    ):
        assert sentence in words
    long = await browser.post(form.action, {**fields, "name": "N" * 201})
    assert "200 caractères au plus ; il y en a 201. Raccourcissez." in long.words
    await browser.post(form.action, fields)
    identifier, body = await sent(systems, "orders.invoicing.change.v1")
    desk = systems.cashdesk.desk
    await desk.deliver(ChangeInvoicing.model_validate_json(body), id=identifier)
    assert "11 sur 11 sont renseignées et correctes." in (await browser.get("/settings/invoices")).words
    await desk.hub.pool.execute("""UPDATE invoicing SET settings = settings || '{"siret": "123"}'""")
    page = " ".join((await browser.get("/settings/invoices")).words.split())
    assert "10 sur 11 sont renseignées et correctes." in page
    assert "Aucune facture n’est émise tant que ceci est incorrect : SIRET" in page
    assert "il manque" not in page
    assert "Un SIRET a 14 chiffres ; 123 en a 3." in page


async def test_a_country_is_typed_as_a_word_and_never_cut(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    page = await browser.get("/settings/invoices")
    assert 'maxlength="2"' not in page.text
    assert "France. Enter the country’s name or its two-letter code." in page.words
    form = page.form("/settings/invoices")
    fields = {**dict(form.fields), **MENTIONS, "is_on": "on", "payment_days": "30"}
    empty = await browser.post(form.action, {**fields, "country": "", "invoice_prefix": " "})
    assert empty.words.count("This field is empty. Fill it in.") == 2
    assert "“”" not in empty.words
    refused = await browser.post(form.action, {**fields, "country": "Elbonia"})
    assert "“Elbonia” is not a country. Enter its name or its ISO 3166 code" in refused.words
    await browser.post(form.action, {**fields, "country": "Allemagne", "postal_code": "10115"})
    identifier, body = await sent(systems, "orders.invoicing.change.v1")
    command = ChangeInvoicing.model_validate_json(body)
    assert command.settings.country == "DE"
    await systems.cashdesk.desk.deliver(command, id=identifier)
    told = (await browser.get("/settings/invoices")).words
    assert "Country Germany. Enter the country’s name" in told
    for label in ("Legal form", "SIRET", "Registration (RCS or RNE, and town)", "Early payment discount"):
        assert f"{label} (optional)" in told


async def test_mentions_that_contradict_each_other_are_saved_and_marked_in_both_languages(
    systems: Systems,
) -> None:
    browser = await systems.backoffice.signed_in()
    form = (await browser.get("/settings/invoices")).form("/settings/invoices")
    fields = {**dict(form.fields), **MENTIONS, "is_on": "on", "payment_days": "30"}
    await browser.post(form.action, {**fields, "vat_number": "FR83404833048", "country": "be"})
    identifier, body = await sent(systems, "orders.invoicing.change.v1")
    command = ChangeInvoicing.model_validate_json(body)
    await systems.cashdesk.desk.deliver(command, id=identifier)
    words = " ".join((await browser.get("/settings/invoices")).words.split())
    french = await systems.backoffice.signed_in(language="fr")
    mots = " ".join((await french.get("/settings/invoices")).words.split())
    for sentence in (
        "no invoice is held back for them: VAT number , Postal code",
        "The VAT number FR83404833048 belongs to the SIREN 404833048, the SIRET to 732829320.",
        f"“{command.settings.postal_code}” can’t be a postal code of the country BE.",
    ):
        assert sentence in words
    for sentence in (
        "À vérifier, sans que cela retienne les factures : Numéro de TVA , Code postal",
        "Le numéro de TVA FR83404833048 correspond au SIREN 404833048,",
        f"« {command.settings.postal_code} » ne peut pas être un code postal du pays BE.",
    ):
        assert sentence in mots
    assert "No invoice is issued" not in words


async def test_settings_that_this_version_cannot_read_are_said_to_be_so(systems: Systems) -> None:
    desk = systems.cashdesk.desk
    await desk.deliver(ChangeInvoicing(shop=SHOP, settings=settings(), version=0, actor="a"))
    await desk.hub.pool.execute("""UPDATE invoicing SET settings = settings || '{"issue_at": "shipment"}'""")
    browser = await systems.backoffice.signed_in()
    french = await systems.backoffice.signed_in(language="fr")
    page = await browser.get("/settings/invoices")
    assert (page.status, "can’t be read by this version" in page.words) == (200, True)
    assert "Legal details and invoices" not in page.words
    assert "Cette version ne peut pas lire les réglages" in (await french.get("/settings/invoices")).words
    assert (await browser.get("/")).status == 200
    assert (await browser.get(LIST)).status == 200


async def test_settings_that_only_a_newer_payments_can_read_are_said_to_be_so(
    backoffices: Backoffices,
) -> None:
    async def newer(_: Request) -> JSONResponse:
        stored = {**settings().model_dump(mode="json"), "issue_at": "shipment"}
        return JSONResponse({"version": 4, "settings": stored, "missing": [], "waiting": [], "failed": []})

    async with serving(Starlette(routes=[Route("/internal/invoicing", newer)])) as url:
        browser = await (await backoffices(payments_url=url)).signed_in()
        page = await browser.get("/settings/invoices")
    assert (page.status, "can’t be read by this version" in page.words) == (200, True)


async def test_orders_that_wait_for_a_wrong_mention_are_counted_where_people_look(systems: Systems) -> None:
    desk, office = systems.cashdesk.desk, systems.backoffice
    life = await a_life(office.desk, shop=SHOP)
    shop = settings(issue_at=IssueAt.PLACEMENT)
    await desk.deliver(ChangeInvoicing(shop=SHOP, settings=shop, version=0, actor="a"))
    await desk.hub.pool.execute(
        """UPDATE invoicing SET since = '1970-01-01', settings = settings || '{"siret": "123", "iban": "FR00"}'"""
    )
    sale = placed(
        [line(12_000)], shop=SHOP, order_id=life.order_id, code=life.code, placed_at=datetime.now(UTC)
    )
    await desk.deliver(sale)
    assert await issue(systems) == []
    browser, french = await office.signed_in(), await office.signed_in(language="fr")
    home = await browser.get("/")
    assert (
        'href="/settings/invoices"><strong>1</strong><span>Orders waiting for an invoice</span>' in home.text
    )
    accountant = await office.signed_in(Role.ACCOUNTANT)
    assert "Orders waiting for an invoice" in (await accountant.get("/")).words
    why = "No invoice is issued while these are missing or incorrect: SIRET, IBAN. 1 order is waiting for its invoice."
    page = await browser.get(f"/orders/{life.code}")
    for shown in (page, await browser.get(LIST), await accountant.get(LIST)):
        assert why in " ".join(shown.words.split())
    assert "tant que ceci manque ou est faux : SIRET, IBAN. 1 commande attend sa facture." in " ".join(
        (await french.get(LIST)).words.split()
    )
    form = page.form(f"/orders/{life.code}/invoice")
    asked = await answered_by_payments(systems, browser, form.action, form.filled(reason="demandée"))
    assert "Legal details are incorrect: SIRET, IBAN. Correct them" in " ".join(asked.words.split())
    await desk.deliver(ChangeInvoicing(shop=SHOP, settings=shop, version=1, actor="a"))
    await issue(systems)
    assert "Orders waiting for an invoice" not in (await browser.get("/")).words
    assert "No invoice is issued" not in (await browser.get(f"/orders/{life.code}")).words


async def test_a_future_first_day_is_shown_where_invoices_are_missed(systems: Systems) -> None:
    day = (datetime.now(UTC) + timedelta(days=40)).date()
    shop = settings(issue_at=IssueAt.PLACEMENT, first_day=day)
    await systems.cashdesk.desk.deliver(ChangeInvoicing(shop=SHOP, settings=shop, version=0, actor="a"))
    browser = await systems.backoffice.signed_in()
    for path in (LIST, "/settings/invoices"):
        assert (
            f"No order placed before {day.day} {day:%B %Y} is invoiced automatically."
            in (await browser.get(path)).words
        )


async def answered_by_payments(
    systems: Systems, browser: Browser, action: str, fields: list[tuple[str, str]]
) -> Shown:
    """The page after a form whose command the payments service answered."""
    async with asyncio.TaskGroup() as tasks:
        posting = tasks.create_task(browser.post(action, fields))
        desk = systems.backoffice.desk
        await wait_until(
            lambda: desk.fetch("SELECT 1 FROM msg.event_log WHERE type = 'orders.invoice.reissue.v1'")
        )
        identifier, body = await sent(systems, "orders.invoice.reissue.v1")
        request = ReissueInvoice.model_validate_json(body)
        answer = await systems.cashdesk.desk.deliver(request, id=identifier)
        for _, message in answer.emitted:
            await desk.deliver(message, causation_id=identifier, sender="payments")
    return posting.result()


async def test_a_logo_that_can_not_be_drawn_is_refused(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in()
    form = (await browser.get("/settings/invoices")).form("/settings/invoices")
    broken = {"logo": ("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "image/png")}
    fields = {**dict(form.fields), **MENTIONS, "payment_days": "0"}
    refused = await browser.client.post(
        form.action, data=fields, files=broken, headers={"sec-fetch-site": "same-origin"}
    )
    assert (refused.status_code, "This image can’t be read." in Shown(refused).words) == (422, True)


async def test_an_invoice_that_could_not_be_issued_is_shown_with_its_reason_and_tried_again(
    systems: Systems,
) -> None:
    await an_invoice(systems)
    desk = systems.cashdesk.desk
    sale = placed([line(5000)], shop=SHOP, order_id=uuid7(), code="K7F3-QD9X", placed_at=datetime.now(UTC))
    await desk.deliver(sale)
    await desk.hub.pool.execute(
        "UPDATE sale SET content = content - 'locale' WHERE order_id = $1", sale.order_id
    )
    assert await issue(systems) == []
    browser = await systems.backoffice.signed_in()
    page = await browser.get("/settings/invoices")
    assert "Invoices that could not be issued K7F3-QD9X ValidationError of Sale" in " ".join(
        page.words.split()
    )
    french = await systems.backoffice.signed_in(language="fr")
    assert "Factures qui n’ont pas pu être émises" in (await french.get("/settings/invoices")).words
    content = 'UPDATE sale SET content = content || \'{"locale": "fr-FR"}\' WHERE order_id = $1'
    await desk.hub.pool.execute(content, sale.order_id)
    form = page.form("/payments/invoices/retry")
    assert (await browser.post(form.action, dict(form.fields))).status == 303
    assert "Retry started." in (await browser.get("/settings/invoices")).words
    systems.cashdesk.desk._units.clear()
    await issue_documents(systems.cashdesk.hub, ReadyShops())
    assert await desk.fetchval("SELECT count(*) FROM invoice WHERE order_id = $1", sale.order_id) == 1
    assert "could not be issued" not in (await browser.get("/settings/invoices")).words


async def test_the_order_links_each_document_to_the_mail_that_carried_it(systems: Systems) -> None:
    issued, code = await an_invoice(systems)
    office = systems.backoffice
    browser = await office.signed_in()
    assert "Its mail" not in (await browser.get(f"/orders/{code}")).words
    report = MailReport(
        mail_id=uuid7(),
        shop=SHOP,
        order_id=issued.order_id,
        template="invoice",
        recipient="jeanne@example.org",
        cause_id=await office.desk.fetchval("SELECT cause_id FROM activity WHERE kind = 'invoice_issued'"),
        at=datetime.now(UTC),
    )
    await office.desk.deliver(MailSent(mails=[report]))
    page = await browser.get(f"/orders/{code}")
    assert f"Its mail {issued.number}" in page.words
    assert f'href="/mails/{report.mail_id}"' in page.text


async def test_a_credit_note_is_listed_with_its_customer_and_negative_amounts(systems: Systems) -> None:
    issued, code = await an_invoice(systems)
    credit = GrantCredit(
        shop=SHOP, order_id=issued.order_id, amount_minor=3000, currency="EUR", reason="Geste", actor="a"
    )
    await systems.cashdesk.desk.deliver(credit)
    (note,) = await issue(systems)
    browser = await systems.backoffice.signed_in(Role.ACCOUNTANT)
    words = (await browser.get(LIST)).words
    assert f"{note.number} Corrects {issued.number} Credit note" in words
    assert f"{code} Jeanne Le Goff −€25.00 −€5.00 −€30.00" in words
    assert f"{code} Jeanne Le Goff €100.00 €20.00 €120.00" in words


async def test_a_document_is_listed_shown_printed_and_exported(systems: Systems) -> None:
    issued, code = await an_invoice(systems)
    browser = await systems.backoffice.signed_in(Role.ACCOUNTANT)
    page = (await browser.get(LIST)).words
    assert all(one in page for one in (issued.number, code, "€120.00", "€100.00"))
    assert "No matching invoices" in (await browser.get(f"{LIST}?kind=credit_note")).words
    assert (await browser.get(f"{LIST}?from=2026-13-01")).status == 422
    pdf = await browser.get(f"{LIST}/{issued.invoice_id}/pdf")
    assert (pdf.status, pdf.headers["content-type"]) == (200, "application/pdf")
    printed = await browser.get(f"{LIST}/print?id={issued.invoice_id}")
    assert (printed.status, printed.headers["content-type"]) == (200, "application/pdf")
    assert issued.number in (await browser.get(f"{LIST}/export/csv")).text
    assert (await browser.get(f"{LIST}/export/journal")).text.startswith("JournalCode\t")
    zipped = await browser.get(f"{LIST}/export/zip")
    with zipfile.ZipFile(BytesIO(zipped.response.content)) as archive:
        assert archive.namelist() == [f"{issued.number}.pdf"]
        assert archive.read(f"{issued.number}.pdf")[:5] == b"%PDF-"
    assert (await browser.get(f"{LIST}/{uuid7()}/pdf")).status == 404
    assert (await browser.get(f"{LIST}/export/doc")).status == 404


async def test_a_document_without_pdf_is_named_where_it_is_missed_and_made_on_request(
    systems: Systems,
) -> None:
    issued, _ = await an_invoice(systems)
    desk, browser = systems.cashdesk.desk, await systems.backoffice.signed_in()
    await desk.hub.pool.execute("DELETE FROM invoice_pdf")
    await desk.hub.pool.execute(
        "UPDATE msg.effect SET state = 'failed', detail = 'TypstError: no font' WHERE kind = 'invoice_pdf'"
    )
    page = await browser.get(LIST)
    assert "1 of these documents has no PDF: it is not in the ZIP" in " ".join(page.words.split())
    assert "PDF failed" in page.words
    printed = await browser.get(f"{LIST}/print?id={issued.invoice_id}")
    assert (printed.status, printed.headers["location"]) == (303, LIST)
    shown = " ".join((await browser.get(LIST)).words.split())
    assert "Nothing was printed. Tick only the others and print again." in shown
    assert f"Creating the PDF failed for: {issued.number}." in shown
    assert "Invoice PDFs that failed" in (await browser.get("/")).words
    form = page.form(f"{LIST}/retry")
    assert (await browser.post(form.action, form.filled())).headers["location"] == LIST
    await PdfMaker(desk.hub, systems.cashdesk.renderer).effects.run(desk.hub)
    page = await browser.get(LIST)
    assert "PDF failed" not in page.words
    assert "no PDF" not in page.words
    assert (await browser.get(f"{LIST}/print?id={issued.invoice_id}")).status == 200


async def test_failed_work_names_the_document_and_its_order_in_the_language_of_the_page(
    backoffices: Backoffices,
) -> None:
    identifier, at = str(uuid7()), "2026-11-30T10:00:00+00:00"
    failed = {"key": identifier, "kind": "invoice_pdf", "order_id": None, "detail": "TypstError: no font"}

    async def effects(request: Request) -> JSONResponse:
        is_failed = request.query_params["state"] == "failed"
        return JSONResponse({"effects": [{**failed, "failed_at": at}] if is_failed else [], "total": 1})

    async def invoices(request: Request) -> JSONResponse:
        assert request.query_params.getlist("id") == [identifier]
        return JSONResponse({"invoices": [{"id": identifier, "number": "F2026-00007", "code": "K7F3-QD9M"}]})

    routes = [Route("/internal/effects", effects), Route("/internal/invoices", invoices)]
    async with serving(Starlette(routes=routes)) as url:
        french = await (await backoffices(payments_url=url)).signed_in(language="fr")
        page = await french.get("/operations/failed")
    words = " ".join(page.words.split())
    assert "Document en PDF F2026-00007" in words
    assert 'href="/orders/K7F3-QD9M"' in page.text
    assert "Le PDF n’a pas pu être créé." in words
    assert "TypstError: no font" in words.partition("Détails techniques")[2]


async def test_a_mention_that_no_font_can_print_is_refused_at_its_field(systems: Systems) -> None:
    browser = await systems.backoffice.signed_in(language="fr")
    form = (await browser.get("/settings/invoices")).form("/settings/invoices")
    fields = {**dict(form.fields), **MENTIONS, "is_on": "on", "payment_days": "30"}
    refused = await browser.post(form.action, {**fields, "footer": "Merci 🥐"})
    assert refused.status == 422
    assert "« 🥐 » ne peut pas être imprimé sur les factures." in " ".join(refused.words.split())


async def test_the_order_shows_its_invoice_and_has_it_issued_again(systems: Systems) -> None:
    issued, code = await an_invoice(systems)
    browser = await systems.backoffice.signed_in()
    page = await browser.get(f"/orders/{code}")
    assert issued.number in page.words
    assert f'href="{LIST}/{issued.invoice_id}/pdf"' in page.text
    form = page.form(f"/orders/{code}/invoice")
    assert (await browser.post(form.action, form.filled(reason=" "))).status == 422
    await browser.post(form.action, form.filled(reason="Adresse corrigée"))
    identifier, body = await sent(systems, "orders.invoice.reissue.v1")
    await systems.cashdesk.desk.deliver(ReissueInvoice.model_validate_json(body), id=identifier)
    note, again = await issue(systems)
    page = await browser.get(f"/orders/{code}")
    assert all(number in page.words for number in (note.number, again.number))
    viewer = await systems.backoffice.signed_in(Role.FULFILMENT)
    assert f"/orders/{code}/invoice" not in [
        one.action for one in (await viewer.get(f"/orders/{code}")).forms
    ]


async def test_without_payments_the_pages_show_it(backoffices: Backoffices) -> None:
    backoffice = await backoffices(payments_url="http://127.0.0.1:1")
    browser = await backoffice.signed_in()
    assert "has not responded" in (await browser.get(LIST)).words
    assert "has not responded" in (await browser.get("/settings/invoices")).words
