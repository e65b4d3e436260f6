"""What may have become of a seeded order, and the columns this gives it.

Invariant: the columns are computed by the services' own rules from the facts chosen here (`Order.restate`), so a seeded
order is one that messages could have made.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from contracts.fulfillment.position import LinePosition, StockStanding
from contracts.orders.lifecycle import OrderState
from contracts.sale import LineKind, PaymentMethod
from deploy.seed.baskets import NumberedBasket
from services.orders.order.fulfilment_status import Quantities, sum_lines
from services.orders.order.payment_status import Money
from services.orders.order.record import Order
from services.orders.order.state import HandSet

NOBODY = UUID(int=0)
STAGES = ("none", "packed", "shipped", "delivered")
OVERPAID_MINOR = 500
BY_HAND = frozenset({PaymentMethod.CHEQUE, PaymentMethod.TRANSFER, PaymentMethod.CASH, PaymentMethod.OTHER})
AGES = ("fresh", "young", "settling", "old")
"""Ages: under three days, under two weeks, under three months, older."""


@dataclass(frozen=True)
class Life:
    """What became of an order. `money`: none, paid, half, over, back (paid and given back); `stage`: how far its goods
    are; `done_by_hand`: staff called it finished (tickets and bookings have no other end yet)."""

    name: str
    money: str
    stage: str = "none"
    is_cancelled: bool = False
    is_missing: bool = False
    done_by_hand: bool = False
    is_archived: bool = False


LIVES = (
    Life("unpaid", "none"),
    Life("paid", "paid"),
    Life("half", "half"),
    Life("over", "over"),
    Life("missing", "paid", is_missing=True),
    Life("packed", "paid", "packed"),
    Life("packed_unpaid", "none", "packed"),
    Life("shipped", "paid", "shipped"),
    Life("delivered", "paid", "delivered", done_by_hand=True),
    Life("delivered_over", "over", "delivered", done_by_hand=True),
    Life("cancelled", "none", is_cancelled=True),
    Life("given_back", "back", is_cancelled=True),
    Life("archived", "paid", "delivered", done_by_hand=True, is_archived=True),
    Life("cancelled_archived", "none", is_cancelled=True, is_archived=True),
    Life("given_back_archived", "back", is_cancelled=True, is_archived=True),
)
SHARES: dict[str, dict[str, int]] = {
    "fresh": {
        "paid": 620,
        "unpaid": 230,
        "packed": 80,
        "half": 10,
        "missing": 15,
        "shipped": 20,
        "cancelled": 25,
    },
    "young": {
        "delivered": 420,
        "shipped": 300,
        "paid": 90,
        "packed": 60,
        "unpaid": 60,
        "cancelled": 30,
        "given_back": 12,
        "missing": 10,
        "half": 8,
        "over": 5,
        "packed_unpaid": 5,
    },
    "settling": {
        "delivered": 870,
        "cancelled": 45,
        "given_back": 30,
        "archived": 20,
        "unpaid": 15,
        "shipped": 10,
        "over": 3,
        "delivered_over": 3,
        "missing": 2,
        "half": 2,
    },
    "old": {
        "archived": 905,
        "cancelled_archived": 50,
        "given_back_archived": 30,
        "delivered": 10,
        "delivered_over": 1,
        "unpaid": 2,
        "cancelled": 2,
    },
}
"""Per thousand orders of an age."""


class OutcomeRow(NamedTuple):
    """A row of the table `seed_outcome`; amounts in minor units, `line_positions` as JSON."""

    basket: int
    life: int
    method: str
    state: str | None
    label: str | None
    automatic_state: str | None
    hand_state: str | None
    hand_label: str | None
    hand_over: str | None
    payment_status: str
    fulfilment_status: str
    flags: list[str]
    due: int
    credited: int
    received: int
    by_hand: int
    refunded: int
    balance: int
    payment_version: int
    fulfilment_version: int
    stock: str | None
    line_positions: str
    ship_ordered: int
    ship_needed: int
    packed: int
    shipped: int
    delivered: int
    other_ordered: int
    other_needed: int
    to_pack: int
    to_ship: int
    is_archived: bool
    is_cancelled: bool
    stage: int


@dataclass(frozen=True)
class Goods:
    """Stock, units and published positions (JSON) of a basket's goods in a life, for every payment method."""

    stock: StockStanding
    units: Quantities
    version: int
    published: str


def outcomes(all_baskets: Sequence[NumberedBasket], shop: str) -> Iterator[OutcomeRow]:
    """Return the rows of the table `seed_outcome`: everything an order of this basket, life and method has."""
    for basket in all_baskets:
        methods = methods_of(basket)
        for number, life in enumerate(LIVES):
            goods = _goods(basket, life)
            for method in methods:
                yield _outcome(basket, number, method, goods, shop)


def methods_of(basket: NumberedBasket) -> list[PaymentMethod]:
    """Return the methods a sale can be placed with: a free one with `free` alone."""
    is_free = basket.sale.totals.total_minor == 0
    return [method for method in PaymentMethod if (method is PaymentMethod.FREE) is is_free]


def _goods(basket: NumberedBasket, life: Life) -> Goods:
    positions = _positions(basket, life)
    if not basket.goods:
        return Goods(StockStanding.NOT_REQUIRED, sum_lines(positions), 0, "[]")
    return Goods(
        stock=StockStanding.MISSING if life.is_missing else StockStanding.RESERVED,
        units=sum_lines(positions),
        version=2 + STAGES.index(life.stage),
        published=json.dumps([one.model_dump(mode="json") for one in positions]),
    )


def _outcome(
    basket: NumberedBasket, number: int, method: PaymentMethod, goods: Goods, shop: str
) -> OutcomeRow:
    life = LIVES[number]
    order = Order(
        shop=shop,
        id=NOBODY,
        code="",
        method=method,
        money=_money(basket.sale.totals.total_minor, life, method),
        units=goods.units,
        stock=goods.stock,
    )
    order.restate()
    if life.done_by_hand and not life.is_cancelled and order.state is not OrderState.COMPLETED:
        assert order.automatic_state is not None
        order.hand = HandSet(OrderState.COMPLETED, "completed", order.automatic_state)
        order.restate()
    return _row(order, basket.number, number, method, goods)


def _positions(basket: NumberedBasket, life: Life) -> list[LinePosition]:
    found = []
    for line, sold in enumerate(basket.sale.lines, 1):
        reached = STAGES.index(life.stage) if sold.kind is LineKind.SHIP else 0
        found.append(
            LinePosition(
                line=line,
                kind=sold.kind,
                ordered=sold.quantity,
                cancelled=sold.quantity if life.is_cancelled else 0,
                packed=sold.quantity if reached >= 1 else 0,
                shipped=sold.quantity if reached >= 2 else 0,
                delivered=sold.quantity if reached >= 3 else 0,
            )
        )
    return found


def _money(total: int, life: Life, method: PaymentMethod) -> Money:
    received = {"none": 0, "half": total // 2, "over": total + OVERPAID_MINOR}.get(life.money, total)
    if method is PaymentMethod.FREE:
        received = 0
    credited = total if life.is_cancelled else 0
    refunded = received if life.money == "back" else 0
    return Money(
        due=total,
        credited=credited,
        received=received,
        received_by_hand=received if method in BY_HAND else 0,
        refunded=refunded,
        balance=total - credited - received + refunded,
    )


def _row(order: Order, basket: int, number: int, method: PaymentMethod, goods: Goods) -> OutcomeRow:
    life, money, units, hand = LIVES[number], order.money, order.units, order.hand
    return OutcomeRow(
        basket=basket,
        life=number,
        method=method.value,
        state=order.state,
        label=order.label,
        automatic_state=order.automatic_state,
        hand_state=hand.state if hand else None,
        hand_label=hand.label if hand else None,
        hand_over=hand.over if hand else None,
        payment_status=order.payment_status,
        fulfilment_status=order.fulfilment_status,
        flags=list(order.flags),
        due=money.due,
        credited=money.credited,
        received=money.received,
        by_hand=money.received_by_hand,
        refunded=money.refunded,
        balance=money.balance,
        payment_version=1 + sum(amount > 0 for amount in (money.received, money.credited, money.refunded)),
        fulfilment_version=goods.version,
        stock=order.stock,
        line_positions=goods.published,
        ship_ordered=units.ordered,
        ship_needed=units.needed,
        packed=units.packed,
        shipped=units.shipped,
        delivered=units.delivered,
        other_ordered=units.other_ordered,
        other_needed=units.other_needed,
        to_pack=units.to_pack,
        to_ship=units.to_ship,
        is_archived=life.is_archived,
        is_cancelled=life.is_cancelled,
        stage=STAGES.index(life.stage) if goods.version else 0,
    )
