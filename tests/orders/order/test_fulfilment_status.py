"""How far an order's goods are, and what remains to be done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.fulfillment.position import LinePosition
from contracts.sale import LineKind
from services.orders.order.fulfilment_status import FulfilmentStatus, Quantities, fulfilment_status, sum_lines


@st.composite
def line(draw: st.DrawFn, number: int = 1) -> LinePosition:
    """A line whose quantities keep fulfillment's invariants."""
    ordered = draw(st.integers(1, 5))
    cancelled = draw(st.integers(0, ordered))
    lost = draw(st.integers(0, 2))
    packed = draw(st.integers(lost, ordered - cancelled + lost))
    shipped = draw(st.integers(0, packed - lost))
    return LinePosition(
        line=number,
        kind=draw(st.sampled_from(LineKind)),
        ordered=ordered,
        cancelled=cancelled,
        packed=packed,
        lost=lost,
        shipped=shipped,
        delivered=draw(st.integers(0, shipped)),
        returned=draw(st.integers(0, shipped)),
    )


@given(st.lists(line(), max_size=5))
def test_sums_and_what_remains(lines: list[LinePosition]) -> None:
    units = sum_lines(lines)
    goods = [one for one in lines if one.kind is LineKind.SHIP]
    assert units.needed == sum(one.ordered - one.cancelled for one in goods)
    assert units.ordered + units.other_ordered == sum(one.ordered for one in lines)
    assert units.to_pack == sum(one.ordered - one.cancelled - one.packed + one.lost for one in goods)
    assert units.to_ship == sum(one.packed - one.shipped for one in goods)


@given(st.lists(line(), max_size=5))
def test_the_sequence_of_lines_makes_no_difference(lines: list[LinePosition]) -> None:
    assert sum_lines(lines) == sum_lines(list(reversed(lines)))


@given(st.lists(line(), max_size=5))
def test_every_position_has_a_status_that_its_units_reached(lines: list[LinePosition]) -> None:
    units = sum_lines(lines)
    status = fulfilment_status(units)
    reached = {
        "returned": units.returned,
        "delivered": units.delivered,
        "shipped": units.shipped,
        "packed": units.in_parcels,
    }
    stage = status.removeprefix("partially_")
    if stage in reached:
        assert reached[stage] > 0
        assert (reached[stage] < units.needed) == status.startswith("partially_")
    else:
        assert not any(reached.values()) or not units.needed
    assert (status is FulfilmentStatus.NOT_REQUIRED) <= (units.needed == 0)


@given(st.lists(line(), min_size=1, max_size=5))
def test_finished_means_every_unit_needed_of_every_line(lines: list[LinePosition]) -> None:
    needs = [(min(one.delivered, one.ordered - one.cancelled), one.ordered - one.cancelled) for one in lines]
    expected = any(need for _, need in needs) and all(done >= need for done, need in needs)
    assert sum_lines(lines).all_finished is expected


@pytest.mark.parametrize(
    ("units", "status"),
    [
        (Quantities(other_ordered=1, other_needed=1), "not_required"),
        (Quantities(ordered=3, needed=3), "unfulfilled"),
        (Quantities(ordered=3, needed=3, packed=1), "partially_packed"),
        (Quantities(ordered=3, needed=3, packed=3), "packed"),
        (Quantities(ordered=3, needed=3, packed=3, shipped=1), "partially_shipped"),
        (Quantities(ordered=3, needed=3, packed=3, shipped=3), "shipped"),
        (Quantities(ordered=3, needed=3, packed=3, shipped=3, delivered=2), "partially_delivered"),
        (Quantities(ordered=3, needed=3, packed=3, shipped=3, delivered=3), "delivered"),
        (Quantities(ordered=3, needed=2, packed=2, shipped=2, delivered=2), "delivered"),
        (Quantities(ordered=3, needed=3, packed=3, shipped=3, delivered=3, returned=1), "partially_returned"),
        (Quantities(ordered=3, needed=3, packed=3, shipped=3, delivered=3, returned=3), "returned"),
        (Quantities(ordered=3, needed=3, packed=1, lost=1), "unfulfilled"),
    ],
)
def test_what_merchants_meet(units: Quantities, status: str) -> None:
    assert fulfilment_status(units) == status


def test_cancelled_is_when_nothing_ordered_is_needed() -> None:
    assert Quantities(ordered=2, needed=0).all_cancelled
    assert not Quantities(ordered=2, needed=0, other_ordered=1, other_needed=1).all_cancelled
    assert not Quantities().all_cancelled
