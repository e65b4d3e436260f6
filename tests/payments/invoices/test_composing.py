"""Invoices show the sale as it was made; credit notes add up to what they take back."""

import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from contracts.message import LineUnits
from contracts.orders.lifecycle import OrderPlaced, PlacedLine
from contracts.payments.invoices import InvoiceKind, VatRegime
from services.chassis.identifiers.countries import EU, KNOWN
from services.chassis.identifiers.seller import OF_FRANCE
from services.orders.changes.edition import due_change, remaining
from services.orders.order.totals.content import Content as SoldContent
from services.orders.order.totals.content import ContentLine, counted, with_taxes_stated, worth
from services.payments.invoices.composing import correction, invoice
from services.payments.invoices.correction_items import Correction
from services.payments.invoices.document import Content, canonical, digest, read
from services.payments.invoices.items import balance
from services.payments.invoices.mentions import exemption, invalid, missing
from services.payments.invoices.rendering.cii import notes
from services.payments.invoices.sale import Sale, sale_of
from tests.payments.invoices.sales import (
    BREST,
    CONSUMER,
    FIRM,
    GENEVA,
    GERMAN_FIRM,
    MUNICH,
    heading,
    line,
    made_up,
    placed,
    settings,
)

pytestmark = pytest.mark.rows("C14", "C18")
MONACO = BREST.model_copy(update={"country": "MC", "city": "Monaco", "postal_code": "98000"})
SAINT_DENIS = BREST.model_copy(update={"city": "Saint-Denis", "postal_code": "97400"})
BELFAST = MUNICH.model_copy(update={"country": "GB", "city": "Belfast", "postal_code": "bt1 5gs"})
LONDON = MUNICH.model_copy(update={"country": "GB", "city": "London", "postal_code": "N1 9GU"})
MONEGASQUE = FIRM.model_copy(update={"vat_number": "83 404 833 048"})
BELFAST_FIRM = GERMAN_FIRM.model_copy(update={"vat_number": "XI980780684"})
ISSUED_ON = date(2026, 11, 29)
SEEDS = st.integers(0, 10_000)


def credit(
    sale: Sale,
    before: list[Content],
    amount: int,
    *lines: LineUnits,
    withdrawn: Mapping[int, int] | None = None,
) -> Content:
    kind, number = InvoiceKind.CREDIT_NOTE, before[0].number
    what = Correction(kind, number, ISSUED_ON, amount, "Retour", lines, dict(withdrawn or {}))
    return correction(heading(f"A2026-{len(before):05}"), sale, settings(), before, what)


@given(SEEDS)
def test_an_invoice_has_the_totals_of_its_sale(seed: int) -> None:
    order, shop = made_up(seed)
    content = invoice(heading(), sale_of(order), shop, 0)
    assert (content.total_minor, content.tax_minor) == (order.totals.total_minor, order.totals.tax_minor)
    assert sum(group.net_minor + group.tax_minor for group in content.groups) == content.total_minor


@effort(max_examples=200)
@given(SEEDS, st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_credit_notes_take_back_exactly_what_was_invoiced_at_every_rate(
    seed: int, weights: list[int]
) -> None:
    order, shop = made_up(seed)
    sale = sale_of(order)
    documents = [invoice(heading(), sale, shop, 0)]
    left = sale.total_minor
    for weight in [*weights, 0]:
        cut = left if weight == 0 else min(left, sale.total_minor * weight // 100)
        if not cut:
            continue
        what = Correction(InvoiceKind.CREDIT_NOTE, "F2026-00042", ISSUED_ON, cut, "")
        note = correction(heading(f"A2026-{len(documents):05}"), sale, shop, documents, what)
        assert note.total_minor == cut
        documents.append(note)
        left -= cut
    assert balance(documents) == 0
    sums: dict[tuple[str, int], list[int]] = {}
    for one in documents:
        for group in one.groups:
            found = sums.setdefault((group.category, group.rate_ppm), [0, 0])
            sign = 1 if one.kind is InvoiceKind.INVOICE else -1
            found[0] += sign * group.net_minor
            found[1] += sign * group.tax_minor
    assert all(pair == [0, 0] for pair in sums.values())


def test_returned_units_are_named_with_their_share_of_the_tax() -> None:
    sale = sale_of(placed([line(3000, quantity=3), line(1055, 550, number=2)]))
    first = invoice(heading(), sale, settings(), 0)
    note = credit(sale, [first], 2000, LineUnits(line=1, quantity=2))
    assert [(item.description, item.quantity) for item in note.items] == [("Marinière 1", 2)]
    assert (note.net_minor, note.tax_minor) == (1667, 333)


def test_an_amount_beside_the_price_of_the_returned_units_bears_their_rate() -> None:
    sale = sale_of(placed([line(3000, quantity=3), line(1000, 550, number=2)]))
    first = invoice(heading(), sale, settings(), 0)
    note = credit(sale, [first], 400, LineUnits(line=1, quantity=2))
    assert [(item.role, item.net_minor, item.tax_minor) for item in note.items] == [("correction", 333, 67)]


def test_an_amount_that_names_no_units_is_shared_by_rate() -> None:
    sale = sale_of(placed([line(3000, quantity=3), line(1000, 550, number=2)]))
    note = credit(sale, [invoice(heading(), sale, settings(), 0)], 400)
    assert [item.role for item in note.items] == ["correction", "correction"]
    assert [item.net_minor + item.tax_minor for item in note.items] == [300, 100]


@pytest.mark.parametrize(
    ("total", "quantity", "cancelled", "credited"),
    [(1055, 2, 1, 527), (1999, 4, 2, 999), (705, 6, 1, 117), (705, 6, 3, 352), (705, 6, 5, 587)],
)
def test_a_half_cent_is_credited_at_the_rate_of_its_line(
    total: int, quantity: int, cancelled: int, credited: int
) -> None:
    order = placed([line(total, 550, quantity=quantity), line(2000, number=2)])
    assert credit_of(order, {}, {1: cancelled}) == credited
    sale = sale_of(order)
    note = credit(
        sale, [invoice(heading(), sale, settings(), 0)], credited, LineUnits(line=1, quantity=cancelled)
    )
    assert [(item.quantity, item.taxes[0].rate_ppm) for item in note.items] == [(cancelled, 55_000)]
    assert note.total_minor == credited


LINES = st.lists(
    st.tuples(st.integers(1, 30_000), st.sampled_from((2000, 1000, 550, 210)), st.integers(1, 9)),
    min_size=1,
    max_size=4,
)


@effort(max_examples=200)
@given(LINES, st.booleans(), st.data())
def test_any_sequence_of_partial_cancellations_sums_to_the_lines_at_their_rates(
    lines: list[tuple[int, int, int]], includes_tax: bool, data: st.DataObject
) -> None:
    """The credits are those of orders, by its own rule; each credit note bears the rates of the lines it names."""
    taxes = [
        round(Fraction(total * rate, 10_000 + (rate if includes_tax else 0))) for total, rate, _ in lines
    ]
    sold = [
        line(total, rate, number=number, quantity=count, tax_minor=tax)
        for number, ((total, rate, count), tax) in enumerate(zip(lines, taxes, strict=True), 1)
    ]
    order = placed(sold, prices_include_tax=includes_tax, tax_minor=sum(taxes))
    sale = sale_of(order)
    documents, withdrawn = (
        [invoice(heading(), sale, settings(), 0)],
        dict.fromkeys(range(1, len(sold) + 1), 0),
    )
    while left := {
        one.line: one.quantity - withdrawn[one.line] for one in sold if one.quantity > withdrawn[one.line]
    }:
        number = data.draw(st.sampled_from(sorted(left)))
        units = {number: data.draw(st.integers(1, left[number]))}
        if amount := credit_of(order, withdrawn, units):
            named = LineUnits(line=number, quantity=units[number])
            documents.append(credit(sale, documents, amount, named, withdrawn=withdrawn))
            rates = {item.taxes[0].rate_ppm for item in documents[-1].items}
            assert rates == {sold[number - 1].vat_rate * 100}
        withdrawn[number] += units[number]
    assert balance(documents) == 0
    for name in ("net_minor", "tax_minor"):
        assert sum(getattr(one, name) for one in documents[1:]) == getattr(documents[0], name)


def credit_of(order: OrderPlaced, withdrawn: Mapping[int, int], units: Mapping[int, int]) -> int:
    """What orders credits for a cancellation of these units."""
    lines = [ContentLine.model_validate(one.model_dump()) for one in order.lines]
    values: dict[str, Any] = {"lines": lines, "totals": order.totals, "extra_lines": [], "shipping": None}
    content = SoldContent.model_construct(**values, prices_include_tax=order.prices_include_tax)
    before = {one.line: one.quantity - withdrawn.get(one.line, 0) for one in order.lines}
    after = {number: count - units.get(number, 0) for number, count in before.items()}
    return worth(content, before) - worth(content, after)


RATES = (2000, 1000, 550, 210)
UNSTATED = st.lists(
    st.tuples(st.integers(1, 30_000), st.sampled_from(RATES), st.integers(1, 9)), min_size=2, max_size=5
)


def content_of(order: OrderPlaced) -> SoldContent:
    """The order's content as orders keeps it."""
    lines = [ContentLine.model_validate(one.model_dump()) for one in order.lines]
    values: dict[str, Any] = {"lines": lines, "totals": order.totals, "currency": order.currency}
    values |= {"shipping": order.shipping, "extra_lines": order.extra_lines}
    return SoldContent.model_construct(**values, prices_include_tax=order.prices_include_tax)


def with_content(order: OrderPlaced, content: SoldContent) -> OrderPlaced:
    """The same order with another content."""
    lines = [PlacedLine.model_validate(one.model_dump(exclude={"reduced"})) for one in content.present()]
    return order.model_copy(update={"lines": lines, "totals": content.totals, "shipping": content.shipping})


def of_lines(lines: list[tuple[int, int, int]], *, includes_tax: bool, tax: int) -> OrderPlaced:
    """An order of these lines, of which the sender states no tax but the order's, rounded in a way of its own."""
    sold = [
        line(total, rate, number=number, quantity=count)
        for number, (total, rate, count) in enumerate(lines, 1)
    ]
    order = placed(sold, prices_include_tax=includes_tax)
    return placed(sold, prices_include_tax=includes_tax, tax_minor=max(0, order.totals.tax_minor + tax))


@effort(max_examples=300)
@given(UNSTATED, st.booleans(), st.integers(-2, 2))
def test_taxes_that_were_not_stated_are_those_that_an_edit_states(
    lines: list[tuple[int, int, int]], includes_tax: bool, tax: int
) -> None:
    order = of_lines(lines, includes_tax=includes_tax, tax=tax)
    stated = with_taxes_stated(content_of(order))
    assert [part.tax_minor for part in sale_of(order).parts] == [one.tax_minor for one in stated.lines]
    assert sale_of(with_content(order, stated)) == sale_of(order)


@effort(max_examples=300)
@given(UNSTATED, st.booleans(), st.integers(-2, 2), st.data())
def test_an_edit_after_a_credited_cancellation_bears_only_the_rate_of_the_line_it_changes(
    lines: list[tuple[int, int, int]], includes_tax: bool, tax: int, data: st.DataObject
) -> None:
    """The amounts are those of orders, by its own rules; the documents end as the units still wanted are taxed."""
    order = of_lines(lines, includes_tax=includes_tax, tax=tax)
    before = content_of(order)
    gone = data.draw(st.integers(1, len(lines)))
    units = {gone: data.draw(st.integers(1, lines[gone - 1][2]))}
    documents = [invoice(heading(), sale_of(order), settings(), 0)]
    if amount := worth(before, remaining(before, {})) - worth(before, remaining(before, units)):
        named = LineUnits(line=gone, quantity=units[gone])
        documents.append(credit(sale_of(order), documents, amount, named))
    rate = data.draw(st.sampled_from(RATES))
    more = ContentLine(**line(data.draw(st.integers(100, 30_000)), rate, number=len(lines) + 1).model_dump())
    after = counted(before.model_copy(update={"lines": [*with_taxes_stated(before).lines, more]}))
    due = due_change(before, after, units)
    assume(worth(before, remaining(before, units)))
    what = Correction(InvoiceKind.INVOICE, "F2026-00042", ISSUED_ON, due, "Ajout", (), units)
    sale = sale_of(with_content(order, after))
    documents.append(correction(heading("F2026-00043", 43), sale, settings(), documents, what))
    assert {tax.rate_ppm for item in documents[-1].items for tax in item.taxes} == {rate * 100}
    assert documents[-1].tax_minor == after.lines[-1].tax_minor
    assert balance(documents) == worth(after, remaining(after, units))


def test_an_edited_order_is_credited_by_what_changed() -> None:
    before = sale_of(placed([line(3000), line(1055, 550, number=2)]))
    after = sale_of(placed([line(3000)]))
    first = invoice(heading(), before, settings(), 0)
    note = credit(after, [first], 1055)
    assert [(group.rate_ppm, group.net_minor, group.tax_minor) for group in note.groups] == [
        (55_000, 1000, 55)
    ]


def test_a_sum_owed_in_addition_is_an_invoice_of_its_own() -> None:
    sale, more = sale_of(placed([line(3000)])), sale_of(placed([line(3000), line(600, number=2)]))
    first = invoice(heading(), sale, settings(), 0)
    what = Correction(InvoiceKind.INVOICE, first.number, ISSUED_ON, 600, "Commande modifiée")
    second = correction(heading("F2026-00043"), more, settings(), [first], what)
    assert (second.kind, second.total_minor, second.tax_minor) == (InvoiceKind.INVOICE, 600, 100)


IN_BERLIN = {"country": "DE", "postal_code": "10115"}
IN_BELFAST = {"country": "GB", "postal_code": "BT1 5GS"}


@pytest.mark.parametrize(
    ("place", "buyer", "changes", "category", "reason"),
    [
        (GENEVA, FIRM, IN_BERLIN, "G", "146, § 1, de la directive 2006/112/CE"),
        (SAINT_DENIS, FIRM, IN_BERLIN, "G", "146, § 1, de la directive 2006/112/CE"),
        (GENEVA, FIRM, IN_BELFAST, "G", "146, § 1, de la directive 2006/112/CE"),
        (BREST, FIRM, IN_BERLIN, "K", "138, § 1, de la directive 2006/112/CE"),
        (BREST, FIRM, IN_BELFAST, "K", "138, § 1, de la directive 2006/112/CE"),
        (
            None,
            FIRM,
            {**IN_BERLIN, "vat_regime": VatRegime.FRANCHISE},
            "E",
            "284 de la directive 2006/112/CE",
        ),
        (None, FIRM, {**IN_BELFAST, "vat_regime": VatRegime.FRANCHISE}, "E", "TVA non applicable"),
        (
            None,
            FIRM,
            {"country": "CH", "postal_code": "1200", "vat_regime": VatRegime.FRANCHISE},
            "E",
            "TVA non",
        ),
        (
            None,
            FIRM,
            {"country": "GP", "postal_code": "97100", "vat_regime": VatRegime.FRANCHISE},
            "E",
            "293 B",
        ),
        (MUNICH, GERMAN_FIRM, {}, "K", "262 ter"),
        (MUNICH, GERMAN_FIRM.model_copy(update={"vat_number": "811 569 869"}), {}, "K", "262 ter"),
        (MUNICH, GERMAN_FIRM.model_copy(update={"vat_number": "DE811569860"}), {}, "E", "261-4-4"),
        (MUNICH, GERMAN_FIRM.model_copy(update={"vat_number": "n/a"}), {"exemption_reason": ""}, "Z", None),
        (MUNICH, FIRM, {"exemption_reason": ""}, "Z", None),
        (GENEVA, FIRM, {}, "G", "262, I"),
        (MONACO, FIRM, {}, "E", "261-4-4"),
        (MONACO, FIRM, {"country": "DE", "postal_code": "80331"}, "K", "138, § 1"),
        (MONACO, MONEGASQUE, {"country": "DE", "postal_code": "80331"}, "K", "138, § 1"),
        (MUNICH, GERMAN_FIRM, {"country": "MC", "postal_code": "98000"}, "K", "262 ter"),
        (SAINT_DENIS, FIRM, {}, "G", "262, I"),
        (BREST, FIRM, {"country": "RE", "postal_code": "97400"}, "G", "262, I"),
        (BELFAST, BELFAST_FIRM, {}, "K", "262 ter"),
        (LONDON, CONSUMER, {}, "G", "262, I"),
        (LONDON, CONSUMER, {"country": "GB", "postal_code": "BT1 5GS"}, "E", "261-4-4"),
        (LONDON, CONSUMER, {"country": "GB", "postal_code": "BT1 5GS", "exemption_reason": ""}, "Z", None),
        (None, FIRM, {}, "E", "261-4-4"),
        (None, FIRM, {"vat_regime": VatRegime.FRANCHISE}, "E", "293 B"),
        (None, FIRM, {"exemption_reason": ""}, "Z", None),
    ],
)
def test_what_bears_no_vat_gives_the_reason(place, buyer, changes, category, reason) -> None:  # type: ignore[no-untyped-def]
    where = {"billing_address": place, "shipping_address": place} if place else {}
    content = invoice(
        heading(), sale_of(placed([line(5000, 0)], customer=buyer, **where)), settings(**changes), 0
    )
    assert content.groups[0].category == category
    assert (reason in (content.exemption_reason or "")) if reason else content.exemption_reason is None


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
@pytest.mark.parametrize("country", sorted(KNOWN - OF_FRANCE - {"MC"}))
@pytest.mark.parametrize("category", ["E", "K", "G"])
def test_no_seller_outside_france_names_french_law(country: str, category: str, locale: str) -> None:
    said = exemption(category, country, locale)
    assert not re.search("CGI|French|français", said)
    assert ("2006/112" in said) is (country in EU or category != "E")


@pytest.mark.parametrize(("country", "is_owed"), [("FR", True), ("RE", True), ("DE", False), ("US", False)])
def test_only_sellers_in_france_name_the_compensation_of_french_law(country: str, is_owed: bool) -> None:
    content = invoice(heading(), sale_of(placed([line(5000)], customer=FIRM)), settings(country=country), 0)
    assert any("40 €" in words for _, words in notes(content)) is is_owed


def test_a_credit_note_keeps_the_vat_category_of_its_invoice() -> None:
    """An invoice issued before buyers' numbers were checked may exempt by a number that can't be one."""
    buyer = GERMAN_FIRM.model_copy(update={"vat_number": "DE811569860"})
    sale = sale_of(placed([line(5000, 0)], customer=buyer, billing_address=MUNICH, shipping_address=MUNICH))
    issued = invoice(heading(), sale, settings(), 0)
    items = tuple(item.model_copy(update={"category": "K"}) for item in issued.items)
    before = issued.model_copy(update={"items": items})
    what = Correction(InvoiceKind.CREDIT_NOTE, before.number, ISSUED_ON, 5000, "Retour")
    assert {item.category for item in correction(heading("A1"), sale, settings(), [before], what).items} == {
        "K"
    }


@given(SEEDS)
def test_the_frozen_text_is_read_back_and_has_one_hash(seed: int) -> None:
    order, shop = made_up(seed)
    content = invoice(heading(), sale_of(order), shop, 0)
    text = canonical(content)
    assert read(text) == content
    assert digest(canonical(read(text))) == digest(text)


def test_missing_mentions_are_named_and_wrong_ones_are_not_called_missing() -> None:
    assert missing(settings()) == []
    assert missing(settings(siret="\u200b", capital="", late_penalty=" ")) == [
        "siret",
        "late_penalty",
        "capital",
    ]
    assert missing(settings(vat_number="", vat_regime=VatRegime.FRANCHISE)) == []
    assert missing(settings(vat_number="", country="FR", postal_code="97300")) == []
    assert missing(settings(vat_number="", country="RE", postal_code="97400")) == ["vat_number"]
    wrong = settings(siret="732 829 320 00075", vat_number="44732829320")
    assert missing(wrong) == []
    assert [one.field for one in invalid(wrong)] == ["settings.siret", "settings.vat_number"]
    assert "siret" in missing(settings(siret="", country="RE"))
