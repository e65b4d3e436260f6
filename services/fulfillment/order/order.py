"""An order in fulfillment: the aggregate that is locked, changed in memory and written back.

The position's version counts the facts behind it (placed, reserved, each parcel, shipment and delivery), so
it rises with every change and ends the same in whichever order the facts arrived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.fulfillment.position import FulfilmentPosition, LinePosition, StockStanding
from contracts.sale import LineKind
from services.fulfillment.order.change import ChangeKind
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line
from services.fulfillment.order.shipment import Shipment
from services.fulfillment.order.stock import Claim, StockPlace, Wanted

Key = tuple[str, UUID]
"""(shop, order id): the key of an order everywhere."""
Age = tuple[datetime, UUID]
"""(placed at, order id): the order in which waiting orders are served."""


@dataclass(slots=True)
class Order:
    """One order's lines, its claims on stock, its parcels and shipments. `id` is the order's id."""

    shop: str
    id: UUID
    code: str
    placed_at: datetime
    stock: StockStanding
    version: int = 1
    sequence: int = 0
    next_parcel_number: int = 1
    deleted_at: datetime | None = None
    lines: dict[int, Line] = field(default_factory=dict)
    claims: dict[tuple[int, StockPlace], Claim] = field(default_factory=dict)
    parcels: dict[UUID, Parcel] = field(default_factory=dict)
    shipments: dict[UUID, Shipment] = field(default_factory=dict)
    answered: set[tuple[UUID, ChangeKind]] = field(default_factory=set)

    @property
    def key(self) -> Key:
        return (self.shop, self.id)

    @property
    def age(self) -> Age:
        return (self.placed_at, self.id)

    def wanted(self) -> list[Wanted]:
        """Return the units of goods that must still be reserved, by line: what is needed, and what replaces
        lost units.
        """
        return [
            Wanted(line.line, line.sku, units)
            for _, line in sorted(self.lines.items())
            if line.is_goods and line.sku is not None and (units := self._unreserved(line)) > 0
        ]

    def _unreserved(self, line: Line) -> int:
        held = sum(claim.held for (number, _), claim in self.claims.items() if number == line.line)
        return line.ordered - line.cancelled + line.lost - held

    def goods(self) -> set[str]:
        """Return the SKUs of its goods."""
        return {line.sku for line in self.lines.values() if line.is_goods and line.sku is not None}

    def shipment_of(self, parcel_id: UUID) -> Shipment | None:
        """Return the shipment, not cancelled, in which a parcel left."""
        return next(
            (one for one in self.shipments.values() if one.is_active and parcel_id in one.parcel_ids), None
        )

    def unshipped_parcels(self) -> list[Parcel]:
        """Return the packed parcels that have neither left nor been taken apart."""
        gone = {
            parcel_id
            for shipment in self.shipments.values()
            if shipment.is_active
            for parcel_id in shipment.parcel_ids
        }
        return [
            parcel for parcel in self.parcels.values() if parcel.id not in gone and parcel.unpacked_at is None
        ]

    def has_answered(self, request_id: UUID, kind: ChangeKind) -> bool:
        """Return whether this requested change was answered before."""
        return (request_id, kind) in self.answered

    def open_of(self, line: int) -> Mapping[StockPlace, int]:
        """Return what a line still holds of each level, by location."""
        return {place: claim.open for (number, place), claim in sorted(self.claims.items()) if number == line}

    def position(self) -> FulfilmentPosition:
        """Return all quantities, for the event that reports the change."""
        lines = [
            LinePosition(
                line=line.line,
                kind=LineKind(line.kind),
                ordered=line.ordered,
                cancelled=line.cancelled,
                packed=line.packed,
                lost=line.lost,
                shipped=line.shipped,
                delivered=line.delivered,
                returned=line.returned,
            )
            for _, line in sorted(self.lines.items())
        ]
        return FulfilmentPosition(version=self.version, stock=self.stock, lines=lines)
