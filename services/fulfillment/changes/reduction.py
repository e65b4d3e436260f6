"""Which units of an order can still be stopped, as a pure rule: everything that has not been handed over.

Units that are in no parcel go first; then parcels that have not left are taken apart, the latest first and
only as many as needed. So the warehouse staff undo as little as possible, and units that have left are never
counted as stopped: otherwise goods in transit would belong to no order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.message import LineUnits
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line

Units = dict[int, int]
"""Quantities by line number, ascending, none of them zero."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """Result of a request: units stopped, units that had left, parcels to take apart first."""

    stopped: Units
    left: Units
    opened: tuple[Parcel, ...]


def units_of(lines: Iterable[LineUnits]) -> Units:
    """Return a request's quantities by line; a line named twice counts as the sum."""
    units: Units = {}
    for part in lines:
        units[part.line] = units.get(part.line, 0) + part.quantity
    return dict(sorted(units.items()))


def reduce(lines: Mapping[int, Line], unshipped_parcels: Iterable[Parcel], requested: Units) -> Reduction:
    """Return which of the requested units can be stopped. `unshipped_parcels` are packed and have not left."""
    parcels = sorted(unshipped_parcels, key=lambda parcel: parcel.number, reverse=True)
    stopped = {
        line: units
        for line, quantity in requested.items()
        if (units := min(quantity, _stoppable(lines.get(line), parcels)))
    }
    left = {line: units for line, quantity in requested.items() if (units := quantity - stopped.get(line, 0))}
    return Reduction(stopped, left, _opened(lines, parcels, stopped))


def _stoppable(line: Line | None, parcels: Iterable[Parcel]) -> int:
    if line is None:
        return 0
    if not line.is_goods:
        return line.ordered - line.cancelled - line.delivered
    return line.left_to_pack + sum(parcel.units.get(line.line, 0) for parcel in parcels)


def _opened(lines: Mapping[int, Line], parcels: Iterable[Parcel], stopped: Units) -> tuple[Parcel, ...]:
    short = {number: units - lines[number].left_to_pack for number, units in stopped.items()}
    opened = []
    for parcel in parcels:
        if any(short.get(line, 0) > 0 for line in parcel.units):
            opened.append(parcel)
            for line, quantity in parcel.units.items():
                short[line] = short.get(line, 0) - quantity
    return tuple(opened)
