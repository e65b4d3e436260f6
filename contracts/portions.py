"""The rule by which an amount is divided among parts: one for orders, which credits, and payments, which invoices.

Cumulative portions are rounded, not single units: for any sizes of the parts, they sum to the amount. With
two rules, a credit of half a cent would be more on one side than on the other.
"""

from collections.abc import Sequence


def portion(total: int, part: int, whole: int) -> int:
    """Return `total` × `part` / `whole`, rounded half up. `portion(total, whole, whole)` is `total`, of 0 it is 0."""
    return (2 * total * part + whole) // (2 * whole)


def slice_of(total: int, units: int, start: int, stop: int) -> int:
    """Return the share of the units from `start` to `stop` in the total of a line of so many units.

    Slices that follow one another sum to the slice that covers them, and those from 0 to `units` to the total.
    """
    return portion(total, stop, units) - portion(total, start, units)


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Return a share of the total for each weight, in proportion; they sum to it.

    Weights are 0 or more, one of them positive.
    """
    whole, before, found = sum(weights), 0, []
    for weight in weights:
        found.append(slice_of(total, whole, before, before + weight))
        before += weight
    return found
