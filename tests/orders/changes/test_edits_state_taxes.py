"""An edit may state the tax of what it changes: a fact, by the rules that a sale's taxes have."""

from typing import Any

import pytest

from contracts.orders.changes import OrderEdited
from services.orders.changes.changing import ChangeRefused
from tests.builders.submissions import a_line, a_sale
from tests.conftest import Desks
from tests.orders.changing_orders import Merchant
from tests.orders.rest_client import TOKENS, client, key, place

QUEBEC = [
    {"label": "GST", "rate_ppm": 50_000, "tax_minor": 50},
    {"label": "QST", "rate_ppm": 99_750, "tax_minor": 100},
]
NEW = {"kind": "service", "description": "Leçon", "quantity": 1, "unit_price_minor": 1000}


async def a_merchant(desks: Desks, *, included: bool = False) -> Merchant:
    """A merchant with an order of two pieces at 10.00 at 20 %."""
    line = a_line(quantity=2, unit_price_minor=1000, total_minor=2000, vat_rate=2000)
    tax = 333 if included else 400
    sale = a_sale(
        line,
        shipping=None,
        prices_include_tax=included,
        totals={"lines_minor": 2000, "tax_minor": tax, "total_minor": 2000 if included else 2400},
    )
    desk = await desks("orders", api_tokens=TOKENS)
    return Merchant(desk, await place(desk, sale))


async def edited(merchant: Merchant, **changes: Any) -> OrderEdited:
    """What an edit that asks fulfillment for nothing, or gets all of it, came to."""
    await merchant.edit(**changes)
    events = merchant.messages_of(OrderEdited)
    if not events:
        await merchant.desk.deliver(await merchant.added())
        events = merchant.messages_of(OrderEdited)
    order: OrderEdited = events[-1]
    return order


async def test_a_tax_that_is_stated_for_a_line_is_a_fact(desks: Desks) -> None:
    merchant = await a_merchant(desks)
    order = await edited(merchant, lines=[{"line": 1, "tax_minor": 399}])
    assert (order.lines[0].tax_minor, order.totals.tax_minor, order.due_change_minor) == (399, 399, -1)
    order = await edited(merchant, lines=[{"line": 1, "unit_price_minor": 900, "tax_minor": 361}])
    assert (order.lines[0].tax_minor, order.totals.total_minor) == (361, 2161)


async def test_several_taxes_of_a_new_line_are_kept_with_their_names(desks: Desks) -> None:
    merchant = await a_merchant(desks)
    order = await edited(merchant, lines=[{**NEW, "taxes": QUEBEC}])
    taxes = order.lines[1].taxes or []
    assert [(tax.label, tax.tax_minor) for tax in taxes] == [("GST", 50), ("QST", 100)]
    assert (order.lines[1].tax_minor, order.totals.tax_minor, order.due_change_minor) == (150, 550, 1150)


async def test_an_included_tax_changes_nothing_that_is_due(desks: Desks) -> None:
    merchant = await a_merchant(desks, included=True)
    order = await edited(merchant, lines=[{"line": 1, "tax_minor": 332}])
    assert (order.totals.tax_minor, order.totals.total_minor, order.due_change_minor) == (332, 2000, 0)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {"lines": [{"line": 1, "tax_minor": 151, "taxes": QUEBEC}]},
        "taxes_do_not_add_up",
        "lines[0].tax_minor",
    ),
    ({"lines": [{"line": 1, "tax_minor": 2001}]}, "tax_above_amount", "lines[0].tax_minor"),
    ({"lines": [{"line": 1, "tax_minor": -1}]}, "tax_above_amount", "lines[0].tax_minor"),
    ({"lines": [{"line": 1}, {**NEW, "tax_minor": 1001}]}, "tax_above_amount", "lines[1].tax_minor"),
    (
        {"shipping": {"label": "Colissimo", "amount_minor": 500, "tax_minor": 151, "taxes": QUEBEC}},
        "taxes_do_not_add_up",
        "shipping.tax_minor",
    ),
    (
        {"extra_lines": [{"label": "Emballage", "amount_minor": 500, "tax_minor": 149, "taxes": QUEBEC}]},
        "taxes_do_not_add_up",
        "extra_lines[0].tax_minor",
    ),
]


@pytest.mark.parametrize(("changes", "code", "field"), WRONG)
async def test_a_tax_that_cannot_be_is_refused_as_at_placing(
    desks: Desks, changes: dict[str, Any], code: str, field: str
) -> None:
    merchant = await a_merchant(desks)
    with pytest.raises(ChangeRefused) as refused:
        await merchant.edit(**changes)
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [(code, field)]


@pytest.mark.parametrize("tax", ["399", 399.0, True])
async def test_over_rest_a_tax_is_a_whole_number(desks: Desks, tax: Any) -> None:
    merchant = await a_merchant(desks)
    path = f"/v1/orders/{merchant.order.order_id}"
    async with client(merchant.desk) as http:
        wrong = await http.patch(path, json={"lines": [{"line": 1, "tax_minor": tax}]}, headers=key())
        right = await http.patch(path, json={"lines": [{"line": 1, "tax_minor": 399}]}, headers=key())
        shown = (await http.get(path)).json()
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "lines[0].tax_minor")
    assert (right.status_code, shown["totals"]["tax_minor"]) == (200, 399)
