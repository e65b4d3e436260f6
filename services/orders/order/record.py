"""Order record in memory: the recorded facts and the values derived from them, with the messages about a change of its
state. One row of the table `orders`. Pure.

Invariant: `restate` is the only writer of the derived fields, and reads only the facts of the same record, so
the columns used by list filters can never contradict the facts.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.catalogue import type_of
from contracts.fulfillment.position import StockStanding
from contracts.message import Message
from contracts.orders.lifecycle import (
    CheckoutResumed,
    OrderCompleted,
    OrderState,
    OrderStateChanged,
    StatusUpdated,
)
from contracts.sale import PaymentMethod
from services.orders.order.attention import Reach, attention_flags
from services.orders.order.fulfilment_status import FulfilmentStatus, Quantities, fulfilment_status
from services.orders.order.payment_status import Money, PaymentStatus, payment_status
from services.orders.order.state import Facts, HandSet, Stage, automatic_label, automatic_state, shown_state

BY_HAND = type_of(StatusUpdated, "orders")
"""Staff who set the status decide about its mail in that form."""


@dataclass(slots=True)
class Order:
    """An order, placed or still a checkout (`stage`), whose payment method may not be chosen yet.

    `sequence` counts our events about it, `revision` its changes visible to people; `completes_alone` is the
    shop's setting; `line_positions` is JSON, None when unchanged; `carried` holds version, carrier and
    validity of every shipment, None while no correction requires it.
    """

    shop: str
    id: UUID
    code: str
    method: PaymentMethod | None
    money: Money
    units: Quantities
    stage: Stage = Stage.PLACED
    sequence: int = 0
    revision: int = 1
    placed_at: datetime | None = None
    archived_at: datetime | None = None
    completes_alone: bool = True
    payment_version: int = 0
    fulfilment_version: int = 0
    stock: StockStanding = StockStanding.NOT_REQUIRED
    line_positions: str | None = None
    hand: HandSet | None = None
    state: OrderState | None = None
    label: str = ""
    automatic_state: OrderState | None = None
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    fulfilment_status: FulfilmentStatus = FulfilmentStatus.UNFULFILLED
    flags: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    cancellation_requested_at: datetime | None = None
    carried: dict[UUID, tuple[int, str, bool]] | None = None
    reach: Reach = field(default_factory=Reach)

    def take_money(self, version: int, money: Money) -> bool:
        """Update payments' position if this version is newer than the recorded one. Return whether it was."""
        if version <= self.payment_version:
            return False
        self.payment_version, self.money = version, money
        return True

    def take_units(self, version: int, units: Quantities, stock: StockStanding) -> bool:
        """Update fulfillment's position if this version is newer than the recorded one.

        Return whether it was.
        """
        if version <= self.fulfilment_version:
            return False
        self.fulfilment_version, self.units, self.stock = version, units, stock
        return True

    def take_carrier(self, carrier: str) -> bool:
        """Add a carrier that ships some of the parcels. Return whether it was not recorded before."""
        known = self.carriers
        self.carriers = tuple(sorted({*known, carrier}))
        return self.carriers != known

    def take_shipment(self, shipment_id: UUID, version: int, carrier: str, *, stands: bool) -> bool:
        """Apply a version of a shipment.

        Return whether the order's carriers changed; cancelled shipments have none.
        """
        if self.carried is None:
            return self.take_carrier(carrier) if stands else False
        if version > self.carried.get(shipment_id, (0, "", False))[0]:
            self.carried[shipment_id] = (version, carrier, stands)
        before = self.carriers
        self.carriers = tuple(sorted({name for _, name, is_active in self.carried.values() if is_active}))
        return self.carriers != before

    def facts(self) -> Facts:
        """Return the facts of which the state is a function."""
        return Facts(
            placed=self.stage is Stage.PLACED,
            drafted=self.stage is Stage.DRAFT,
            checkout_over=self.stage is Stage.CHECKOUT_OVER,
            cancelled=self.units.all_cancelled,
            balance_minor=self.money.balance,
            received_by_hand_minor=self.money.received_by_hand,
            method=self.method,
            quantities=self.units,
            completes_alone=self.completes_alone,
        )

    def restate(self) -> bool:
        """Derive all computed fields from the facts. Return whether the shown state or label changed."""
        facts = self.facts()
        before = (self.state, self.label)
        automatic = automatic_state(facts)
        self.automatic_state = automatic
        self.state, self.label = shown_state(automatic, automatic_label(automatic, facts), self.hand)
        self.payment_status = payment_status(self.state, self.money)
        self.fulfilment_status = fulfilment_status(self.units)
        placed = self.stage is Stage.PLACED
        self.flags = attention_flags(
            self.money,
            self.units,
            self.stock,
            self.reach,
            placed=placed,
            cancellation_requested=self.cancellation_requested_at is not None,
        )
        return before != (self.state, self.label)


def state_events(order: Order, previous: OrderState | None, cause_type: str) -> list[Message]:
    """Return the messages about an order that has left the state `previous`; the change itself comes first."""
    assert order.state is not None
    names = {"shop": order.shop, "order_id": order.id, "code": order.code}
    changed = OrderStateChanged.model_validate(
        {**names, "previous": previous, "state": order.state, "label": order.label, "cause": cause_type}
    )
    if previous is not order.state is OrderState.COMPLETED and cause_type != BY_HAND:
        return [changed, OrderCompleted.model_validate(names)]
    if previous is OrderState.ABANDONED and order.state is OrderState.IN_CHECKOUT:
        return [changed, CheckoutResumed.model_validate(names)]
    return [changed]
