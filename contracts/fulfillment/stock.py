"""Messages about stock: reserved, missing, set, adjusted, running low; and the commands for it."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.fulfillment.position import FulfilmentPosition
from contracts.message import (
    Actor,
    Command,
    Count,
    LineUnits,
    Message,
    OrderCode,
    OrderId,
    Part,
    Shop,
    Sku,
    Tally,
    Text,
    Timestamp,
)


class MissingStock(Part):
    """A SKU that could not be reserved."""

    sku: Sku
    requested: Tally
    available: Tally


class StockReserved(Message):
    """Stock was reserved for all goods of an order."""

    wire_name: ClassVar[str] = "stock.reserved.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    position: FulfilmentPosition


class StockRejected(Message):
    """No stock was reserved for an order (all or nothing); it is retried when stock arrives."""

    wire_name: ClassVar[str] = "stock.rejected.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    missing: list[MissingStock]
    position: FulfilmentPosition


class StockRestocked(Message):
    """A refund's units were taken back: those not yet shipped are cancelled, ticked ones are in stock again."""

    wire_name: ClassVar[str] = "stock.restocked.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    cause_id: UUID = Field(description="The refund.")
    cancelled: list[LineUnits] = Field(default_factory=list, description="Units not yet shipped.")
    restocked: list[LineUnits] = Field(
        default_factory=list, description="Shipped units that are in stock again."
    )
    actor: Actor
    position: FulfilmentPosition


class StockLevel(Part):
    """Stock of one SKU at one location."""

    sku: Sku
    location: Annotated[str, Field(min_length=1, max_length=64)] = "main"
    on_hand: Count
    reserved: Count = 0


class StockLevelChanged(Message):
    """Stock levels were set or adjusted by staff or an import."""

    wire_name: ClassVar[str] = "stock.level_changed.v1"

    shop: Shop
    levels: list[StockLevel]
    changed_by: Actor | None = None
    reason: Text | None = None


class StockRanLow(Message):
    """The units available of a SKU, at all locations together, fell to its threshold or below it."""

    wire_name: ClassVar[str] = "stock.ran_low.v1"

    shop: Shop
    sku: Sku
    available: Count
    threshold: Count
    at: Timestamp


class StockThresholdSet(Message):
    """Staff set, changed or removed the threshold of a SKU."""

    wire_name: ClassVar[str] = "stock.threshold_set.v1"

    shop: Shop
    sku: Sku
    threshold: Count | None = Field(default=None, description="Absent: the SKU has none any more.")
    changed_by: Actor


class SetStockThreshold(Command):
    """Set from how few available units on the merchant is warned about a SKU, or remove that threshold."""

    wire_name: ClassVar[str] = "stock.set_threshold.v1"

    shop: Shop
    sku: Sku
    threshold: Count | None = Field(default=None, description="Absent: no warning about this SKU.")
    actor: Actor


class SetStock(Command):
    """Set the stock on hand of some SKUs, after a count or an import."""

    wire_name: ClassVar[str] = "stock.set.v1"

    shop: Shop
    levels: list[StockLevel] = Field(min_length=1, max_length=1000, description="`reserved` is ignored here.")
    actor: Actor


class AdjustStock(Command):
    """Change the stock on hand of a SKU by a number of units: breakage, goods found, goods received."""

    wire_name: ClassVar[str] = "stock.adjust.v1"

    shop: Shop
    sku: Sku
    location: Annotated[str, Field(min_length=1, max_length=64)] = "main"
    change: Annotated[
        int, Field(ge=-1_000_000, le=1_000_000, description="Units, negative when they went; never 0.")
    ]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    actor: Actor
