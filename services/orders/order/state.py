"""States of an order: one pure function of the known facts, and the texts of each state.

Invariant: a state is never stored as a decision, only as the result of `automatic_state`. It is evaluated
after every fact and in both directions, so facts may arrive in any order and any number of times. A rule that
used the previous state instead would give different states for different orders of arrival.
"""

from dataclasses import dataclass
from enum import StrEnum

from contracts.orders.lifecycle import OrderState
from contracts.sale import PaymentMethod
from services.orders.order.fulfilment_status import NOTHING_DONE, Quantities

PAYMENTS_RECEIVED = "payments_received"
IN_PROGRESS_ORDER = "in_progress_order"
LOCKED_STATES = frozenset({OrderState.IN_CHECKOUT})
"""States that staff cannot change by hand."""
METHODS_STARTING_UNPAID = frozenset({PaymentMethod.CASH})
"""Methods that let work start before payment: the customer pays on site."""


class Stage(StrEnum):
    """Stage of an order on its way to being placed; a placed order stays placed."""

    DRAFT = "draft"
    CHECKOUT = "checkout"
    CHECKOUT_OVER = "checkout_over"
    PLACED = "placed"


@dataclass(frozen=True, slots=True)
class Facts:
    """Known facts of an order.

    `balance_minor` is the amount owed: by the customer if positive, to them if negative. `drafted` marks an
    order that staff write and have not confirmed; an order neither drafted nor placed is a checkout, and
    `checkout_over` is set when its timer ran out or the storefront dropped it.
    """

    placed: bool = True
    drafted: bool = False
    checkout_over: bool = False
    cancelled: bool = False
    return_open: bool = False
    balance_minor: int = 0
    received_by_hand_minor: int = 0
    method: PaymentMethod | None = None
    quantities: Quantities = NOTHING_DONE
    completes_alone: bool = True


def automatic_state(facts: Facts) -> OrderState:
    """Return the state of these facts; the first matching rule wins."""
    if facts.drafted and not facts.placed:
        return OrderState.DRAFT
    if facts.cancelled:
        return OrderState.CANCELLED
    if not facts.placed:
        return OrderState.ABANDONED if facts.checkout_over else OrderState.IN_CHECKOUT
    if is_finished(facts):
        return OrderState.COMPLETED
    if facts.quantities.shipped > 0:
        return OrderState.PROCESSING
    if may_be_prepared(facts):
        return OrderState.READY
    return OrderState.AWAITING_PAYMENT


def is_finished(facts: Facts) -> bool:
    """Return whether every needed unit reached its customer, they owe nothing and nothing is being returned."""
    return (
        facts.completes_alone
        and facts.quantities.all_finished
        and facts.balance_minor <= 0
        and not facts.return_open
    )


def may_be_prepared(facts: Facts) -> bool:
    """Return whether work may start: paid, paid on site, or work already started."""
    return (
        facts.balance_minor <= 0 or facts.method in METHODS_STARTING_UNPAID or facts.quantities.in_parcels > 0
    )


def automatic_label(state: OrderState, facts: Facts) -> str:
    """Return the key of the built-in label: the state's own name, except for `ready`, which shows how it was
    settled.

    A partly paid order is not settled, so «Paiements reçus» requires a balance of zero.
    """
    if state is not OrderState.READY:
        return state.value
    is_by_hand = facts.received_by_hand_minor > 0 and facts.balance_minor <= 0
    return PAYMENTS_RECEIVED if is_by_hand else IN_PROGRESS_ORDER


@dataclass(frozen=True, slots=True)
class HandSet:
    """State chosen by staff while the automatic one was `over`; shown as long as the automatic state stays
    the same.
    """

    state: OrderState
    label: str
    over: OrderState


def shown_state(automatic: OrderState, label: str, hand: HandSet | None) -> tuple[OrderState, str]:
    """Return the state and label to show: those set by hand until a fact gives another automatic state."""
    if hand is not None and hand.over is automatic:
        return hand.state, hand.label
    return automatic, label


SET_BY_HAND = frozenset(
    {OrderState.AWAITING_PAYMENT, OrderState.READY, OrderState.PROCESSING, OrderState.COMPLETED}
)
"""States that staff can give a placed order.

The others result only from checkout, cancellation and reinstatement, which move money and stock: payment
status and flags depend on them, and on none of these.
"""


class Move(StrEnum):
    """Rule for setting a state by hand: allowed freely, with a written proof, with the right to force it and
    a reason, not by hand at all, or not while the customer is at the checkout.
    """

    ALLOWED = "allowed"
    NEEDS_PROOF = "needs_proof"
    NEEDS_FORCE = "needs_force"
    IMPOSSIBLE = "impossible"
    LOCKED = "locked"


def move_by_hand(facts: Facts, target: OrderState) -> Move:
    """Return whether staff may give an order with these facts this state; the README has the same table in
    words.
    """
    automatic = automatic_state(facts)
    if automatic in LOCKED_STATES:
        return Move.LOCKED
    if target is automatic:
        return Move.ALLOWED
    if automatic not in SET_BY_HAND or target not in SET_BY_HAND:
        return Move.IMPOSSIBLE
    if target is OrderState.COMPLETED:
        return _finish_by_hand(facts)
    is_forward = automatic is OrderState.READY and target is OrderState.PROCESSING
    waits_for_money = (
        automatic is OrderState.READY and target is OrderState.AWAITING_PAYMENT and facts.balance_minor > 0
    )
    return Move.ALLOWED if is_forward or waits_for_money else Move.NEEDS_FORCE


def _finish_by_hand(facts: Facts) -> Move:
    """Return the rule for «Traitée»: no unit left to ship, no amount left to collect.

    Without a fact that proves arrival, a comment must prove it.
    """
    units = facts.quantities
    if facts.balance_minor > 0 or facts.return_open or units.to_pack > 0 or units.to_ship > 0:
        return Move.NEEDS_FORCE
    return Move.ALLOWED if units.all_finished else Move.NEEDS_PROOF


LABELS: dict[str, dict[str, str]] = {
    "draft": {"fr": "Brouillon", "en": "Draft"},
    "in_checkout": {"fr": "Saisie en cours", "en": "In checkout"},
    "abandoned": {"fr": "Panier abandonné", "en": "Abandoned cart"},
    "awaiting_payment": {"fr": "En attente de paiement", "en": "Awaiting payment"},
    IN_PROGRESS_ORDER: {"fr": "Commande en cours", "en": "Order in progress"},
    PAYMENTS_RECEIVED: {"fr": "Paiements reçus", "en": "Payments received"},
    "processing": {"fr": "En cours de traitement", "en": "Processing"},
    "completed": {"fr": "Traitée", "en": "Completed"},
    "cancelled": {"fr": "Annulée", "en": "Cancelled"},
}
"""Texts of the built-in labels by key and language."""

BUILT_IN_STATE: dict[str, OrderState] = {
    key: OrderState.READY if key in (IN_PROGRESS_ORDER, PAYMENTS_RECEIVED) else OrderState(key)
    for key in LABELS
}
"""State to which each built-in label is bound."""

STATUS_FILTERS: dict[str, frozenset[OrderState]] = {
    "new": frozenset(
        {OrderState.IN_CHECKOUT, OrderState.ABANDONED, OrderState.AWAITING_PAYMENT, OrderState.READY}
    ),
    "in_progress": frozenset({OrderState.PROCESSING}),
    "done": frozenset({OrderState.COMPLETED}),
    "cancelled": frozenset({OrderState.CANCELLED}),
}
"""Values of the filter «Statut» (Nouveau, En cours, Terminé, Annulé) as states; drafts are in none."""
