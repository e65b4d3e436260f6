"""An order between its row and its object in memory: the one place that knows the columns' sequence."""

from typing import Any

from contracts.fulfillment import StockStanding
from contracts.orders import OrderState
from contracts.payments import AttemptState
from contracts.storefront import PaymentMethod
from services.orders.order.fulfilment_status import Quantities
from services.orders.order.payment_status import Money
from services.orders.order.record import Order
from services.orders.order.state import HandSet, Stage
from services.orders.order.store import SEPARATOR, Row


def order_of(row: Row) -> Order:
    """The order of a locked row; what is derived is derived again by the next `restate`."""
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
        archived_at=row["archived_at"],
        payment_version=row["payment_version"],
        fulfilment_version=row["fulfilment_version"],
        stock=StockStanding(row["stock"]),
        hand=_hand_of(row),
        state=OrderState(row["state"]),
        label=row["label"],
        carriers=tuple(row["carriers"]),
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


def row_of(order: Order) -> tuple[Any, ...]:
    """What `store.update_orders` writes for this order."""
    money, units, hand = order.money, order.units, order.hand
    return (
        order.shop,
        order.id,
        order.sequence,
        order.state,
        order.label,
        order.automatic_state,
        order.payment_status,
        order.fulfilment_status,
        SEPARATOR.join(order.flags),
        hand.state if hand else None,
        hand.label if hand else None,
        hand.over if hand else None,
        order.payment_version,
        money.due,
        money.credited,
        money.received,
        money.received_by_hand,
        money.refunded,
        money.marked,
        money.disputed,
        money.authorised,
        money.balance,
        money.attempt,
        SEPARATOR.join(money.flags),
        order.fulfilment_version,
        order.stock,
        order.line_positions,
        units.ordered,
        units.needed,
        units.packed,
        units.lost,
        units.shipped,
        units.delivered,
        units.returned,
        units.other_ordered,
        units.other_needed,
        units.other_finished,
        units.to_pack,
        units.to_ship,
        order.revision,
        order.archived_at,
        SEPARATOR.join(order.carriers),
        money.refunds_pending,
    )
