"""The export holds just the list's orders, in its sequence; its amounts add up; no cell is a formula."""

import csv
import io
import json
import random
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sale import PaymentMethod
from contracts.storefront import OrderSubmitted
from contracts.taxation import Charge, charges_of
from services.orders.backoffice.language import statuses
from services.orders.backoffice.language.translating import PageLocale, using_locale
from services.orders.listing.export import words as export_words
from services.orders.listing.export.cells import CellFormat, cells, decimal, guarded, headings, safe
from services.orders.listing.export.orders import export
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Finder
from services.orders.listing.words import Sort, Tab
from services.orders.order.search.indexing import index_due
from services.orders.order.search.taxes import facts_of
from services.orders.order.state import LABELS
from tests.builders.submissions import SHOP, a_line, a_sale, paid_by
from tests.conftest import Desks
from tests.orders.builders import a_life
from tests.orders.listing.random_orders import TAGS, insert_samples, plainly

PARIS = ZoneInfo("Europe/Paris")
FRENCH = CellFormat("fr", PARIS, {key: texts["fr"] for key, texts in LABELS.items()})
ENGLISH = CellFormat("en", PARIS, {key: texts["en"] for key, texts in LABELS.items()})


async def read(connection: Any, filters: Filters, manner: CellFormat = FRENCH) -> list[dict[str, str]]:
    """The export as a spreadsheet reads it."""
    pieces = [piece async for piece in export(connection, Finder(), SHOP, filters, manner)]
    text = b"".join(pieces).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=manner.delimiter))


async def test_an_order_as_accountants_read_it(desks: Desks) -> None:
    desk = await desks("orders")
    work = a_line(description="Livre", sku="LIV", quantity=1, unit_price_minor=2000, vat_rate=550)
    await desk.deliver(
        a_sale(
            a_line(),
            work,
            customer={"name": "=cmd|' /C calc'!A0", "email": "zoe@client.example"},
            extra_lines=[],
            source_reference="+33",
        )
    )
    async with desk.hub.acquire() as connection:
        (french,) = await read(connection, Filters())
        (english,) = await read(connection, Filters(), ENGLISH)
    assert french["Client"] == "'=cmd|' /C calc'!A0"
    assert french["Référence du module"] == "'+33"
    assert french["Date"] == "22/11/2026 10:30"
    assert (french["Statut"], french["Paiement"]) == ("En attente de paiement", "Non payée")
    assert (french["Mode de paiement"], french["Pays"], french["Devise"]) == ("Carte", "FR", "EUR")
    assert (french["Total TTC"], french["Total TVA"], french["Total HT"]) == ("49,00", "5,87", "43,13")
    assert (french["TVA 20 %"], french["TVA 5,5 %"], "TVA 10 %" in french) == ("4,83", "1,04", False)
    assert (french["Livraison"], french["Encaissé"], french["Solde dû"]) == ("5,00", "0,00", "49,00")
    assert (english["Total"], english["VAT 5.5%"], english["Date"]) == ("49.00", "1.04", "2026-11-22 10:30")
    assert english["Status"] == "Awaiting payment"


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(sort=Sort.LOWEST),
        Filters(tab=Tab.PROBLEMS, sort=Sort.OLDEST),
        Filters(tag=TAGS[:2]),
        Filters(q="martin"),
        Filters(q="--"),
        Filters(tab=Tab.TO_SHIP, currency="CHF", amount_min=500),
    ],
    ids=lambda filters: filters.url(),
)
async def test_the_export_of_a_list_is_that_list(desks: Desks, filters: Filters) -> None:
    desk = await desks("orders")
    async with desk.hub.acquire() as connection:
        samples = await insert_samples(connection, seed=3, count=150)
        await connection.execute("analyze")
        found = [row["Commande"] for row in await read(connection, filters)]
    expected = plainly(samples, filters.model_copy(update={"q": ""}), PARIS)
    kept = {one.order_id for one in plainly(samples, filters, PARIS)}
    assert found == [one.code for one in expected if one.order_id in kept]


async def test_a_cancelled_order_and_payments_by_hand_add_up(desks: Desks) -> None:
    """What was credited has a column, so turnover does not count what was cancelled; cheques show their reference."""
    desk = await desks("orders")
    life = await a_life(desk, payment=paid_by("cheque"))
    cheque = {"method": PaymentMethod.CHEQUE, "provider": None, "provider_reference": None}
    entries = [one.model_copy(update={**cheque, "reference": "0012345"}) for one in life.paid().entries]
    back = {"credited_minor": life.total, "refunded_minor": life.total, "balance_minor": 0}
    for message in (
        life.paid().model_copy(update={"entries": entries}),
        life.balance(3, received=life.total, **back),
    ):
        await desk.deliver(message)
    while await index_due(desk.hub):
        pass
    async with desk.hub.acquire() as connection:
        (row,) = await read(connection, Filters(), ENGLISH)
        (french,) = await read(connection, Filters())
    amounts = {
        name: Decimal(row[name]) for name in ("Total", "Credits", "Received", "Refunded", "Balance due")
    }
    assert amounts["Credits"] == amounts["Total"] > 0
    assert (
        amounts["Total"] - amounts["Credits"] - amounts["Received"] + amounts["Refunded"]
        == amounts["Balance due"]
    )
    assert row["Payment references"] == "'0012345"
    assert french["Avoirs"] == f"{amounts['Credits']:.2f}".replace(".", ",")


async def test_each_rate_that_occurs_has_a_column(desks: Desks) -> None:
    desk = await desks("orders")
    canadian = [
        {"label": "GST", "rate_ppm": 50_000, "tax_minor": 193},
        {"label": "QST", "rate_ppm": 99_750, "tax_minor": 384},
    ]
    sales = [
        a_sale(a_line(vat_rate=1900), shipping=None),
        a_sale(a_line(vat_rate=700), a_line(vat_rate=550)),
        a_sale(
            a_line(quantity=1, unit_price_minor=3848, taxes=canadian),
            shipping=None,
            currency="CAD",
            prices_include_tax=False,
            totals={"lines_minor": 3848, "tax_minor": 577, "total_minor": 4425},
        ),
    ]
    for is_indexed in (False, True):
        for sale in sales if not is_indexed else ():
            await desk.deliver(sale)
        while is_indexed and await index_due(desk.hub):
            pass
        async with desk.hub.acquire() as connection:
            rows = await read(connection, Filters(), ENGLISH)
        rates = ["20%", "19%", "9.975%", "7%", "5.5%", "5%"]
        named = [name for name in rows[0] if name.startswith("VAT ") and name.endswith("%")]
        assert named == [f"VAT {rate}" for rate in rates]
        for row in rows:
            columns = [*(row[name] for name in named), row["VAT rate not stated"]]
            assert sum(map(Decimal, columns)) == Decimal(row["VAT total"])
            assert Decimal(row["Net total"]) + Decimal(row["VAT total"]) == Decimal(row["Total"])
        [quebec] = [row for row in rows if row["Currency"] == "CAD"]
        assert (quebec["VAT 5%"], quebec["VAT 9.975%"]) == ("1.93", "3.84")


async def test_what_changes_during_an_export_is_not_in_it(desks: Desks) -> None:
    desk = await desks("orders")
    await desk.deliver(a_sale())
    async with desk.hub.acquire() as connection:
        pieces = export(connection, Finder(), SHOP, Filters(), FRENCH)
        first = await anext(pieces)
        await desk.deliver(a_sale(payment=paid_by("cheque")))
        await desk.hub.pool.execute("update orders set customer_name = 'Another'")
        rest = b"".join([piece async for piece in pieces])
    assert first.startswith(b"\xef\xbb\xbfCommande;Date;")
    assert rest.count(b"\r\n") == 1
    assert b"Another" not in rest


FORMULA_STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"
UNSEEN = " \t\u00a0\u200b\ufeff\u2060\u202f\x00\x1b\u00ad"


@given(st.text(st.one_of(st.characters(), st.sampled_from(FORMULA_STARTS + UNSEEN + ",;\t"))))
def test_no_text_begins_a_formula_however_the_file_is_split(text: str) -> None:
    for delimiter in ",;\t":
        for cell in safe(text).split(delimiter):
            assert cell.lstrip(UNSEEN)[:1] not in FORMULA_STARTS or not cell.lstrip(UNSEEN), (delimiter, cell)


@given(st.text(UNSEEN, max_size=3), st.sampled_from(FORMULA_STARTS), st.sampled_from(["", "a;", "a,", "a\t"]))
def test_a_formula_behind_signs_that_are_not_seen_is_guarded(unseen: str, start: str, before: str) -> None:
    cell = safe(f"{before}{unseen}{start}1+1")
    assert cell.removeprefix(before).startswith("'"), cell


CHANGED = re.split(
    r"\s+",
    """000123 1234567890123456789 12E5 12e-5 3-4 90.750 1/2 2026-11-28 28.11.2026 12:30 5% 1,5 (12) 00 1e3
    3PM mars-3 3-mars jan-26 26/déc 5août TRUE vrai FAUX ٠٦١٢""",
)
CHANGED += ["1 234", "12 Mar 2026", "3 p", "€ 12", " 42 ", "1 janvier 2026"]
KEPT = ["W-1001", "pi_3N", "0x", "A1", "E5", "zoe@client.example", "FR", "K7Q9-M3XZ", "Mars", "Truefitt"]
KEPT += ["Zoé Martin", "CHQ 0012345", "12 bis", "5 rue des Lilas", "Martin, 3", "Marceau 12"]


@pytest.mark.parametrize("text", CHANGED)
def test_text_that_a_spreadsheet_would_change_is_guarded(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", KEPT)
def test_other_text_is_unchanged(text: str) -> None:
    assert safe(text) == text


SIGNS = st.one_of(
    st.characters(), st.sampled_from(FORMULA_STARTS + UNSEEN + ",;\t_.-0123456789\u0131\u017f\u00b2")
)


@given(
    st.sampled_from(["", "Mars", "mai", "d\u00e9c", "au\u017ft", "TRUE", "faux", "Zo\u00e9"]),
    st.text(SIGNS, max_size=8),
)
def test_plain_text_is_what_needs_no_guard(start: str, rest: str) -> None:
    text = f"{start}{rest}" or "-"
    assert safe(text) == guarded(text)


def test_no_text_is_an_empty_cell() -> None:
    assert safe("") == safe(None) == ""


def test_the_file_states_what_the_pages_show() -> None:
    for language in ("fr", "en"):
        with using_locale(PageLocale(language)):
            pages = {
                "payment": {key: text for key, (text, _) in statuses.payment_badges().items()},
                "method": statuses.method_words(),
                "module": statuses.module_words(),
            }
        for name, words in (
            ("payment", export_words.PAYMENT),
            ("method", export_words.METHOD),
            ("module", export_words.MODULE),
        ):
            assert {key: texts[language == "en"] for key, texts in words.items()} == pages[name], (
                language,
                name,
            )


@given(st.integers(-(10**15), 10**15), st.sampled_from([0, 2, 3]))
def test_an_amount_is_a_number_in_both_languages(minor: int, exponent: int) -> None:
    assert round(float(decimal(minor, exponent, ".")) * 10**exponent) == minor or abs(minor) > 2**53
    assert decimal(minor, exponent, ",").replace(",", "").lstrip("-").lstrip("0") == str(abs(minor)).lstrip(
        "0"
    )


@given(st.integers(0, 2**32))
def test_vat_by_rate_adds_up_to_the_sales_own(seed: int) -> None:
    chance = random.Random(seed)
    rates = [0, 210, 550, 1000, 2000, 2100]
    lines = [
        a_line(
            quantity=chance.randint(1, 9),
            unit_price_minor=chance.randrange(1, 9999),
            vat_rate=chance.choice(rates),
        )
        for _ in range(chance.randint(1, 5))
    ]
    sale = a_sale(*lines)
    row, tax = row_of(sale), sale.totals.tax_minor
    english = replace(ENGLISH, rates=sorted({rate * 100 for rate in rates}))
    assert sum(row["vat_minor"]) == row["tax_minor"] == tax
    shown = dict(zip(headings(english), cells(row, english), strict=True))
    columns = [
        float(amount) for name, amount in shown.items() if name.startswith("VAT ") and name != "VAT total"
    ]
    assert round(sum(columns) * 100) == tax
    assert round(float(shown["Net total"]) * 100) == row["total_minor"] - tax
    assert round(float(shown["Total"]) * 100) == row["total_minor"]


def test_the_vat_of_an_edited_order_is_that_of_its_lines_now() -> None:
    sale = json.loads(a_sale(a_line()).model_dump_json())
    sold = facts_of([Charge(2400, (200_000,))], 2900, sale)
    edited = facts_of([Charge(1200, (200_000,))], 1700, sale)
    assert (sold.tax_minor, sold.vat) == (sale["totals"]["tax_minor"], {200_000: 483})
    assert (edited.tax_minor, edited.vat) == (283, {200_000: 283})
    assert (edited.country, edited.shipping_minor) == ("FR", 500)
    assert facts_of([], 0, {}).vat == {}


def row_of(sale: OrderSubmitted) -> dict[str, Any]:
    """What the export reads of a sale."""
    facts = facts_of(
        charges_of(sale.lines, None, ()),
        sale.totals.total_minor,
        json.loads(sale.model_dump_json(exclude_none=True)),
    )
    return {
        "code": "K7F3-QD9M",
        "placed_at": sale.submitted_at,
        "label": "completed",
        "payment_status": "paid",
        "payment_method": "card",
        "customer_name": sale.customer.name,
        "customer_email": sale.customer.email,
        "currency": "EUR",
        "total_minor": sale.totals.total_minor,
        "country": facts.country,
        "tax_minor": facts.tax_minor,
        "shipping_minor": facts.shipping_minor,
        "vat_rates": list(facts.vat),
        "vat_minor": list(facts.vat.values()),
        "received_minor": 0,
        "refunded_minor": 0,
        "marked_minor": 0,
        "credited_minor": 0,
        "balance_minor": 0,
        "module": "shop",
        "source_reference": None,
        "payment_references": [],
    }
