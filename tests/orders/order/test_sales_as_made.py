"""A sale is placed as it was made: its totals and taxes are the sender's, however it rounded them."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.orders.lifecycle import OrderPlaced
from contracts.storefront import OrderSubmitted
from contracts.taxation import charges_of
from services.orders.order.search.indexing import facts_in, read_words
from services.orders.order.search.taxes import facts_of
from services.orders.order.totals.content import worth
from services.orders.order.unit.edits.edits import Edits
from services.orders.order.validation.sale import reasons_against
from tests.builders.submissions import SHOP, a_line, a_sale
from tests.conftest import Desks

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def sold(
    *lines: dict[str, Any], tax: int, included: bool, currency: str = "EUR", **more: Any
) -> OrderSubmitted:
    """A sale of these lines without shipping, with this tax, that adds up."""
    goods = sum(line["total_minor"] for line in lines)
    extras = sum(extra["amount_minor"] for extra in more.get("extra_lines", []))
    total = goods + extras + (0 if included else tax)
    return a_sale(
        *lines,
        currency=currency,
        prices_include_tax=included,
        shipping=None,
        totals={"lines_minor": goods, "extras_minor": extras, "tax_minor": tax, "total_minor": total},
        **more,
    )


CANADIAN = [
    {"label": "GST", "rate_ppm": 50_000, "tax_minor": 193},
    {"label": "PST", "rate_ppm": 70_000, "tax_minor": 270},
]
ROUNDED_PER_PIECE = sold(a_line(quantity=80, unit_price_minor=780, vat_rate=2100), tax=13120, included=False)
RATE_OF_NEW_YORK = a_line(
    quantity=1,
    unit_price_minor=100_000,
    vat_rate=888,
    taxes=[{"rate_ppm": 88_750, "tax_minor": 8875}],
)
PLACED = {
    "tax per piece, on top": ROUNDED_PER_PIECE,
    "tax per piece, included": sold(
        a_line(quantity=80, unit_price_minor=944, vat_rate=2100), tax=13120, included=True
    ),
    "tax per line": sold(
        *[a_line(quantity=1, unit_price_minor=33, vat_rate=2000, tax_minor=7) for _ in range(4)],
        tax=28,
        included=False,
    ),
    "stated per line, rounded per order": sold(
        *[a_line(quantity=1, unit_price_minor=33, vat_rate=2000, tax_minor=7) for _ in range(4)],
        tax=26,
        included=False,
    ),
    "a rounded unit price": sold(
        a_line(quantity=36, unit_price_minor=3446, total_minor=124070, vat_rate=0), tax=0, included=True
    ),
    "a unit price below a cent": sold(
        a_line(quantity=1000, unit_price_minor=1, unit_price_exact="0.0123", total_minor=1230, vat_rate=0),
        tax=0,
        included=True,
    ),
    "8.875 %": sold(RATE_OF_NEW_YORK, tax=8875, included=False, currency="USD"),
    "GST and PST": sold(
        a_line(quantity=1, unit_price_minor=3848, vat_rate=1200, taxes=CANADIAN),
        tax=463,
        included=False,
        currency="CAD",
    ),
    "a discount per rate": sold(
        a_line(quantity=16, unit_price_minor=614, vat_rate=2000),
        a_line(quantity=9, unit_price_minor=1115, vat_rate=900),
        tax=817 + 418,
        included=True,
        extra_lines=[
            {"label": "Remise", "amount_minor": -4947, "vat_rate": 2000},
            {"label": "Remise", "amount_minor": -5053, "vat_rate": 900},
        ],
    ),
    "cash rounding": sold(
        a_line(quantity=1, unit_price_minor=675, vat_rate=770),
        tax=52,
        included=False,
        currency="CHF",
        extra_lines=[{"label": "Rundung", "amount_minor": 3}],
    ),
}


@pytest.mark.parametrize("case", PLACED)
def test_each_legal_way_of_rounding_is_placed(case: str) -> None:
    sale = PLACED[case]
    assert [reason.message for reason in reasons_against(sale, NOW)] == []
    facts = facts_of(charges_of(sale.lines, None, ()), sale.totals.total_minor, sale.model_dump(mode="json"))
    assert facts.tax_minor == sale.totals.tax_minor


@pytest.mark.parametrize("case", PLACED)
async def test_the_order_holds_the_senders_figures(desks: Desks, case: str) -> None:
    desk, sale = await desks("orders"), PLACED[case]
    outcome = await desk.deliver(sale)
    assert outcome.result == "handled"
    [placed] = [message for _, message in outcome.emitted if isinstance(message, OrderPlaced)]
    assert placed.totals == sale.totals
    shown = ("unit_price_minor", "unit_price_exact", "total_minor", "vat_rate", "tax_minor", "taxes")
    for line, sent in zip(placed.lines, sale.lines, strict=True):
        assert [getattr(line, name) for name in shown] == [getattr(sent, name) for name in shown]
    async with desk.hub.unit() as unit:
        edits = Edits(unit)
        await edits.load([(SHOP, placed.order_id)])
        content = edits.contents[SHOP, placed.order_id]
        [words] = await read_words(unit.connection, [(SHOP, placed.order_id)])
    assert worth(content, {line.line: line.quantity for line in content.lines}) == sale.totals.total_minor
    assert facts_in(words).tax_minor == sale.totals.tax_minor


def test_the_export_has_each_tax_at_its_own_rate() -> None:
    def vat(case: str) -> dict[int, int]:
        sale = PLACED[case]
        lines = charges_of(sale.lines, None, ())
        return dict(facts_of(lines, sale.totals.total_minor, sale.model_dump(mode="json")).vat)

    assert vat("8.875 %") == {88_750: 8875}
    assert vat("GST and PST") == {50_000: 193, 70_000: 270}
    assert vat("tax per piece, on top") == {210_000: 13120}
    assert sum(vat("a discount per rate").values()) == 1235


def sentence(sale: OrderSubmitted, code: str) -> str:
    """What the refusal says under this code."""
    [message] = {reason.message for reason in reasons_against(sale, NOW) if reason.code == code}
    return message


def test_a_discount_over_several_rates_is_refused_with_advice_to_send_a_line_per_rate() -> None:
    sale = sold(
        a_line(quantity=16, unit_price_minor=614, vat_rate=2000),
        a_line(quantity=9, unit_price_minor=1115, vat_rate=900),
        tax=1243,
        included=True,
        extra_lines=[{"label": "Remise", "amount_minor": -10_000, "vat_rate": 2000}],
    )
    assert "one extra line per rate" in sentence(sale, "tax_inconsistent")


def test_cash_rounding_in_the_tax_is_reported_to_be_an_extra_line() -> None:
    sale = sold(
        a_line(quantity=1, unit_price_minor=675, vat_rate=770), tax=55, included=False, currency="CHF"
    )
    assert "send 0.03 CHF as an extra line" in sentence(sale, "tax_inconsistent")


def test_a_return_within_a_sale_is_refused_with_the_place_where_it_belongs() -> None:
    sale = sold(
        a_line(quantity=7, unit_price_minor=40_000, vat_rate=0),
        a_line(quantity=-3, unit_price_minor=50_000, vat_rate=0),
        tax=0,
        included=True,
    )
    message = sentence(sale, "quantity_not_positive")
    assert "on the order they were bought with" in message
    assert "leave the line out" not in message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tax_minor": 464, "taxes": CANADIAN}, "taxes_do_not_add_up"),
        ({"tax_minor": -463}, "tax_above_amount"),
        ({"tax_minor": 4000}, "tax_above_amount"),
        ({"unit_price_exact": "39.48"}, "unit_price_differs"),
        ({"total_minor": 3849}, "line_total_wrong"),
    ],
)
def test_figures_that_cannot_be_facts_are_refused(changes: dict[str, Any], code: str) -> None:
    line = a_line(quantity=1, unit_price_minor=3848, vat_rate=1200, **changes)
    sale = sold(line, tax=463, included=False, currency="CAD")
    assert code in {reason.code for reason in reasons_against(sale, NOW)}


README = (Path(contracts.__file__).parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = [
    [cell.strip() for cell in row.strip("|").split("|")]
    for row in README.split("<!-- examples: read by a test -->")[1]
    .split("<!-- examples: end -->")[0]
    .split("\n")
    if "{" in row
]


@pytest.mark.parametrize(("case", "included", "lines", "tax"), EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_each_worked_example_of_the_contract_is_placed(
    case: str, included: str, lines: str, tax: str
) -> None:
    given = [a_line(**{"vat_rate": 0, **json.loads(line)}) for line in re.findall(r"`(.*?)`", lines)]
    sale = sold(*given, tax=int(tax), included=included == "yes")
    read = OrderSubmitted.model_validate_json(sale.model_dump_json(), strict=True)
    assert reasons_against(read, NOW) == []
