"""Whatever is edited or cancelled: the order adds up to the cent, and credits for parts make the credit for all."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.sale import Customer, ExtraLine, LineKind, PaymentMethod, Shipping, Tax, Totals
from services.orders.changes import edition
from services.orders.changes.requests import EditRequest
from services.orders.order.totals.content import (
    Content,
    ContentLine,
    charges,
    totals_of,
    with_taxes_stated,
    worth,
)
from services.orders.order.validation.totals import faults_of_totals, tax_bounds

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RATES = st.sampled_from([0, 210, 550, 1000, 2000])
PRICES = st.integers(0, 100_000)


@st.composite
def lines(draw: st.DrawFn, number: int) -> ContentLine:
    """A line whose total its rounded unit price need not give; perhaps with taxes of its own."""
    quantity, price = draw(st.integers(1, 9)), draw(PRICES)
    rounded = draw(st.integers(1 - quantity if price else 0, quantity - 1))
    discount = draw(st.integers(0, quantity * price + rounded))
    total = quantity * price + rounded - discount
    return ContentLine(
        line=number,
        kind=LineKind.SHIP,
        description="Article",
        sku=f"SKU-{number}",
        quantity=quantity,
        unit_price_minor=price,
        discount_minor=discount,
        total_minor=total,
        vat_rate=draw(RATES),
        **draw(stated_taxes(total)),
    )


@st.composite
def stated_taxes(draw: st.DrawFn, amount: int) -> dict[str, Any]:
    """The tax fields of a charge: none, one fact, or several taxes."""
    taxes = [
        Tax(label=label, rate_ppm=rate, tax_minor=draw(st.integers(0, max(0, amount) // 4)))
        for label, rate in (("GST", 50_000), ("QST", 99_750))
    ]
    return draw(
        st.sampled_from([{}, {}, {"tax_minor": taxes[0].tax_minor}, {"taxes": taxes}, {"taxes": taxes[:1]}])
    )


@st.composite
def contents(draw: st.DrawFn, *, extras: bool = True) -> Content:
    """An order's content whose totals are counted by the rule."""
    count = draw(st.integers(1, 4))
    shipping = draw(
        st.none() | st.builds(Shipping, label=st.just("Colissimo"), amount_minor=PRICES, vat_rate=RATES)
    )
    amounts = st.integers(-500 if extras else 0, 5000)
    extra = st.builds(ExtraLine, label=st.just("Frais"), amount_minor=amounts, vat_rate=RATES)
    content = Content.model_construct(
        currency="EUR",
        prices_include_tax=draw(st.booleans()),
        method=PaymentMethod.CARD,
        customer=Customer(name="Ada", email="ada@example.org"),
        billing_address=None,
        shipping_address=None,
        lines=[draw(lines(number)) for number in range(1, count + 1)],
        shipping=shipping,
        extra_lines=draw(st.lists(extra, max_size=2)),
        note=None,
        totals=Totals(lines_minor=0, total_minor=0),
    )
    totals = totals_of(content)
    least, most = tax_bounds(content.as_sale())
    rounding = draw(st.integers(least - totals.tax_minor, most - totals.tax_minor))
    total = totals.total_minor + (0 if content.prices_include_tax else rounding)
    update = {"tax_minor": totals.tax_minor + rounding, "total_minor": total}
    return content.model_copy(update={"totals": totals.model_copy(update=update)})


@st.composite
def edits(draw: st.DrawFn) -> EditRequest:
    """Some changes of the first lines and perhaps a new one."""
    changed = draw(st.sets(st.just(1) | st.just(2), max_size=2))
    requests: list[dict[str, Any]] = [
        {
            "line": n,
            "quantity": draw(st.integers(0, 12)),
            "unit_price_minor": draw(PRICES),
            "discount_minor": 0,
        }
        for n in sorted(changed)
    ]
    if draw(st.booleans()):
        new = {"kind": "ticket", "description": "Billet", "quantity": 2, "unit_price_minor": draw(PRICES)}
        requests.append({**new, "vat_rate": draw(RATES)})
    return EditRequest.model_validate({"lines": requests})


@given(contents(), edits())
def test_an_edited_order_adds_up_by_the_rules_for_submissions(content: Content, request: EditRequest) -> None:
    if edition.faults_of(content, request):
        return
    wanted = edition.edited(content, request, {})
    faults = [fault.code for fault in faults_of_totals(wanted.as_sale())]
    assert set(faults) <= {"total_negative", "tax_above_amount"}
    for line in wanted.present():
        exact = line.quantity * line.unit_price_minor - line.discount_minor
        assert abs(line.total_minor - exact) <= line.quantity
    if wanted.totals != content.totals:
        assert wanted.totals.tax_minor == sum(sum(charge.taxes or ()) for charge in charges(wanted))


@given(contents())
def test_an_edit_that_names_nothing_leaves_everything(content: Content) -> None:
    assert edition.edited(content, EditRequest(), {}) == content


@given(contents(), edits(), st.data())
def test_quantities_after_the_answers_are_what_fulfillment_has(
    content: Content, request: EditRequest, data: st.DataObject
) -> None:
    if edition.faults_of(content, request):
        return
    wanted = edition.edited(content, request, {})
    questions = edition.questions_of(content, wanted)
    stopped = {n: data.draw(st.integers(0, units)) for n, units in questions.off.items()}
    left = {n: units - stopped[n] for n, units in questions.off.items()}
    missing = {n: units for n, units in questions.on.items() if data.draw(st.booleans())}
    after = edition.settled(content, wanted, left, missing, stopped)
    ordered = {line.line: line.quantity for line in content.lines}
    for n, units in questions.on.items():
        if n not in missing:
            ordered[n] = ordered.get(n, 0) + units
    assert {line.line: line.quantity + line.reduced for line in after.lines} == ordered
    assert {fault.code for fault in faults_of_totals(after.as_sale())} <= {
        "total_negative",
        "tax_above_amount",
    }
    total = max(0, after.totals.total_minor) if after.present() else 0
    assert edition.due_change(content, after, {}) == total - max(0, content.totals.total_minor)


@given(contents(), st.data())
def test_cancelling_in_steps_credits_what_cancelling_at_once_credits(
    content: Content, data: st.DataObject
) -> None:
    remaining = {line.line: line.quantity for line in content.lines}
    assert worth(content, remaining) == max(0, content.totals.total_minor)
    credited = 0
    while any(remaining.values()):
        line = data.draw(st.sampled_from([n for n, units in remaining.items() if units]))
        after = {**remaining, line: remaining[line] - data.draw(st.integers(1, remaining[line]))}
        credited += worth(content, remaining) - worth(content, after)
        remaining = after
    assert credited == max(0, content.totals.total_minor)


@given(contents(extras=False), st.data())
def test_fewer_units_are_never_worth_more(content: Content, data: st.DataObject) -> None:
    remaining = {line.line: data.draw(st.integers(0, line.quantity)) for line in content.lines}
    fewer = {n: data.draw(st.integers(0, units)) for n, units in remaining.items()}
    assert 0 <= worth(content, fewer) <= worth(content, remaining) + len(content.lines) + 1


@given(contents())
def test_the_taxes_of_all_charges_sum_to_the_orders(content: Content) -> None:
    stated = with_taxes_stated(content)
    assert sum(sum(charge.taxes or ()) for charge in charges(stated)) == content.totals.tax_minor
    assert with_taxes_stated(stated) == stated


@given(contents(), st.data())
def test_removing_units_in_steps_keeps_and_credits_the_whole(content: Content, data: st.DataObject) -> None:
    line = content.lines[0]
    kept = data.draw(st.integers(0, line.quantity))
    request = EditRequest.model_validate({"lines": [{"line": 1, "quantity": kept}]})
    wanted = edition.edited(content, request, {})
    after = edition.settled(content, wanted, {}, {}, {1: line.quantity - kept})
    credited = edition.due_change(content, after, {})
    whole, rest = max(0, content.totals.total_minor), max(0, after.totals.total_minor)
    assert credited == (rest if after.present() else 0) - whole


@given(contents())
def test_units_that_could_not_be_stopped_leave_the_line_as_it_was(content: Content) -> None:
    line = content.lines[0]
    request = EditRequest.model_validate({"lines": [{"line": 1, "quantity": 0}]})
    wanted = edition.edited(content, request, {})
    after = edition.settled(content, wanted, {1: line.quantity}, {}, {})
    assert after.totals == content.totals
    assert after.lines[0].total_minor == line.total_minor
    assert after.lines[0].discount_minor == line.discount_minor


@given(contents(), st.data())
def test_cancelled_units_stay_on_their_line(content: Content, data: st.DataObject) -> None:
    line = content.lines[0]
    withdrawn = {1: data.draw(st.integers(0, line.quantity))}
    removed = edition.edited(
        content, EditRequest.model_validate({"lines": [{"line": 1, "quantity": 0}]}), withdrawn
    )
    assert removed.lines[0].quantity == withdrawn[1]
    assert edition.remaining(removed, withdrawn)[1] == 0
