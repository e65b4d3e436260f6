"""The shares of an amount sum to it, whatever its parts are."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.portions import portion, shares, slice_of

AMOUNTS = st.integers(-(10**13), 10**13)


@st.composite
def partitions(draw: st.DrawFn) -> list[int]:
    """The units of a line in any number of parts."""
    units = draw(st.integers(1, 1_000_000))
    cuts = draw(st.lists(st.integers(0, units), max_size=12))
    edges = [0, *sorted(cuts), units]
    return [stop - start for start, stop in pairwise(edges)]


@given(AMOUNTS, AMOUNTS, partitions())
def test_any_partition_of_a_lines_units_sums_to_its_total_and_its_tax(
    total: int, tax: int, parts: list[int]
) -> None:
    units, at, sums = sum(parts), 0, [0, 0]
    for part in parts:
        sums = [
            have + slice_of(amount, units, at, at + part)
            for have, amount in zip(sums, (total, tax), strict=True)
        ]
        at += part
    assert sums == [total, tax]


@given(AMOUNTS, partitions())
def test_shares_by_weight_sum_to_the_amount_and_are_near_their_proportion(
    total: int, weights: list[int]
) -> None:
    found = shares(total, weights)
    assert sum(found) == total
    for share, weight in zip(found, weights, strict=True):
        assert abs(share * sum(weights) - total * weight) <= sum(weights)


@given(st.integers(0, 10**13), st.integers(1, 1_000_000))
def test_more_units_never_cost_less(total: int, units: int) -> None:
    some = [portion(total, part, units) for part in (0, units // 3, units // 2, units)]
    assert some == sorted(some)
    assert (some[0], some[-1]) == (0, total)


def test_thirty_six_pieces_of_1240_70_sum_to_it_one_by_one() -> None:
    pieces = [slice_of(124070, 36, at, at + 1) for at in range(36)]
    assert sum(pieces) == 124070
    assert set(pieces) == {3446, 3447}
