"""SQL by which message handlers read and write this service's tables; one function per statement.

All statements are set-based: a batch of a hundred messages takes the same few statements as one. Lookups are
lateral subqueries, and those of one order compare `shop || ''`, so each key is a probe of its unique index,
whatever the planner's statistics of a table that was empty when last analyzed. Plain joins read the whole
shop for every order.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk, Integer, Json, JsonText
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

Row = Mapping[str, Any]
OrderKey = tuple[str, UUID]
SEPARATOR = "\x1f"
"""Separator of one order's flags when passed to an array."""


class NewOrderRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str


_FIND_TAKEN = Bulk(
    NewOrderRow,
    """SELECT k.shop, k.order_id,
              EXISTS (SELECT 1 FROM orders AS o
                      WHERE o.order_id = k.order_id AND o.shop || '' = k.shop OFFSET 0) AS id_taken,
              EXISTS (SELECT 1 FROM orders AS o
                      WHERE o.code = k.code AND o.shop || '' = k.shop OFFSET 0) AS code_taken
       FROM {rows} AS k ({columns})""",
)


async def find_taken(connection: Connection, rows: Sequence[NewOrderRow]) -> list[Row]:
    """Return the orders whose id or code another order has: shop, order_id, id_taken, code_taken."""
    return await _FIND_TAKEN.fetch(connection, rows)


class PlacedOrderRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str
    sequence: int
    module: str
    idempotency_key: str
    source_reference: str | None
    locale: str | None
    placed_at: datetime
    customer_name: str | None
    customer_email: str | None
    customer_phone: str | None
    payment_method: str | None
    currency: str
    total_minor: int
    state: str | None
    label: str
    automatic_state: str | None
    payment_status: str
    fulfilment_status: str
    goods: Integer
    others: Integer


_INSERT_ORDERS = Bulk(
    PlacedOrderRow,
    """INSERT INTO orders
           (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
            customer_name, customer_email, customer_phone, payment_method, currency, total_minor,
            state, label, automatic_state, payment_status, fulfilment_status, ship_ordered, other_ordered,
            flags, payment_version, due_minor, balance_minor,
            fulfilment_version, ship_needed, other_needed, units_to_pack, units_to_ship, received_at, changed_at)
       SELECT r.*, '{}', 0, total_minor, total_minor, 0, goods, others, goods, 0, {now}, {now}
       FROM {rows} AS r ({columns})""",
)


async def insert_orders(connection: Writer, rows: Sequence[PlacedOrderRow], now: datetime) -> None:
    """Insert placed orders, whose payments and goods are not known yet."""
    await _INSERT_ORDERS.execute(connection, rows, now=now)


class LineRow(NamedTuple):
    shop: str
    order_id: UUID
    line: Integer
    kind: str
    description: str
    sku: str | None
    quantity: Integer
    unit_price_minor: int
    discount_minor: int
    total_minor: int
    vat_rate: Integer | None
    resource: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    options: JsonText | None
    unit_price_exact: str | None
    tax_minor: int | None
    taxes: JsonText | None


async def insert_lines(connection: Connection, rows: Sequence[LineRow]) -> None:
    """Insert the lines of placed orders, the most numerous rows of all: COPY takes a third of the time of
    unnest.
    """
    await connection.copy_records_to_table("order_line", columns=LineRow._fields, records=rows)


_LOCK_ORDERS = Bulk(
    tuple[str, UUID],
    """SELECT o.*
       FROM {rows} AS k (shop, order_id)
       CROSS JOIN LATERAL (
           SELECT shop, order_id, code, stage, sequence, revision, archived_at, payment_method, state, label,
                  automatic_state, hand_state, hand_label, hand_over, payment_version, due_minor, credited_minor,
                  received_minor, received_by_hand_minor, refunded_minor, marked_minor, disputed_minor,
                  authorised_minor, balance_minor, attempt, payment_flags, fulfilment_version, stock,
                  ship_ordered, ship_needed, ship_packed, ship_lost, ship_shipped, ship_delivered,
                  ship_returned, other_ordered, other_needed, other_finished, carriers, refunds_pending_minor,
                  cancellation_requested_at, customer_email, refused_address, address_refused_at,
                  address_freed_at, placed_at, payment_status, fulfilment_status
           FROM orders WHERE orders.order_id = k.order_id AND orders.shop || '' = k.shop FOR UPDATE) AS o""",
)


async def lock_orders(connection: Connection, keys: Sequence[OrderKey]) -> list[Row]:
    """Lock the orders with these keys, in the order of the keys, until the transaction ends, and return them.

    Unknown ones are missing.
    """
    return await _LOCK_ORDERS.fetch(connection, keys)


class ChangedOrderRow(NamedTuple):
    shop: str
    order_id: UUID
    sequence: int
    state: str | None
    label: str
    automatic_state: str | None
    payment_status: str
    fulfilment_status: str
    flags: str
    hand_state: str | None
    hand_label: str | None
    hand_over: str | None
    payment_version: Integer
    due: int
    credited: int
    received: int
    by_hand: int
    refunded: int
    marked: int
    disputed: int
    authorised: int
    balance: int
    attempt: str
    payment_flags: str
    fulfilment_version: Integer
    stock: str
    line_positions: Json | None
    ship_ordered: Integer
    ship_needed: Integer
    packed: Integer
    lost: Integer
    shipped: Integer
    delivered: Integer
    returned: Integer
    other_ordered: Integer
    other_needed: Integer
    other_finished: Integer
    to_pack: Integer
    to_ship: Integer
    revision: Integer
    archived_at: datetime | None
    carriers: str
    refunds_pending: int
    cancellation_requested_at: datetime | None
    refused_address: str | None
    address_refused_at: datetime | None
    address_freed_at: datetime | None


_UPDATE_ORDERS = Bulk(
    ChangedOrderRow,
    """UPDATE orders AS o
       SET sequence = r.sequence, state = r.state, label = r.label, automatic_state = r.automatic_state,
           payment_status = r.payment_status, fulfilment_status = r.fulfilment_status,
           flags = string_to_array(r.flags, E'\\x1f'), hand_state = r.hand_state, hand_label = r.hand_label,
           hand_over = r.hand_over, payment_version = r.payment_version, due_minor = r.due,
           credited_minor = r.credited, received_minor = r.received, received_by_hand_minor = r.by_hand,
           refunded_minor = r.refunded, marked_minor = r.marked, disputed_minor = r.disputed,
           authorised_minor = r.authorised, balance_minor = r.balance, attempt = r.attempt,
           payment_flags = string_to_array(r.payment_flags, E'\\x1f'),
           fulfilment_version = r.fulfilment_version, stock = r.stock,
           line_positions = coalesce(r.line_positions, o.line_positions),
           ship_ordered = r.ship_ordered, ship_needed = r.ship_needed, ship_packed = r.packed,
           ship_lost = r.lost, ship_shipped = r.shipped, ship_delivered = r.delivered,
           ship_returned = r.returned, other_ordered = r.other_ordered, other_needed = r.other_needed,
           other_finished = r.other_finished, units_to_pack = r.to_pack, units_to_ship = r.to_ship,
           revision = r.revision, archived_at = r.archived_at, carriers = string_to_array(r.carriers, E'\\x1f'),
           refunds_pending_minor = r.refunds_pending,
           cancellation_requested_at = r.cancellation_requested_at, refused_address = r.refused_address,
           address_refused_at = r.address_refused_at, address_freed_at = r.address_freed_at, changed_at = {now}
       FROM {rows} AS r ({columns})
       WHERE o.shop = r.shop AND o.order_id = r.order_id""",
)


async def update_orders(connection: Writer, rows: Sequence[ChangedOrderRow], now: datetime) -> None:
    """Write back locked orders. Line positions that are null are left unchanged."""
    await _UPDATE_ORDERS.execute(connection, rows, now=now)
