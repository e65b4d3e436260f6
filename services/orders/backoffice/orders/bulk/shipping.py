"""Shipments to be sent from tracking numbers, or from chosen orders without them. Pure.

A line that names an order takes all its packed parcels that have not been shipped and that no other line
names; one that names a parcel takes that. No parcel is in two shipments. A line that cannot be sent is
reported with its reason and left out.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from contracts.message import Reason
from services.orders.backoffice.orders.bulk.runs import Planned
from services.orders.backoffice.orders.bulk.tracking_file import Fault, Line
from services.orders.order.shop.settings import ShopSettings


@dataclass(frozen=True, slots=True)
class Parcel:
    """A packed parcel."""

    parcel_id: UUID
    number: int
    is_shipped: bool


@dataclass(frozen=True, slots=True)
class Goods:
    """An order with its parcels."""

    order_id: UUID
    code: str
    parcels: Sequence[Parcel]
    chosen_carrier: str | None = None
    chosen_label: str | None = None
    postal_code: str | None = None

    def carrier(self, settings: ShopSettings) -> str | None:
        """Return the carrier the customer chose; None if there is none."""
        return settings.carrier_chosen(self.chosen_carrier, self.chosen_label) or None

    @property
    def waiting(self) -> list[Parcel]:
        """Return the packed parcels that have not been shipped."""
        return [parcel for parcel in self.parcels if not parcel.is_shipped]


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of all shipments: the carrier of lines without one (None: the one each customer chose), the
    day, whether customers are informed, whether lines without a number are shipped without one.
    """

    carrier: str | None
    shipped_on: date
    notify_customer: bool
    settings: ShopSettings
    without_tracking: bool = False


@dataclass(slots=True)
class Shipments:
    """The planned shipments, and the invalid lines."""

    planned: list[Planned] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def goods_of(row: Mapping[str, Any]) -> Goods:
    """Return the parcels in a row of `store.read_orders`."""
    parcels = [
        Parcel(UUID(one["parcel_id"]), one["number"], one["is_shipped"]) for one in json.loads(row["parcels"])
    ]
    chosen = json.loads(row["shipping"] or "null") or {}
    return Goods(
        row["order_id"],
        row["code"],
        parcels,
        chosen.get("carrier"),
        chosen.get("label"),
        row["postal_code"],
    )


def ship_lines(
    lines: Iterable[Line],
    goods: Mapping[str, Goods],
    chosen: Sequence[Goods] | None,
    terms: Terms,
) -> Shipments:
    """Plan one shipment per line. `goods` by code; `chosen` None: any order."""
    found, taken, named = Shipments(), set[UUID](), set[str]()
    allowed = None if chosen is None else {one.code for one in chosen}
    for line in lines:
        what = _taken_by(line, goods, allowed, taken)
        order = goods.get(line.code)
        carrier = line.carrier or terms.carrier or (order.carrier(terms.settings) if order else None)
        named.add(line.code)
        if isinstance(what, str):
            found.faults.append(Fault(line.number, line.text, what, line.code))
        elif carrier is None:
            found.faults.append(Fault(line.number, line.text, "no_carrier"))
        elif not line.tracking and not terms.without_tracking:
            found.faults.append(Fault(line.number, line.text, "no_tracking"))
        else:
            taken.update(parcel.parcel_id for parcel in what)
            found.planned.append(_shipment(goods[line.code], what, carrier, line.tracking or None, terms))
    found.planned += [_left_out(one, "no_line") for one in chosen or () if one.code not in named]
    return found


def ship_all(chosen: Iterable[Goods], terms: Terms) -> Shipments:
    """Plan one shipment per order with all its packed parcels, without tracking numbers."""
    found = Shipments()
    for one in chosen:
        carrier, ready = terms.carrier or one.carrier(terms.settings), one.waiting
        if not ready or carrier is None:
            found.planned.append(_left_out(one, "no_carrier" if ready else _why_none(one)))
        else:
            found.planned.append(_shipment(one, ready, carrier, None, terms))
    return found


def _taken_by(
    line: Line, goods: Mapping[str, Goods], allowed: set[str] | None, taken: set[UUID]
) -> list[Parcel] | str:
    """Return the parcels that a line ships, or the code of the reason why it ships none."""
    order = goods.get(line.code)
    if order is None:
        return "unknown_order"
    if allowed is not None and order.code not in allowed:
        return "not_chosen"
    named = [one for one in order.parcels if line.parcel in (None, one.number)]
    if not named and line.parcel is not None:
        return "unknown_parcel"
    ready = [one for one in named if not one.is_shipped]
    if not ready:
        return _why_none(Goods(order.order_id, order.code, named))
    return [one for one in ready if one.parcel_id not in taken] or "named_twice"


def _why_none(order: Goods) -> str:
    return "shipped_already" if order.parcels else "nothing_packed"


def _shipment(
    order: Goods, parcels: Sequence[Parcel], carrier: str, tracking: str | None, terms: Terms
) -> Planned:
    known = terms.settings.carrier(carrier)
    name = known.name if known else carrier
    optional = {} if not order.postal_code else {"postal_code": order.postal_code[:20]}
    return Planned(
        order.order_id,
        order.code,
        {
            **optional,
            "parcel_ids": [str(one.parcel_id) for one in parcels],
            "carrier": name,
            "tracking_number": tracking,
            "tracking_url": known.follow(tracking, order.postal_code) if known else None,
            "shipped_on": terms.shipped_on.isoformat(),
            "notify_customer": terms.notify_customer,
        },
        {"parcels": [one.number for one in parcels], "carrier": name, "tracking_number": tracking},
    )


def _left_out(order: Goods, why: str) -> Planned:
    message = f"Order {order.code} is left out: {why.replace('_', ' ')}."
    return Planned(order.order_id, order.code, None, reasons=[Reason(code=why, message=message)])
