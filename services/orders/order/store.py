"""Orders in their table: locked and read, written back, and the mapping between a row and its object in memory.

All statements are set-based: a batch of a hundred messages takes the same few statements as one. Lookups are
lateral subqueries, and those of one order compare `shop || ''`, so each key is a probe of its unique index,
whatever the planner's statistics of a table that was empty when last analyzed. Plain joins read the whole
shop for every order.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from contracts.fulfillment.position import StockStanding
from contracts.orders.lifecycle import OrderState
from contracts.payments.accounts import AttemptState
from contracts.sale import PaymentMethod
from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.attention import Reach
from services.orders.order.fulfilment_status import FulfilmentStatus, Quantities
from services.orders.order.payment_status import Money, PaymentStatus
from services.orders.order.record import Order
from services.orders.order.state import HandSet, Stage

Row = Mapping[str, Any]
OrderKey = tuple[str, UUID]
SEPARATOR = "\x1f"
"""Separator of one order's flags when passed to an array."""

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


async def lock_orders(connection: Connection, keys: Sequence[OrderKey]) -> list[Order]:
    """Lock the orders with these keys, in the order of the keys, until the transaction ends, and return them.

    Unknown ones are missing. Flags and automatic state are derived by the next `restate`.
    """
    return [_order_of(row) for row in await _LOCK_ORDERS.fetch(connection, keys)]


def _order_of(row: Row) -> Order:
    return Order(
        shop=row["shop"],
        id=row["order_id"],
        code=row["code"],
        method=PaymentMethod(row["payment_method"]) if row["payment_method"] else None,
        money=_money_of(row),
        units=_units_of(row),
        stage=Stage(row["stage"]),
        sequence=row["sequence"],
        revision=row["revision"],
        placed_at=row["placed_at"],
        archived_at=row["archived_at"],
        payment_version=row["payment_version"],
        fulfilment_version=row["fulfilment_version"],
        stock=StockStanding(row["stock"]),
        hand=_hand_of(row),
        state=OrderState(row["state"]),
        label=row["label"],
        payment_status=PaymentStatus(row["payment_status"]),
        fulfilment_status=FulfilmentStatus(row["fulfilment_status"]),
        carriers=tuple(row["carriers"]),
        cancellation_requested_at=row["cancellation_requested_at"],
        reach=Reach(
            email=row["customer_email"],
            refused_address=row["refused_address"],
            refused_at=row["address_refused_at"],
            freed_at=row["address_freed_at"],
        ),
    )


def _money_of(row: Row) -> Money:
    return Money(
        due=row["due_minor"],
        credited=row["credited_minor"],
        received=row["received_minor"],
        received_by_hand=row["received_by_hand_minor"],
        refunded=row["refunded_minor"],
        marked=row["marked_minor"],
        refunds_pending=row["refunds_pending_minor"],
        disputed=row["disputed_minor"],
        authorised=row["authorised_minor"],
        balance=row["balance_minor"],
        attempt=AttemptState(row["attempt"]),
        flags=tuple(row["payment_flags"]),
    )


def _units_of(row: Row) -> Quantities:
    return Quantities(
        ordered=row["ship_ordered"],
        needed=row["ship_needed"],
        packed=row["ship_packed"],
        lost=row["ship_lost"],
        shipped=row["ship_shipped"],
        delivered=row["ship_delivered"],
        returned=row["ship_returned"],
        other_ordered=row["other_ordered"],
        other_needed=row["other_needed"],
        other_finished=row["other_finished"],
    )


def _hand_of(row: Row) -> HandSet | None:
    if row["hand_state"] is None:
        return None
    return HandSet(OrderState(row["hand_state"]), row["hand_label"], OrderState(row["hand_over"]))


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


def _row_of(order: Order) -> ChangedOrderRow:
    money, units, hand = order.money, order.units, order.hand
    return ChangedOrderRow(
        shop=order.shop,
        order_id=order.id,
        sequence=order.sequence,
        state=order.state,
        label=order.label,
        automatic_state=order.automatic_state,
        payment_status=order.payment_status,
        fulfilment_status=order.fulfilment_status,
        flags=SEPARATOR.join(order.flags),
        hand_state=hand.state if hand else None,
        hand_label=hand.label if hand else None,
        hand_over=hand.over if hand else None,
        payment_version=order.payment_version,
        due=money.due,
        credited=money.credited,
        received=money.received,
        by_hand=money.received_by_hand,
        refunded=money.refunded,
        marked=money.marked,
        disputed=money.disputed,
        authorised=money.authorised,
        balance=money.balance,
        attempt=money.attempt,
        payment_flags=SEPARATOR.join(money.flags),
        fulfilment_version=order.fulfilment_version,
        stock=order.stock,
        line_positions=order.line_positions,
        ship_ordered=units.ordered,
        ship_needed=units.needed,
        packed=units.packed,
        lost=units.lost,
        shipped=units.shipped,
        delivered=units.delivered,
        returned=units.returned,
        other_ordered=units.other_ordered,
        other_needed=units.other_needed,
        other_finished=units.other_finished,
        to_pack=units.to_pack,
        to_ship=units.to_ship,
        revision=order.revision,
        archived_at=order.archived_at,
        carriers=SEPARATOR.join(order.carriers),
        refunds_pending=money.refunds_pending,
        cancellation_requested_at=order.cancellation_requested_at,
        refused_address=order.reach.refused_address,
        address_refused_at=order.reach.refused_at,
        address_freed_at=order.reach.freed_at,
    )


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


async def update_orders(connection: Writer, orders: Collection[Order], now: datetime) -> None:
    """Write back locked orders. Line positions that are null are left unchanged."""
    await _UPDATE_ORDERS.execute(connection, [_row_of(order) for order in orders], now=now)
