"""Manual work for some orders, as pure rules: what to pick from which shelf, which parcels have not left.

Units leave a line's locations in one order (see `dispatching`), so packed units that have not left are taken
from the first; the units still to be picked are in the rest.
"""

from collections.abc import Iterable
from typing import NamedTuple

from services.fulfillment.order.order import Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line
from services.fulfillment.order.shipment import Shipment


class Fetch(NamedTuple):
    """Units of one order line to pick from a location; None: there is no stock for them. Without a SKU no
    stock is kept.
    """

    line: int
    sku: str | None
    location: str | None
    quantity: int


def to_fetch(order: Order) -> list[Fetch]:
    """Return what is left to pack of an order, by line and location."""
    return [
        fetch
        for _, line in sorted(order.lines.items())
        if line.is_goods and line.left_to_pack > 0
        for fetch in _fetches(order, line, line.sku)
    ]


def _fetches(order: Order, line: Line, sku: str | None) -> list[Fetch]:
    packed_here = line.packed - line.shipped
    fetches, left = [], line.left_to_pack
    for place, units in order.open_of(line.line).items():
        in_parcels = min(units, packed_here)
        packed_here -= in_parcels
        quantity = min(units - in_parcels, left)
        left -= quantity
        if quantity:
            fetches.append(Fetch(line.line, sku, place.location, quantity))
    return [*fetches, Fetch(line.line, sku, None, left)] if left else fetches


def unshipped_parcels(order: Order) -> list[Parcel]:
    """Return the parcels that are packed and have not left, by number."""
    return sorted(order.unshipped_parcels(), key=lambda parcel: parcel.number)


def shipments_by_parcel(order: Order) -> dict[object, Shipment]:
    """Return the shipment in which each parcel left, by the parcel's id."""
    active = (shipment for shipment in order.shipments.values() if shipment.is_active)
    return {parcel_id: shipment for shipment in active for parcel_id in shipment.parcel_ids}


def sums(fetches: Iterable[Fetch]) -> dict[tuple[str, str | None], int]:
    """Sum the units to pick by SKU and location, in alphabetical order; units without stock come last in
    their SKU.

    Units without a SKU belong to their line and are not summed.
    """
    found: dict[tuple[str, str | None], int] = {}
    for fetch in fetches:
        if fetch.sku is None:
            continue
        key = (fetch.sku, fetch.location)
        found[key] = found.get(key, 0) + fetch.quantity
    return dict(sorted(found.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or "")))
