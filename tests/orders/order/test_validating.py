"""A sale is refused with every reason at once, and only for reasons."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.storefront import OrderSubmitted
from services.chassis.addresses import is_deliverable, may_be_mailed
from services.orders.order.validation.sale import MOST_REASONS, reasons_against
from services.orders.order.validation.totals import tax_bounds
from tests.builders.submissions import NOW, a_line, a_sale


def codes(sale: OrderSubmitted) -> list[str]:
    """The codes of the reasons against a sale, and a look at their form."""
    reasons = reasons_against(sale, NOW)
    assert all(reason.message.endswith(".") for reason in reasons)
    return [reason.code for reason in reasons]


def totals(**changes: int) -> dict[str, int]:
    """The totals of the builder's sale with some changed."""
    return {
        "lines_minor": 3600,
        "shipping_minor": 500,
        "tax_minor": 683,
        "total_minor": 4100,
        **changes,
    }


CUSTOMER = {"name": "Zoé", "email": "zoe@client.example"}
BOOKING = {"kind": "booking", "sku": None, "starts_at": "2026-12-01T18:00:00+01:00"}


def test_a_sale_that_adds_up_has_nothing_against_it() -> None:
    assert codes(a_sale()) == []


@pytest.mark.parametrize(
    ("sale", "code", "field"),
    [
        (a_sale(payment=None), "payment_method_missing", "payment"),
        (a_sale(payment={"method": "free"}), "free_above_zero", "payment.method"),
        (
            a_sale(a_line(unit_price_minor=0), shipping=None),
            "zero_total_needs_free",
            "payment.method",
        ),
        (a_sale(customer={**CUSTOMER, "name": "  "}), "customer_name_blank", "customer.name"),
        (a_sale(shipping_address=None), "shipping_address_missing", "shipping_address"),
        (a_sale(currency="EURO"), "currency_unknown", "currency"),
        (a_sale(submitted_at=NOW + timedelta(days=2)), "submitted_in_future", "submitted_at"),
        (a_sale(a_line(quantity=0), a_line()), "quantity_not_positive", "lines[0].quantity"),
        (a_sale(a_line(quantity=10**6 + 1)), "quantity_too_large", "lines[0].quantity"),
        (a_sale(a_line(description=" ")), "description_blank", "lines[0].description"),
        (a_sale(a_line(), a_line(unit_price_minor=-100)), "price_negative", "lines[1].unit_price_minor"),
        (a_sale(a_line(discount_minor=-1)), "discount_negative", "lines[0].discount_minor"),
        (a_sale(a_line(discount_minor=2401), a_line()), "discount_above_price", "lines[0].discount_minor"),
        (a_sale(a_line(total_minor=2398)), "line_total_wrong", "lines[0].total_minor"),
        (a_sale(a_line(**{**BOOKING, "starts_at": None})), "line_without_time", "lines[0].starts_at"),
        (
            a_sale(a_line(**BOOKING, ends_at="2026-12-01T17:00:00Z")),
            "line_times_reversed",
            "lines[0].ends_at",
        ),
        (a_sale(totals=totals(total_minor=4101)), "totals_do_not_add_up", "totals.total_minor"),
        (a_sale(totals=totals(tax_minor=685)), "tax_inconsistent", "totals.tax_minor"),
        (
            a_sale(shipping={"label": "Colissimo", "amount_minor": -100}),
            "shipping_negative",
            "shipping.amount_minor",
        ),
        (
            a_sale(a_line(quantity=1, unit_price_minor=10**13 + 1)),
            "amount_too_large",
            "lines[0].total_minor",
        ),
    ],
)
def test_each_fault_is_named_with_its_place(sale: OrderSubmitted, code: str, field: str) -> None:
    found = [reason for reason in reasons_against(sale, NOW) if reason.code == code]
    assert field in [reason.field for reason in found]


def test_no_lines() -> None:
    empty = {"lines_minor": 0, "total_minor": 0}
    sale = a_sale(shipping=None, lines=[], totals=empty, payment={"method": "free"})
    assert codes(sale) == ["no_lines"]


def test_a_reversed_sale_is_not_an_order() -> None:
    found = codes(a_sale(a_line(quantity=-2), a_line(quantity=-1), shipping=None))
    assert found[:2] == ["cancellation_without_order", "total_negative"]
    assert "quantity_not_positive" not in found


def test_every_reason_at_once() -> None:
    sale = a_sale(
        a_line(quantity=-1, total_minor=5),
        a_line(sku=None),
        payment=None,
        currency="XXX",
        customer={**CUSTOMER, "email": "zoe@client"},
        shipping_address=None,
    )
    assert set(codes(sale)) >= {
        "payment_method_missing",
        "currency_unknown",
        "shipping_address_missing",
        "quantity_not_positive",
        "line_total_wrong",
    }


def test_a_reason_shows_both_values_and_what_to_do() -> None:
    (reason,) = reasons_against(a_sale(totals=totals(total_minor=4101)), NOW)
    assert "41.01 EUR" in reason.message
    assert "41.00 EUR" in reason.message
    assert "send the sum" in reason.message


def test_very_many_faults_still_fit_a_message() -> None:
    sale = a_sale(*[a_line(sku=None, quantity=-1, unit_price_minor=-1) for _ in range(1000)])
    reasons = reasons_against(sale, NOW)
    assert len(reasons) == MOST_REASONS
    assert reasons[-1].code == "more_reasons"


def test_a_free_order() -> None:
    sale = a_sale(a_line(unit_price_minor=0), shipping=None, payment={"method": "free"})
    assert codes(sale) == []


def test_tickets_and_bookings_need_no_address() -> None:
    sale = a_sale(a_line(kind="ticket", sku=None), a_line(**BOOKING), shipping=None, shipping_address=None)
    assert codes(sale) == []


def test_prices_without_tax_add_it() -> None:
    without = {"lines_minor": 3600, "shipping_minor": 500, "tax_minor": 820, "total_minor": 4920}
    assert codes(a_sale(prices_include_tax=False, totals=without)) == []
    assert codes(a_sale(prices_include_tax=False, totals={**without, "total_minor": 4100})) == [
        "totals_do_not_add_up"
    ]


def test_a_discount_on_the_whole_order() -> None:
    extras = [{"label": "Bienvenue", "amount_minor": -600, "vat_rate": 2000}]
    sums = totals(extras_minor=-600, tax_minor=583, total_minor=3500)
    assert codes(a_sale(extra_lines=extras, totals=sums)) == []


ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEILING)
lines = st.lists(
    st.builds(
        a_line,
        quantity=st.integers(1, 9),
        unit_price_minor=st.integers(0, 9999),
        vat_rate=st.sampled_from([0, 210, 550, 1000, 2000]),
    ),
    min_size=1,
    max_size=6,
)


@given(lines, st.booleans(), st.sampled_from(ROUNDINGS))
def test_tax_rounded_per_piece_is_reachable(
    sold: list[dict[str, Any]], included: bool, rounding: str
) -> None:
    sale = a_sale(*sold, prices_include_tax=included)
    assert sale.shipping is not None
    tax = _rounded(sale.shipping.amount_minor, sale.shipping.vat_rate, included, rounding)
    for line in sale.lines:
        tax += line.quantity * _rounded(line.unit_price_minor, line.vat_rate, included, rounding)
    least, most = tax_bounds(sale)
    assert least <= tax <= most


@given(lines, st.booleans(), st.sampled_from(ROUNDINGS), st.booleans())
def test_tax_rounded_per_line_or_per_rate_is_reachable(
    sold: list[dict[str, Any]], included: bool, rounding: str, per_rate: bool
) -> None:
    sale = a_sale(*sold, prices_include_tax=included)
    assert sale.shipping is not None
    taxed = [(line.total_minor, line.vat_rate) for line in sale.lines]
    taxed.append((sale.shipping.amount_minor, sale.shipping.vat_rate))
    if per_rate:
        rates = {rate for _, rate in taxed}
        taxed = [(sum(amount for amount, its in taxed if its == rate), rate) for rate in rates]
    tax = sum(_rounded(amount, rate, included, rounding) for amount, rate in taxed)
    least, most = tax_bounds(sale)
    assert least <= tax <= most


def _rounded(amount: int, rate: int, included: bool, rounding: str) -> int:
    exact = Decimal(amount) * rate / (10_000 + rate if included else 10_000)
    return int(exact.quantize(Decimal(1), rounding=rounding))


@given(lines, st.integers(-3, 3))
def test_tax_beyond_any_rounding_is_refused(sold: list[dict[str, Any]], beyond: int) -> None:
    sale = a_sale(*sold)
    least, most = tax_bounds(sale)
    tax = least + beyond if beyond < 0 else most + beyond
    changed = sale.model_copy(update={"totals": sale.totals.model_copy(update={"tax_minor": tax})})
    assert (codes(changed) == ["tax_inconsistent"]) is (beyond != 0)


@pytest.mark.parametrize(
    "address",
    ["zoe@client.example", "z.o+e@a-b.co", "o'hara@x.fr", "a@bücher.example", "x_1@sub.domain.museum"],
)
def test_addresses_that_mail_reaches(address: str) -> None:
    assert is_deliverable(address)


@pytest.mark.parametrize(
    "address",
    [
        "zoe",
        "@client.example",
        "zoe@",
        "zoe@client",
        "zoe@client..example",
        "zoe@-client.example",
        "zoe@client.example.",
        ".zoe@client.example",
        "zoe.@client.example",
        "z..e@client.example",
        "zoé@client.example",
        "zoe@client.e",
        "zoe@[192.0.2.1]",
        "zoe@192.0.2.1",
        '"zoe"@client.example',
        "zoe@client.example,other@x.fr",
        "zoe@client.example\r\nBcc:x@y.fr",
        "zoe\0@client.example",
        "<zoe@client.example>",
        "a" * 65 + "@client.example",
        "zoe@" + "a" * 64 + ".example",
        "zoe@" + "a." * 130 + "example",
    ],
)
def test_addresses_that_no_mail_reaches(address: str) -> None:
    assert not is_deliverable(address)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("zoe@client.example", True),
        ("taro..y.@docomo.example", True),
        ('"taro..y."@docomo.example', True),
        ("jörg@bücher.example", True),
        ("zoe@localhost", False),
        ("zo e@client.example", False),
        ("@client.example", False),
        ("zoe@client.example\r\nBcc:x@y.fr", False),
        ("ö" * 33 + "@client.example", False),
    ],
)
def test_addresses_that_a_mail_can_be_given(address: str, may: bool) -> None:
    assert may_be_mailed(address) is may


def test_the_present_time_matters_for_tomorrow_only() -> None:
    sale = a_sale(submitted_at=datetime(2010, 12, 1, tzinfo=UTC))
    assert codes(sale) == []
