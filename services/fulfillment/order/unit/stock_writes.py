"""Stock as one transaction changes it: the rows to write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.chassis.storage.writing import Writer
from services.fulfillment.order.order import Key, Order
from services.fulfillment.order.stock import Level, StockPlace
from services.fulfillment.order.unit import stock_store
from services.fulfillment.order.unit.stock_rows import Movement, StockChange


@dataclass(slots=True)
class StockWrites:
    """Changed levels and claims by their keys, and new movements and stock changes."""

    levels: set[StockPlace] = field(default_factory=set)
    claims: dict[tuple[Key, int, StockPlace], None] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    changes: dict[tuple[str, UUID], StockChange] = field(default_factory=dict)

    async def save(
        self,
        connection: Writer,
        levels: Mapping[StockPlace, Level],
        orders: Mapping[Key, Order],
        moved_at: datetime,
    ) -> None:
        """Write them; rows that others refer to come first."""
        if self.levels:
            await stock_store.write_levels(
                connection, {place: levels[place] for place in sorted(self.levels)}
            )
        if self.claims:
            claims = [(key, line, place, orders[key].claims[line, place]) for key, line, place in self.claims]
            await stock_store.write_claims(connection, claims)
        if self.changes:
            await stock_store.insert_stock_changes(connection, list(self.changes.values()))
        if self.movements:
            await stock_store.insert_movements(connection, self.movements, moved_at)
