"""Stock as pure rules: levels, the movements that change them, and what an order line holds of a level.

Invariants: 0 ≤ reserved ≤ on_hand, so available ≥ 0 and nothing is sold twice; the units an order line gives
back (released, shipped, written off) never exceed those it took, and restocked units never exceed shipped
units. Without the second a repeated release would free units that belong to another order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

MOST_ON_HAND = 1_000_000
"""Maximum of a count (`contracts.message.Count`)."""


class Kind(StrEnum):
    """Reason why a level moves."""

    HOLD = "hold"
    RESERVE = "reserve"
    RELEASE = "release"
    SHIP = "ship"
    UNSHIP = "unship"
    RESTOCK = "restock"
    WRITE_OFF = "write_off"
    ADJUST = "adjust"


class StockPlace(NamedTuple):
    """Location of units: one SKU of a shop at one location. Levels are locked in this order."""

    shop: str
    sku: str
    location: str


@dataclass(frozen=True, slots=True)
class Level:
    """Units of one SKU at one location; a missing row in the database is a level of zero."""

    on_hand: int = 0
    reserved: int = 0

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class Claim:
    """Units one order line took from one level and their outcome; `open` units are still reserved."""

    taken: int = 0
    released: int = 0
    shipped: int = 0
    written_off: int = 0
    restocked: int = 0

    @property
    def held(self) -> int:
        """Return units that are reserved or left with a shipment."""
        return self.taken - self.released - self.written_off

    @property
    def open(self) -> int:
        return self.taken - self.released - self.shipped - self.written_off


class NotEnoughAvailable(Exception):
    """More units were requested than are available."""

    def __init__(self, place: StockPlace, requested: int, available: int) -> None:
        super().__init__(
            f"{_named(place)}: {requested} requested, {available} available; set the stock or take fewer"
        )
        self.place, self.requested, self.available = place, requested, available


class MoreThanTaken(Exception):
    """More units were to be given back than the order line holds (or, restocking, than it shipped)."""

    def __init__(self, place: StockPlace, kind: Kind, requested: int, left: int) -> None:
        super().__init__(
            f"{_named(place)}: {kind} of {requested}, {left} left to {kind}; look for a movement made twice"
        )
        self.place, self.kind, self.requested, self.left = place, kind, requested, left


class BelowReserved(Exception):
    """A count would leave less on hand than orders have reserved."""

    def __init__(self, place: StockPlace, on_hand: int, reserved: int) -> None:
        super().__init__(
            f"{_named(place)}: {on_hand} on hand is below the {reserved} reserved by orders; "
            f"cancel or ship orders first, or set at least {reserved}"
        )
        self.place, self.on_hand, self.reserved = place, on_hand, reserved


class LevelUnknown(Exception):
    """Stock was to be adjusted where none was ever counted."""

    def __init__(self, place: StockPlace) -> None:
        super().__init__(
            f"{_named(place)} was never counted; set its stock first, or correct the SKU or location"
        )
        self.place = place


class ChangeBelowReserved(Exception):
    """An adjustment would leave less on hand than orders have reserved."""

    def __init__(self, place: StockPlace, level: Level, change: int) -> None:
        super().__init__(
            f"{_named(place)}: {level.on_hand} on hand {change:+d} is {level.on_hand + change}, below the "
            f"{level.reserved} reserved by orders; take away at most {level.available}, or cancel or ship orders first"
        )
        self.place, self.level, self.change = place, level, change


class ChangeAboveMost(Exception):
    """An adjustment would put more on hand than a level can hold."""

    def __init__(self, place: StockPlace, level: Level, change: int) -> None:
        super().__init__(
            f"{_named(place)}: {level.on_hand} on hand {change:+d} is {level.on_hand + change}, above {MOST_ON_HAND}; "
            f"add at most {MOST_ON_HAND - level.on_hand}"
        )
        self.place, self.level, self.change = place, level, change


def take(place: StockPlace, level: Level, claim: Claim, quantity: int) -> tuple[Level, Claim]:
    """Reserve units for an order line. Raises NotEnoughAvailable."""
    if quantity > level.available:
        raise NotEnoughAvailable(place, quantity, level.available)
    return replace(level, reserved=level.reserved + quantity), replace(claim, taken=claim.taken + quantity)


def release(place: StockPlace, level: Level, claim: Claim, quantity: int) -> tuple[Level, Claim]:
    """Release reserved units to stock. Raises MoreThanTaken."""
    _within(place, Kind.RELEASE, quantity, claim.open)
    return replace(level, reserved=level.reserved - quantity), replace(
        claim, released=claim.released + quantity
    )


def ship(place: StockPlace, level: Level, claim: Claim, quantity: int) -> tuple[Level, Claim]:
    """Ship reserved units: on hand and reserved fall together. Raises MoreThanTaken."""
    _within(place, Kind.SHIP, quantity, claim.open)
    return _gone(level, quantity), replace(claim, shipped=claim.shipped + quantity)


def unship(place: StockPlace, level: Level, claim: Claim, quantity: int) -> tuple[Level, Claim]:
    """Return units of a cancelled shipment to on hand and reserved. Raises MoreThanTaken."""
    _within(place, Kind.UNSHIP, quantity, claim.shipped - claim.restocked)
    back = Level(level.on_hand + quantity, level.reserved + quantity)
    return back, replace(claim, shipped=claim.shipped - quantity)


def write_off(place: StockPlace, level: Level, claim: Claim, quantity: int) -> tuple[Level, Claim]:
    """Write off reserved units that were lost or damaged before they left. Raises MoreThanTaken."""
    _within(place, Kind.WRITE_OFF, quantity, claim.open)
    return _gone(level, quantity), replace(claim, written_off=claim.written_off + quantity)


def restock(place: StockPlace, level: Level, claim: Claim, quantity: int) -> tuple[Level, Claim]:
    """Return shipped units to stock. Raises MoreThanTaken."""
    _within(place, Kind.RESTOCK, quantity, claim.shipped - claim.restocked)
    return replace(level, on_hand=level.on_hand + quantity), replace(
        claim, restocked=claim.restocked + quantity
    )


def count(place: StockPlace, level: Level, on_hand: int) -> tuple[Level, int]:
    """Set the counted quantity on hand; return the new level and the signed adjustment. Raises BelowReserved."""
    if on_hand < level.reserved:
        raise BelowReserved(place, on_hand, level.reserved)
    return replace(level, on_hand=on_hand), on_hand - level.on_hand


def adjust(place: StockPlace, level: Level | None, change: int) -> Level:
    """Add units to what is on hand, or take some away. Raises LevelUnknown, ChangeBelowReserved, ChangeAboveMost."""
    if level is None:
        raise LevelUnknown(place)
    on_hand = level.on_hand + change
    if on_hand < level.reserved:
        raise ChangeBelowReserved(place, level, change)
    if on_hand > MOST_ON_HAND:
        raise ChangeAboveMost(place, level, change)
    return replace(level, on_hand=on_hand)


class Wanted(NamedTuple):
    """Units of one order line to reserve."""

    line: int
    sku: str
    quantity: int


class Taken(NamedTuple):
    """Units of one order line taken from one level."""

    line: int
    place: StockPlace
    quantity: int


class Short(NamedTuple):
    """A SKU of which an order wants more than all locations have available."""

    sku: str
    requested: int
    available: int


def shortages(wanted: Iterable[Wanted], available: Mapping[str, int]) -> list[Short]:
    """Return the SKUs that cannot be reserved, in alphabetical order; lines of the same SKU count together."""
    requested: dict[str, int] = {}
    for want in wanted:
        requested[want.sku] = requested.get(want.sku, 0) + want.quantity
    return [
        Short(sku, quantity, available.get(sku, 0))
        for sku, quantity in sorted(requested.items())
        if quantity > available.get(sku, 0)
    ]


def allocate(wanted: Iterable[Wanted], free: Mapping[str, Mapping[StockPlace, int]]) -> list[Taken]:
    """Return the location of each wanted unit, nothing being short: locations are emptied in the given order."""
    left = {sku: dict(places) for sku, places in free.items()}
    taken = []
    for want in wanted:
        for place, quantity in spread(left.get(want.sku, {}), want.quantity):
            left[want.sku][place] -= quantity
            taken.append(Taken(want.line, place, quantity))
    return taken


def spread(free: Mapping[StockPlace, int], quantity: int) -> list[tuple[StockPlace, int]]:
    """Distribute the units over several levels: in the given order, each as far as it goes."""
    drawn = []
    for place, units in free.items():
        part = min(units, quantity)
        quantity -= part
        if part:
            drawn.append((place, part))
    return drawn


def _gone(level: Level, quantity: int) -> Level:
    return Level(level.on_hand - quantity, level.reserved - quantity)


def _within(place: StockPlace, kind: Kind, requested: int, left: int) -> None:
    if requested > left:
        raise MoreThanTaken(place, kind, requested, left)


def _named(place: StockPlace) -> str:
    return f"shop {place.shop}, SKU {place.sku} at {place.location}"
