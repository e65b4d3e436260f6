"""Answers of fulfillment to requested reductions and additions of lines."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.fulfillment.position import FulfilmentPosition
from contracts.message import LineNumber, LineUnits, Message, OrderCode, OrderId, Part, Shop, Sku, Tally


class LinesReduced(Message):
    """Answer to a requested reduction: the units that were stopped, and those already shipped, which stay ordered."""

    wire_name: ClassVar[str] = "lines.reduced.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="Of the LinesReductionRequested that this answers.")
    stopped: list[LineUnits] = Field(description="Cancelled: released, and out of any parcel.")
    left: list[LineUnits] = Field(description="Already shipped, so not stopped.")
    position: FulfilmentPosition


class MissingUnits(Part):
    """A line that was not added because its SKU has too little stock."""

    line: LineNumber
    sku: Sku
    requested: Tally
    available: Tally


class LinesAdded(Message):
    """Answer to requested units: those that were added, and the lines with too little stock."""

    wire_name: ClassVar[str] = "lines.added.v1"

    shop: Shop
    order_id: OrderId
    code: OrderCode
    request_id: UUID = Field(description="Of the LinesAdditionRequested that this answers.")
    added: list[LineUnits]
    missing: list[MissingUnits]
    position: FulfilmentPosition
