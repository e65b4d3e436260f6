"""A parcel as pure rules: what may go into one, and when two descriptions are the same parcel.

A parcel's id is chosen by the sender of the command, so packing again is recognised; its number is for
display.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.fulfillment.parcels import PackParcel
from contracts.fulfillment.position import StockStanding
from contracts.message import Reason
from services.fulfillment.order.position import Line


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel of an order. `units` maps the order's line numbers to quantities; weights in grams, lengths
    in mm.
    """

    id: UUID
    number: int
    units: Mapping[int, int]
    kind: str
    weight_grams: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    declared_value_minor: int | None
    packed_at: datetime
    packed_by: str
    unpacked_at: datetime | None = None
    unpacked_by: str | None = None
    lost_at: datetime | None = None
    lost_by: str | None = None
    lost_reason: str | None = None

    def is_described_by(self, command: PackParcel) -> bool:
        """Return whether the command describes this same parcel (its actor does not matter)."""
        return dict(self.units) == units_of(command) and all(
            getattr(self, name) == getattr(command, name) for name in _DESCRIPTION
        )


_DESCRIPTION = ("kind", "weight_grams", "length_mm", "width_mm", "height_mm", "declared_value_minor")


def units_of(command: PackParcel) -> dict[int, int]:
    """Return the command's quantities by line number, ascending; a line named twice counts as the sum."""
    units: dict[int, int] = {}
    for part in command.lines:
        units[part.line] = units.get(part.line, 0) + part.quantity
    return dict(sorted(units.items()))


def reasons_against(command: PackParcel, lines: Mapping[int, Line], stock: StockStanding) -> list[Reason]:
    """Return every reason why this parcel cannot be packed; none means it can."""
    named_at = {part.line: index for index, part in reversed(list(enumerate(command.lines)))}
    found = (
        _against(named_at[line], line, quantity, lines.get(line))
        for line, quantity in units_of(command).items()
    )
    reasons = [reason for reason in found if reason is not None]
    if stock is StockStanding.MISSING:
        reasons.append(
            Reason(
                code="stock_missing",
                message="No stock is reserved for this order; set the stock of its SKUs, then pack again.",
            )
        )
    return reasons


def _against(index: int, number: int, quantity: int, line: Line | None) -> Reason | None:
    field = f"lines[{index}]"
    if line is None:
        return Reason(
            code="unknown_line",
            message=f"The order has no line {number}; pack the lines it has.",
            field=field,
        )
    if not line.is_goods:
        return Reason(
            code="not_shippable",
            message=f"Line {number} is a {line.kind}, which goes into no parcel; pack only goods.",
            field=field,
        )
    if quantity > line.left_to_pack:
        left = line.left_to_pack
        advice = f"take at most {left}" if left else "leave this line out"
        message = f"Line {number}: {quantity} to pack, {left} left to pack; {advice}."
        return Reason(code="quantity_above_left", message=message, field=f"{field}.quantity")
    return None


def sum_units(parcels: Iterable[Parcel]) -> dict[int, int]:
    """Return the quantities of several parcels by line number, ascending."""
    units: dict[int, int] = {}
    for parcel in parcels:
        for line, quantity in parcel.units.items():
            units[line] = units.get(line, 0) + quantity
    return dict(sorted(units.items()))
