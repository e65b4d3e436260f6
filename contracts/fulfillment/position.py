"""The position of an order in fulfillment: how many units of each line are packed, lost, shipped, delivered.

Every event about an order carries the whole position, with a version, so that listeners may receive the events in
any order and keep the highest.
"""

from enum import StrEnum

from pydantic import Field

from contracts.message import LineNumber, Part, Tally
from contracts.sale import LineKind


class StockStanding(StrEnum):
    """Whether stock is reserved for an order."""

    NOT_REQUIRED = "not_required"
    RESERVED = "reserved"
    MISSING = "missing"


class LinePosition(Part):
    """Quantities of one line.

    delivered ≤ shipped, returned ≤ shipped, shipped ≤ packed, packed − lost ≤ ordered − cancelled.
    """

    line: LineNumber
    kind: LineKind
    ordered: Tally
    cancelled: Tally = 0
    packed: Tally = 0
    lost: Tally = 0
    shipped: Tally = 0
    delivered: Tally = 0
    returned: Tally = 0


class FulfilmentPosition(Part):
    """All quantities of an order; a version older than one already received is ignored."""

    version: int = Field(ge=1)
    stock: StockStanding
    lines: list[LinePosition]
