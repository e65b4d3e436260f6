"""Edits and a cancellation of a sale whose total and tax its unit price and rate can't give: no cent is lost."""

from typing import Any

import pytest

from contracts.orders.changes import OrderEdited
from contracts.portions import portion
from contracts.storefront import OrderSubmitted
from tests.builders.submissions import a_line, a_sale
from tests.conftest import Desks
from tests.orders.changing_orders import Merchant
from tests.orders.rest_client import place

QUEBEC = [
    {"label": "GST", "rate_ppm": 50_000, "tax_minor": 6204},
    {"label": "QST", "rate_ppm": 99_750, "tax_minor": 12376},
]


def pieces(tax: int, *, included: bool, **changes: Any) -> OrderSubmitted:
    """Thirty-six pieces for 1240.70, which no unit price in cents gives, with shipping at 5.00."""
    line = a_line(quantity=36, unit_price_minor=3446, total_minor=124_070, **changes)
    total = 124_570 + (0 if included else tax)
    return a_sale(
        line,
        prices_include_tax=included,
        shipping={"label": "Colissimo", "amount_minor": 500, "vat_rate": 0, "tax_minor": 0},
        totals={"lines_minor": 124_070, "shipping_minor": 500, "tax_minor": tax, "total_minor": total},
    )


SALES = {
    "tax per piece, included": pieces(36 * 574, included=True, vat_rate=2000),
    "tax per piece, on top": pieces(36 * 689, included=False, vat_rate=2000),
    "two taxes on top": pieces(18_580, included=False, vat_rate=1498, taxes=QUEBEC),
    "no tax": pieces(0, included=True, vat_rate=0),
}


@pytest.mark.parametrize("case", SALES)
async def test_what_is_kept_and_what_is_credited_sum_to_the_sale(desks: Desks, case: str) -> None:
    sale = SALES[case]
    desk = await desks("orders")
    merchant = Merchant(desk, await place(desk, sale))
    due = sale.totals.total_minor
    merchant.ship(1, 5)
    current = (36, 124_070)
    for quantity in (29, 17):
        await merchant.edit(lines=[{"line": 1, "quantity": quantity}])
        await merchant.desk.deliver(await merchant.stopped())
        [edited] = merchant.messages_of(OrderEdited)
        due += edited.due_change_minor
        [line] = edited.lines
        assert due == edited.totals.total_minor
        assert line.total_minor == portion(current[1], quantity, current[0])
        current = (quantity, line.total_minor)
        assert abs(line.tax_minor * 36 - sale.totals.tax_minor * quantity) <= 36 * 2
        assert edited.totals.tax_minor == line.tax_minor + edited.shipping.tax_minor
        assert [tax.label for tax in line.taxes or ()] == [tax.label for tax in sale.lines[0].taxes or ()]
    await merchant.cancel()
    await merchant.desk.deliver(await merchant.stopped())
    [cancelled] = merchant.messages_of(OrderEdited)
    kept = due + cancelled.due_change_minor
    five = portion(124_070, 5, 36) + 500
    tax = 0 if sale.prices_include_tax else round(sale.totals.tax_minor * 5 / 36)
    assert abs(kept - five - tax) <= 2


async def test_units_that_had_left_already_keep_the_senders_figures(desks: Desks) -> None:
    sale = SALES["tax per piece, on top"]
    desk = await desks("orders")
    merchant = Merchant(desk, await place(desk, sale))
    merchant.ship(1, 36)
    await merchant.edit(lines=[{"line": 1, "quantity": 7}])
    await merchant.desk.deliver(await merchant.stopped())
    [edited] = merchant.messages_of(OrderEdited)
    assert edited.due_change_minor == 0
    assert edited.totals == sale.totals
    assert (edited.lines[0].total_minor, edited.lines[0].quantity) == (124_070, 36)
