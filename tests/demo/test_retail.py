"""Invoices of the Online Retail format become orders, or are turned away with a reason; none disappears."""

import os
from pathlib import Path

import pytest

from contracts.sale import LineKind, PaymentMethod
from contracts.storefront import OrderSubmitted
from deploy.demo.sales.retail import Import, convert, read_invoices
from deploy.demo.sales.retail_rows import COLUMNS, NotTheFormat, read_rows

HEADER = ",".join(COLUMNS)
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "online-retail"


def invoices(*rows: str) -> Import:
    """The import of a CSV with these rows."""
    return convert(read_rows([HEADER, *rows]))


def row(
    invoice: str = "536365",
    code: str = "85123A",
    description: str = "WHITE HANGING HEART",
    quantity: int = 6,
    price: str = "2.55",
    customer: str = "17850.0",
    country: str = "United Kingdom",
) -> str:
    """One CSV line."""
    return f"{invoice},{code},{description},{quantity},2010-12-01 08:26:00,{price},{customer},{country}"


def codes(made: Import) -> list[list[str]]:
    """The reasons of every invoice that was turned away."""
    return [[reason.code for reason in each.reasons] for each in made.rejected]


def only_submission(made: Import) -> OrderSubmitted:
    (sale,) = made.sales
    return sale.submission


def test_an_invoice_is_one_order_with_all_its_lines() -> None:
    submitted = only_submission(invoices(row(), row(code="71053", quantity=2, price="3.39")))
    assert [(line.sku, line.quantity, line.unit_price_minor) for line in submitted.lines] == [
        ("85123A", 6, 255),
        ("71053", 2, 339),
    ]
    assert submitted.currency == "GBP"
    assert submitted.totals.total_minor == 6 * 255 + 2 * 339
    assert submitted.source_reference == "536365"
    assert all(line.kind is LineKind.SHIP for line in submitted.lines)
    assert (submitted.customer.email or "").endswith("@example.org")


def test_lines_of_an_invoice_need_not_stand_together() -> None:
    made = invoices(row(invoice="1"), row(invoice="2"), row(invoice="1", code="71053"))
    assert [len(sale.submission.lines) for sale in made.sales] == [2, 1]


@pytest.mark.parametrize(
    "code", ["POST", "DOT", "C2", "M", "D", "BANK CHARGES", "AMAZONFEE", "S", "CRUK", "PADS", "gift_0001_20"]
)
def test_charges_become_extra_lines(code: str) -> None:
    submitted = only_submission(
        invoices(row(), row(code=code, description="Charge", quantity=3, price="18.0"))
    )
    assert [(extra.label, extra.amount_minor) for extra in submitted.extra_lines] == [("Charge × 3", 5400)]
    assert len(submitted.lines) == 1
    assert submitted.totals.total_minor == 6 * 255 + 5400


def test_a_negative_charge_beside_goods_is_a_discount() -> None:
    submitted = only_submission(
        invoices(row(), row(code="D", description="Discount", quantity=-1, price="5.00"))
    )
    assert submitted.extra_lines[0].label == "Discount"
    assert submitted.totals.total_minor == 6 * 255 - 500


def test_the_days_of_december_are_reported_in_londons_time() -> None:
    assert only_submission(invoices(row())).submitted_at.isoformat() == "2010-12-01T08:26:00+00:00"


def test_an_invoice_over_nothing_is_free_and_others_are_not() -> None:
    free = invoices(row(), row(code="D", quantity=-1, price="15.30"))
    assert only_submission(free).payment is not None
    assert only_submission(free).payment.method is PaymentMethod.FREE  # type: ignore[union-attr]
    assert only_submission(invoices(row())).payment.method is not PaymentMethod.FREE  # type: ignore[union-attr]


def test_a_cancelled_sale_is_submitted_and_must_be_refused() -> None:
    made = invoices(row(invoice="C536379", quantity=-6))
    assert made.sales[0].refusals == {"cancellation_without_order", "total_negative"}
    assert not made.sales[0].is_placed


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(invoice="C1", code="D", quantity=-1)], ["cancellation_without_order"]),
        ([row(invoice="C1", quantity=-1, customer="")], ["cancellation_without_order", "customer_missing"]),
        ([row(customer="")], ["customer_missing"]),
        ([row(price="0.0")], ["nothing_sold"]),
        ([row(quantity=0)], ["nothing_sold"]),
        ([row(price="0.0", quantity=-3, customer="")], ["customer_missing"]),
        ([row(price="0.0", customer="")], ["customer_missing", "nothing_sold"]),
        ([row(price="0.001")], ["price_too_precise"]),
    ],
)
def test_what_the_contract_has_no_words_for_is_rejected(rows: list[str], expected: list[str]) -> None:
    made = invoices(*rows)
    assert codes(made) == [expected]
    assert made.sales == []


def test_more_lines_than_an_order_may_have_are_rejected_with_the_contracts_words() -> None:
    made = invoices(*(row(code=f"{number:05d}") for number in range(1001)))
    assert codes(made) == [["does_not_fit_the_contract"]]
    assert made.rejected[0].reasons[0].field == "lines"


def test_charges_alone_and_mixed_signs_are_left_to_comptoir() -> None:
    alone = invoices(row(code="BANK CHARGES", quantity=1, price="15.0"))
    mixed = invoices(row(), row(code="71053", quantity=-1))
    assert alone.sales[0].refusals == {"no_lines"}
    assert mixed.sales[0].refusals == {"quantity_not_positive"}


def test_stock_covers_exactly_what_is_sold() -> None:
    made = invoices(row(), row(invoice="2", quantity=4), row(invoice="C3", quantity=-6))
    assert [(level.sku, level.on_hand) for level in made.stock()] == [("85123A", 10)]


def test_the_same_file_makes_the_same_orders() -> None:
    rows = [row(invoice=str(number), customer=f"{12000 + number}.0") for number in range(30)]
    first, second = invoices(*rows), invoices(*rows)
    assert [(s.submission, s.story) for s in first.sales] == [(s.submission, s.story) for s in second.sales]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("InvoiceNo,StockCode", "no column Description"),
        (f"{HEADER}\n{row(price='cheap')}", "line 2"),
        (f"{HEADER}\n{row()}\n1,2", "line 3"),
        (f"{HEADER}\n{row(price='NaN')}", "is no amount"),
    ],
)
def test_another_format_is_refused_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(text)
    with pytest.raises(NotTheFormat, match=says):
        read_invoices(tmp_path / "orders.csv")


def given_files() -> list[Path]:
    """The real files, where they are: named by COMPTOIR_RETAIL, or beside the checkout."""
    named = os.environ.get("COMPTOIR_RETAIL")
    return [Path(named)] if named else sorted(REAL.glob("*.csv"))


def test_no_real_invoice_disappears() -> None:
    for file in given_files():
        with file.open(encoding="utf-8-sig", newline="") as opened:
            seen = {each.invoice for each in read_rows(opened)}
        made = read_invoices(file)
        submitted = [str(sale.submission.source_reference) for sale in made.sales]
        assert sorted([*submitted, *(each.invoice for each in made.rejected)]) == sorted(seen)
        assert made.invoices == len(seen)


def test_a_file_in_latin_1_is_read_and_one_without_orders_is_reported(tmp_path: Path) -> None:
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    row = "536365,85123A,CAFÉ AU LAIT,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    latin, empty = tmp_path / "latin.csv", tmp_path / "empty.csv"
    latin.write_text(head + row, encoding="latin-1")
    empty.write_text(head)
    [sale] = read_invoices(latin).sales
    assert sale.submission.lines[0].description == "CAFÉ AU LAIT"
    with pytest.raises(NotTheFormat, match="no order"):
        read_invoices(empty)
