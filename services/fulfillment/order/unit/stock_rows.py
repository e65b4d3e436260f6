"""Levels, claims, movements and stock changes as rows of their tables; pure."""

from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Integer
from services.fulfillment.order.order import Key
from services.fulfillment.order.stock import Claim, Kind, StockPlace


class ClaimRow(NamedTuple):
    shop: str
    order_id: UUID
    line: Integer
    sku: str
    location: str
    taken: Integer
    released: Integer
    shipped: Integer
    written_off: Integer
    restocked: Integer


class LevelRow(NamedTuple):
    shop: str
    sku: str
    location: str
    on_hand: Integer
    reserved: Integer


class Movement(NamedTuple):
    """A movement: why the level at a location changed, and by how many units."""

    shop: str
    sku: str
    location: str
    order_id: UUID | None
    line: Integer | None
    cause: UUID
    kind: Kind
    quantity: Integer

    @property
    def place(self) -> StockPlace:
        return StockPlace(self.shop, self.sku, self.location)


class StockChange(NamedTuple):
    """Author of a change of stock, and the reason."""

    shop: str
    cause: UUID
    actor: str
    reason: str | None


def claim_row(key: Key, line: int, place: StockPlace, claim: Claim) -> ClaimRow:
    return ClaimRow(
        *key,
        line=line,
        sku=place.sku,
        location=place.location,
        taken=claim.taken,
        released=claim.released,
        shipped=claim.shipped,
        written_off=claim.written_off,
        restocked=claim.restocked,
    )
