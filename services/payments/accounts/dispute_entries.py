"""Posting of the entries that the account's disputes require and the ledger lacks. Pure.

Each movement of disputed money is an entry of its own, named by its balance transaction; a fee beside it is a memo.
What staff decided on a lost dispute closes the disputed sum: written off, the customer's balance stays; made due,
the customer owes the amount again. Money that moves after the decision, such as a late reinstatement, corrects both.
"""

from collections.abc import Sequence
from typing import Protocol

from contracts.envelope import Envelope
from contracts.payments.disputes import DisputeResolution
from contracts.sale import PaymentMethod
from services.payments.accounts.disputes import Decision, Direction, Dispute, Disputes, Movement
from services.payments.accounts.ledger import Entry, Kind, Origin, payment_key

_KINDS = {Direction.WITHDRAWN: Kind.DISPUTED, Direction.REINSTATED: Kind.DISPUTE_WON}


class DisputeLedger(Protocol):
    """The ledger of one order with its disputes: the part of an account that is used here."""

    @property
    def currency(self) -> str: ...

    @property
    def cause(self) -> Envelope | None: ...

    @property
    def entries(self) -> Sequence[Entry]: ...

    @property
    def disputes(self) -> Disputes: ...

    def post(self, entry: Entry, cause: Envelope | None = None) -> bool:
        """Add an entry; return False when it is there already."""

    def posted(self, provider: str, object_id: str, kind: Kind) -> tuple[int, int]:
        """Return how much of a kind was posted for one object (minor units), and in how many steps."""


def post_disputes(account: DisputeLedger, origin: Origin) -> None:
    """Post the missing entries; a repeat posts nothing. Called by `Account.square`."""
    for movement in account.disputes.movements:
        _post_movement(account, movement, origin)
    for dispute in account.disputes.all():
        if dispute.decision is not None:
            _post_decision(account, dispute, dispute.decision, origin)


def _post_movement(account: DisputeLedger, movement: Movement, origin: Origin) -> None:
    entry = Entry(
        kind=_KINDS[movement.direction],
        amount_minor=movement.amount_minor,
        provider=movement.provider,
        object_id=movement.object_id,
        step=0,
        source=origin.source,
        caused_by=origin.caused_by,
        occurred_at=movement.occurred_at,
        actor=movement.provider,
        method=_method(account, movement.provider, movement.payment),
        reference=movement.dispute,
        payment=payment_key(movement.provider, movement.payment),
    )
    if movement.amount_minor > 0:
        account.post(entry, account.cause)
    if movement.fee_minor > 0 and movement.fee_currency == account.currency:
        account.post(entry.changed(kind=Kind.FEE, amount_minor=movement.fee_minor), account.cause)


def _post_decision(account: DisputeLedger, dispute: Dispute, decision: Decision, origin: Origin) -> None:
    """Bring the closed part of the disputed sum, and what is due again, to what the facts give now."""
    is_due = decision.resolution is DisputeResolution.MADE_DUE
    held = max(0, dispute.held_minor) if dispute.is_lost else 0
    due = max(0, dispute.loss_minor) if is_due else 0
    _reach(account, dispute, decision, (Kind.DISPUTE_LOST, Kind.DISPUTED), held, origin)
    _reach(account, dispute, decision, (Kind.PAYMENT_REVERSED, Kind.PAYMENT_RECEIVED), due, origin)


def _reach(
    account: DisputeLedger,
    dispute: Dispute,
    decision: Decision,
    kinds: tuple[Kind, Kind],
    target_minor: int,
    origin: Origin,
) -> None:
    posted, steps = account.posted(*dispute.key, kinds[0])
    taken_back, steps_back = account.posted(*dispute.key, kinds[1])
    missing = target_minor - (posted - taken_back)
    if not missing:
        return
    is_first = not posted
    entry = Entry(
        kind=kinds[0] if missing > 0 else kinds[1],
        amount_minor=abs(missing),
        provider=dispute.provider,
        object_id=dispute.object_id,
        step=steps if missing > 0 else steps_back,
        source="manual" if is_first else origin.source,
        caused_by=decision.command_id if is_first else origin.caused_by,
        occurred_at=decision.decided_at if is_first else origin.occurred_at,
        actor=decision.actor if is_first else origin.actor,
        method=_method(account, dispute.provider, dispute.payment),
        reference=dispute.object_id,
        note=decision.note,
        payment=payment_key(dispute.provider, dispute.payment),
    )
    account.post(entry, account.cause)


def _method(account: DisputeLedger, provider: str, payment: str) -> PaymentMethod:
    """Return the method by which the disputed payment came in."""
    key = payment_key(provider, payment)
    methods = (one.method for one in account.entries if one.payment_key == key and one.method)
    return next(methods, PaymentMethod.CARD)
