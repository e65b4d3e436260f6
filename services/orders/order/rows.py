"""Mapping of an order between its row and its object in memory."""

from contracts.fulfillment.position import StockStanding
from contracts.orders.lifecycle import OrderState
from contracts.payments.accounts import AttemptState
from contracts.sale import PaymentMethod
from services.orders.order.attention import Reach
from services.orders.order.fulfilment_status import FulfilmentStatus, Quantities
from services.orders.order.payment_status import Money, PaymentStatus
from services.orders.order.record import Order
from services.orders.order.state import HandSet, Stage
from services.orders.order.store import SEPARATOR, ChangedOrderRow, Row


def order_of(row: Row) -> Order:
    """Return the order of a locked row; flags and automatic state are derived by the next `restate`."""
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


def row_of(order: Order) -> ChangedOrderRow:
    """Return the row that `store.update_orders` writes for this order."""
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
