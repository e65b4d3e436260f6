"""Unit of work for the orders and stock levels of one transaction: locked and loaded at once, changed in
memory, written back at once.

Locks are taken in one order everywhere, so that no two transactions deadlock: the shop's stock gate (shared
to place orders, exclusive to set stock), then orders by (shop, id), then levels by (shop, SKU, location).
While the gate is held no order can become `missing` unnoticed while stock is raised.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from services.chassis.messaging.subscribers import UnitOfWork
from services.chassis.messaging.unit import Unit
from services.fulfillment.order import stock
from services.fulfillment.order.change import Change
from services.fulfillment.order.low_stock.thresholds import Thresholds
from services.fulfillment.order.order import Age, Key, Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line
from services.fulfillment.order.shipment import Shipment
from services.fulfillment.order.stock import Claim, Kind, Level, StockPlace
from services.fulfillment.order.unit import change_store, order_store, shipment_store, stock_store
from services.fulfillment.order.unit.backorders import Backorders
from services.fulfillment.order.unit.needs import FulfillmentNeeds
from services.fulfillment.order.unit.stock_rows import Movement, StockChange
from services.fulfillment.order.unit.stock_writes import StockWrites


class FulfillmentUnit(UnitOfWork[FulfillmentNeeds]):
    """Orders and stock levels that one unit of fulfillment works on."""

    needs = FulfillmentNeeds

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self.orders: dict[Key, Order] = {}
        self.levels: dict[StockPlace, Level] = {}
        self.backorders = Backorders(unit)
        self.thresholds = Thresholds(unit)
        self.stock_changes: set[tuple[str, UUID]] = set()
        self._places: dict[tuple[str, str], list[StockPlace]] = {}
        self._new_orders: dict[Key, Order] = {}
        self._changed_orders: dict[Key, Order] = {}
        self._changed_lines: dict[tuple[Key, int], None] = {}
        self._stock = StockWrites()
        self._new_parcels: list[tuple[Key, Parcel]] = []
        self._new_shipments: dict[tuple[Key, UUID], None] = {}
        self._delivered: dict[tuple[Key, UUID], None] = {}
        self._corrected: dict[tuple[Key, UUID], None] = {}
        self._lost: dict[tuple[Key, UUID], None] = {}
        self._shipped: list[Movement] = []
        self._new_lines: dict[tuple[Key, int], None] = {}
        self._unpacked: dict[tuple[Key, UUID], None] = {}
        self._answers: list[tuple[Key, Change]] = []
        self._forgotten: dict[Key, datetime] = {}

    async def load(self, needs: FulfillmentNeeds) -> None:
        """Lock and load the orders the messages name, those that wait for stock, and the levels."""
        connection = self.unit.connection
        drawn = needs.drawn | {(shop, sku) for (shop, _), sku in needs.placed}
        restocked = set(needs.counted)
        exclusive = {shop for shop, _ in restocked | needs.given_back}
        if shops := exclusive | {shop for shop, _ in drawn} | needs.gate:
            await order_store.pass_gate(connection, shops, exclusive)
        if needs.given_back:
            restocked |= await change_store.read_skus(connection, needs.given_back)
            restocked |= {(key[0], sku) for key, sku in needs.placed if key in needs.given_back}
        if needs.stock_changes:
            self.stock_changes = await stock_store.read_stock_changes(connection, sorted(needs.stock_changes))
        short = await self.backorders.find(restocked) if restocked else set()
        named = needs.orders | short
        self.orders = await order_store.lock_orders(connection, named) if named else {}
        if self.orders:
            await order_store.read_lines(connection, self.orders)
            await self._load_parcels(needs, short)
        await self._load_levels(drawn | restocked | self._skus_of(needs.claims | short))

    async def load_backorders(self, shop: str, sku: str, after: Age) -> None:
        """Lock and load the next oldest orders that wait for a SKU, with their claims, and the levels."""
        connection = self.unit.connection
        await order_store.pass_gate(connection, {shop}, {shop})
        short = await self.backorders.find({(shop, sku)}, after)
        if short:
            self.orders = await order_store.lock_orders(connection, short)
            await order_store.read_lines(connection, self.orders)
            await stock_store.read_claims(connection, self.orders)
        await self._load_levels({(shop, sku)} | self._skus_of(short))

    async def _load_levels(self, skus: set[tuple[str, str]]) -> None:
        if not skus:
            return
        self.levels, tried_to, thresholds = await stock_store.lock_levels(self.unit.connection, skus)
        self.backorders.note(tried_to)
        self.thresholds.note(thresholds, self.levels)
        for place in self.levels:
            self._places.setdefault((place.shop, place.sku), []).append(place)

    async def _load_parcels(self, needs: FulfillmentNeeds, short: set[Key]) -> None:
        """Load of each order only what its messages need: for packing its parcels, for delivering also its
        shipments, and so on. Of waiting orders, load their claims.
        """
        connection = self.unit.connection
        if orders := self._known(needs.parcels):
            await shipment_store.read_parcels(connection, orders)
        if orders := self._known(needs.shipments):
            await shipment_store.read_shipments(connection, orders)
        if orders := self._known(needs.claims | short):
            await stock_store.read_claims(connection, orders)
        if needs.shipped:
            self._shipped = await stock_store.read_shipped(connection, needs.shipped)
        if orders := self._known(needs.answers):
            await change_store.read_answered(connection, orders)

    def _known(self, keys: set[Key]) -> dict[Key, Order]:
        return {key: order for key, order in self.orders.items() if key in keys}

    def _skus_of(self, keys: Iterable[Key]) -> set[tuple[str, str]]:
        known = (self.orders[key] for key in keys if key in self.orders)
        return {(order.shop, sku) for order in known for sku in order.goods()}

    def add_order(self, order: Order) -> None:
        """Add a new order with its lines."""
        self.orders[order.key] = order
        self._new_orders[order.key] = order

    def changed(self, order: Order) -> None:
        """Mark an order's own row to be written; its version rises, since part of it changed."""
        order.version = self.unit.restored.next_version(order.version)
        if order.key not in self._new_orders:
            self._changed_orders[order.key] = order

    def set_line(self, order: Order, line: Line) -> None:
        """Replace a line by its next state."""
        order.lines[line.line] = line
        if order.key not in self._new_orders and (order.key, line.line) not in self._new_lines:
            self._changed_lines[order.key, line.line] = None

    def add_line(self, order: Order, line: Line) -> None:
        """Add a line that the order did not have when it was placed."""
        order.lines[line.line] = line
        if order.key not in self._new_orders:
            self._new_lines[order.key, line.line] = None

    def answer(self, order: Order, change: Change) -> None:
        """Record the answer to a requested change; the order's version rises."""
        order.answered.add((change.request_id, change.kind))
        self._answers.append((order.key, change))
        self.changed(order)

    def forget(self, order: Order, deleted_at: datetime) -> None:
        """Mark an order as deleted; its quantities stay stored, but no data of its customer."""
        order.deleted_at = order.deleted_at or deleted_at
        self._forgotten[order.key] = deleted_at

    def set_parcel(self, order: Order, parcel: Parcel) -> None:
        """Set a parcel that was taken apart."""
        order.parcels[parcel.id] = parcel
        self._unpacked[order.key, parcel.id] = None

    def add_parcel(self, order: Order, parcel: Parcel) -> None:
        order.parcels[parcel.id] = parcel
        self._new_parcels.append((order.key, parcel))

    def add_shipment(self, order: Order, shipment: Shipment) -> None:
        order.shipments[shipment.id] = shipment
        self._new_shipments[order.key, shipment.id] = None

    def set_receipt(self, order: Order, shipment: Shipment) -> None:
        """Set a shipment with its new receipt."""
        order.shipments[shipment.id] = shipment
        if (order.key, shipment.id) not in self._new_shipments:
            self._delivered[order.key, shipment.id] = None

    def set_shipment(self, order: Order, shipment: Shipment) -> None:
        """Set a shipment that was corrected or cancelled."""
        order.shipments[shipment.id] = shipment
        if (order.key, shipment.id) not in self._new_shipments:
            self._corrected[order.key, shipment.id] = None

    def set_loss(self, order: Order, parcel: Parcel) -> None:
        """Set a parcel that was lost."""
        order.parcels[parcel.id] = parcel
        self._lost[order.key, parcel.id] = None

    def shipped_by(self, order: Order, shipment_id: UUID) -> list[tuple[int, StockPlace, int]]:
        """Return what a shipment took: line, place, quantity; only for shipments that this batch's messages
        cancel.
        """
        return [
            (one.line, one.place, one.quantity)
            for one in (*self._shipped, *self._stock.movements)
            if (one.shop, one.order_id, one.cause, one.kind) == (order.shop, order.id, shipment_id, Kind.SHIP)
            and one.line is not None
        ]

    def places(self, shop: str, sku: str) -> list[StockPlace]:
        """Return the locations of a SKU, in the order in which they are drawn from: `main` first, then by name."""
        return sorted(
            self._places.get((shop, sku), []), key=lambda place: (place.location != "main", place.location)
        )

    def reserve(
        self, order: Order, line: int, place: StockPlace, quantity: int, cause: UUID | None = None
    ) -> None:
        """Reserve units of a level for an order line; the cause is the order itself unless another is given."""
        level, claim = stock.take(
            place, self.levels[place], order.claims.get((line, place), Claim()), quantity
        )
        self._move(order, line, place, Kind.RESERVE, cause or order.id, quantity, level, claim)

    def release(self, order: Order, line: int, place: StockPlace, cause: UUID, quantity: int) -> None:
        """Release reserved units of an order line to their level."""
        level, claim = stock.release(place, self.levels[place], order.claims[line, place], quantity)
        self._move(order, line, place, Kind.RELEASE, cause, quantity, level, claim)

    def restock(self, order: Order, line: int, place: StockPlace, cause: UUID, quantity: int) -> None:
        """Return shipped units of an order line to their level."""
        level, claim = stock.restock(place, self.levels[place], order.claims[line, place], quantity)
        self._move(order, line, place, Kind.RESTOCK, cause, quantity, level, claim)

    def ship(self, order: Order, line: int, place: StockPlace, shipment_id: UUID, quantity: int) -> None:
        """Ship reserved units with a shipment."""
        level, claim = stock.ship(place, self.levels[place], order.claims[line, place], quantity)
        self._move(order, line, place, Kind.SHIP, shipment_id, quantity, level, claim)

    def unship(self, order: Order, line: int, place: StockPlace, shipment_id: UUID, quantity: int) -> None:
        """Return units of a cancelled shipment to on hand and reserved."""
        level, claim = stock.unship(place, self.levels[place], order.claims[line, place], quantity)
        self._move(order, line, place, Kind.UNSHIP, shipment_id, quantity, level, claim)

    def set_level(self, place: StockPlace, level: Level, adjustment: int, cause: UUID) -> None:
        """Set a counted level, with the adjustment that explains it."""
        if place not in self.levels:
            self._places.setdefault((place.shop, place.sku), []).append(place)
        self.levels[place] = level
        self._stock.levels.add(place)
        if adjustment:
            self._stock.movements.append(Movement(*place, None, None, cause, Kind.ADJUST, adjustment))

    def note_stock_change(self, shop: str, cause: UUID, actor: str, reason: str | None) -> None:
        """Record who counted or adjusted stock, and why."""
        self.stock_changes.add((shop, cause))
        self._stock.changes[shop, cause] = StockChange(shop, cause, actor, reason)

    def _move(
        self,
        order: Order,
        line: int,
        place: StockPlace,
        kind: Kind,
        cause: UUID,
        quantity: int,
        level: Level,
        claim: Claim,
    ) -> None:
        self.levels[place] = level
        order.claims[line, place] = claim
        self._stock.levels.add(place)
        self._stock.claims[order.key, line, place] = None
        self._stock.movements.append(Movement(*place, order.id, line, cause, kind, quantity))

    async def save(self) -> None:
        """Write back what changed, parent rows before the rows that refer to them."""
        connection = self.unit.writes
        if self._new_orders:
            await order_store.insert_orders(connection, list(self._new_orders.values()))
        if self._changed_orders:
            await order_store.update_orders(connection, list(self._changed_orders.values()))
        if self._new_lines:
            await change_store.insert_lines(
                connection, [(key, self.orders[key].lines[n]) for key, n in self._new_lines]
            )
        if self._changed_lines:
            await order_store.update_lines(
                connection, [(key, self.orders[key].lines[n]) for key, n in self._changed_lines]
            )
        await self._stock.save(connection, self.levels, self.orders, self.unit.now)
        await self.thresholds.save(connection, self.levels)
        if self._new_parcels:
            await shipment_store.insert_parcels(connection, self._new_parcels)
        if self._unpacked:
            parcels = [(key, self.orders[key].parcels[parcel_id]) for key, parcel_id in self._unpacked]
            await change_store.update_unpacked(connection, parcels)
        if self._answers:
            await change_store.insert_answers(connection, self._answers, self.unit.now)
        if self._lost:
            lost = [(key, self.orders[key].parcels[parcel_id]) for key, parcel_id in self._lost]
            await change_store.update_lost(connection, lost)
        if self._corrected:  # before new ones, which may contain parcels of a cancelled one
            await change_store.update_shipments(connection, self._shipments(self._corrected))
        if self._new_shipments:
            await shipment_store.insert_shipments(connection, self._shipments(self._new_shipments))
        if self._delivered:
            await shipment_store.update_receipts(connection, self._shipments(self._delivered))
        if self._forgotten:  # after all writes that may hold customer data
            await change_store.mark_deleted(connection, self._forgotten)

    def _shipments(self, keys: Iterable[tuple[Key, UUID]]) -> list[tuple[Key, Shipment]]:
        return [(key, self.orders[key].shipments[shipment_id]) for key, shipment_id in keys]
