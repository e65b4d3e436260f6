"""Whatever was packed, shipped and cancelled before: what is stopped and what had left is all that was asked."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.orders.changes import LineAddition
from contracts.sale import LineKind
from services.fulfillment.changes import addition, reduction
from services.fulfillment.order import position
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def a_parcel(number: int, units: dict[int, int]) -> Parcel:
    """A parcel of which only number and contents matter."""
    return Parcel(UUID(int=number), number, units, "box", None, None, None, None, None, NOW, "staff:zoe")


@st.composite
def orders_on_the_way(draw: st.DrawFn) -> tuple[dict[int, Line], list[Parcel]]:
    """Lines with units cancelled, packed and shipped, and the parcels that have not left."""
    lines = {n: Line(n, "ship", "A", draw(st.integers(1, 9))) for n in range(1, draw(st.integers(1, 3)) + 1)}
    unshipped_parcels = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        leaves = draw(st.booleans())
        units = {}
        for n, line in lines.items():
            if quantity := draw(st.integers(0, line.left_to_pack)):
                units[n] = quantity
                lines[n] = position.pack(line, quantity)
                if leaves:
                    lines[n] = position.ship(lines[n], quantity)
        if units and not leaves:
            unshipped_parcels.append(a_parcel(number, units))
    for n, line in lines.items():
        lines[n] = position.cancel(line, draw(st.integers(0, line.left_to_pack)))
    return lines, unshipped_parcels


@given(orders_on_the_way(), st.dictionaries(st.integers(1, 4), st.integers(1, 12), min_size=1))
def test_all_that_has_not_left_is_stopped_and_no_more(
    found: tuple[dict[int, Line], list[Parcel]], requests: dict[int, int]
) -> None:
    lines, unshipped_parcels = found
    came_to = reduction.reduce(lines, unshipped_parcels, requests)
    for parcel in came_to.opened:
        for n, quantity in parcel.units.items():
            lines[n] = position.unpack(lines[n], quantity)
    for n, quantity in came_to.stopped.items():
        lines[n] = position.cancel(lines[n], quantity)
    for n, quantity in requests.items():
        assert came_to.stopped.get(n, 0) + came_to.left.get(n, 0) == quantity
        if n in came_to.left and n in lines:
            assert lines[n].ordered - lines[n].cancelled == lines[n].shipped
    for line in lines.values():
        assert line.shipped <= line.packed <= line.ordered - line.cancelled


@given(orders_on_the_way(), st.dictionaries(st.integers(1, 3), st.integers(1, 12), min_size=1))
def test_no_parcel_is_opened_without_need(
    found: tuple[dict[int, Line], list[Parcel]], requests: dict[int, int]
) -> None:
    lines, unshipped_parcels = found
    came_to = reduction.reduce(lines, unshipped_parcels, requests)
    spare = {n: line.left_to_pack for n, line in lines.items()}
    for parcel in came_to.opened:
        assert any(came_to.stopped.get(n, 0) > spare[n] for n in parcel.units)
        for n, quantity in parcel.units.items():
            spare[n] += quantity


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 5)), min_size=1, max_size=5),
    st.fixed_dictionaries({"A": st.integers(0, 9), "B": st.integers(0, 9)}),
    st.booleans(),
)
def test_never_more_is_added_than_is_available(
    requests: list[tuple[str, int]], available: dict[str, int], all_or_nothing: bool
) -> None:
    lines = [
        LineAddition(line=n, kind=LineKind.SHIP, sku=sku, quantity=quantity)
        for n, (sku, quantity) in enumerate(requests, 1)
    ]
    came_to = addition.add(lines, available, all_or_nothing=all_or_nothing)
    for sku, free in available.items():
        assert sum(came_to.added.get(part.line, 0) for part in lines if part.sku == sku) <= free
    if all_or_nothing:
        assert not (came_to.added and came_to.missing)
    else:
        assert came_to.added.keys() | came_to.missing.keys() == {part.line for part in lines}
