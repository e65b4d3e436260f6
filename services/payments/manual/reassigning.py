"""Assignment of a payment to an order: an unmatched one («À identifier»), or one that another order has.

Unmatched money is claimed: the webhook that waits for its payment is applied to the order, as if the order
had named it. Money in the ledger is moved whole, less what was refunded of it, and never more than the order
still holds: out of one account and into the other in one transaction. Receipts of a moved payment stay
recorded where they came in; refunds and new disputes of it belong where it is now. A payment does not move
while a dispute about it is undecided: the dispute's facts, the money it withdrew and the decision on its loss
belong in one account.
"""

from dataclasses import dataclass

from contracts.message import Reason
from contracts.payments.accounts import PaymentReassigned, ReassignPayment
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import MANUAL, Entry, Kind, find_payment, payment_key
from services.payments.accounts.unit.answering import account_of, deleted, done, reject
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.refunds.payments_left import Payment, at_most, held_minor, payments_of


@dataclass(frozen=True, slots=True)
class Move:
    """Money that moves from one order to another."""

    source: Account
    target: Account
    payment: Payment

    @property
    def key(self) -> str:
        return self.payment.key


def reassign_payment(work: AccountUnit, received: ReceivedMessage[ReassignPayment]) -> None:
    """Claim or move the payment; one that the order already has counts as done. Waits for an order that has
    not arrived yet.
    """
    command = received.message
    target = account_of(work, received)
    if target is None:
        return None
    if reasons := deleted(target):
        return reject(work, received, reasons)
    source = work.holder_of(received)
    if source is None or _nothing_of_it(source, command):
        return _claim(work, received, target, source)
    if source is target:
        return done(work, received)
    payment = _payment_to_move(source, command)
    if reasons := _against(source, target, payment):
        return reject(work, received, reasons)
    assert payment is not None
    _move(work, received, Move(source, target, payment))
    return None


def _payment_to_move(source: Account, command: ReassignPayment) -> Payment | None:
    """Return the payment with the amount that can move: a refund that names no payment was made of the
    order's money as a whole, so what is left of one payment may be more than the order still holds.
    """
    payment = next((p for p in payments_of(source) if p.key == _payment_named(source, command)), None)
    return payment and at_most(payment, held_minor(source))


def _payment_named(source: Account, command: ReassignPayment) -> str | None:
    if command.entry_id is not None:
        entry = find_payment(source.shop, source.entries, command.entry_id)
        return entry.payment_key if entry else None
    return payment_key(command.provider or "", command.provider_reference or "")


def _nothing_of_it(source: Account, command: ReassignPayment) -> bool:
    """Return whether an order claimed a payment that never had an entry in its ledger."""
    named = _payment_named(source, command)
    return command.entry_id is None and all(entry.payment_key != named for entry in source.entries)


def _claim(
    work: AccountUnit, received: ReceivedMessage[ReassignPayment], target: Account, source: Account | None
) -> None:
    command = received.message
    if command.provider is None or command.provider_reference is None:
        text = "no order has this payment; name the entry of a payment, or provider and provider_reference"
        return reject(work, received, [Reason(code="payment_unknown", message=text, field="entry_id")])
    key = (command.provider, command.provider_reference)
    currency = work.unmatched.get((command.shop, *key))
    if currency is None:
        text = f"{key[0]} has reported no payment {key[1]} that waits for an order; check the reference"
        return reject(
            work, received, [Reason(code="payment_unknown", message=text, field="provider_reference")]
        )
    if currency and currency != target.currency:
        return reject(work, received, _other_currency(currency, target))
    if source is target:
        return done(work, received)
    work.claim(target, *key)
    work.unit.emit(_event(target, command, "in", source, key, None), cause=received.envelope)
    return None


def _against(source: Account, target: Account, payment: Payment | None) -> list[Reason]:
    if payment is None:
        text = f"order {source.code} has no such payment; name the entry of a payment"
        return [Reason(code="payment_unknown", message=text, field="entry_id")]
    if source.currency != target.currency:
        return _other_currency(source.currency, target)
    if dispute := source.disputes.undecided(payment.object_id):
        known = f"dispute {dispute.object_id} of this payment is {dispute.state}"
        text = f"{known}; move the payment once the dispute has ended and its loss, if any, is decided"
        return [Reason(code="payment_disputed", message=text, field="entry_id")]
    if payment.left_minor <= 0:
        text = f"nothing is left of this payment at order {source.code}; it was refunded or moved"
        return [Reason(code="nothing_left_to_move", message=text, field="entry_id")]
    return []


def _other_currency(currency: str, target: Account) -> list[Reason]:
    text = f"the payment is in {currency}, order {target.code} in {target.currency}; choose an order in {currency}"
    return [Reason(code="currency_differs", message=text, field="order_id")]


def _move(work: AccountUnit, received: ReceivedMessage[ReassignPayment], move: Move) -> None:
    envelope, command = received.envelope, received.message
    paid = next(
        entry
        for entry in reversed(move.source.entries)
        if entry.payment_key == move.key and entry.kind in (Kind.PAYMENT_RECEIVED, Kind.TRANSFER_IN)
    )
    move.source.post(_entry(received, move, paid, Kind.TRANSFER_OUT), envelope)
    move.target.post(_entry(received, move, paid, Kind.TRANSFER_IN), envelope)
    if move.payment.provider != MANUAL:
        work.move(move.target, move.payment.provider, move.payment.object_id)
    by_hand = move.payment.provider == MANUAL and paid.reference
    names = (move.payment.provider, by_hand or move.payment.object_id)
    left = move.payment.left_minor
    out = _event(move.source, command, "out", move.target, names, left)
    into = _event(move.target, command, "in", move.source, names, left)
    work.unit.emit(out, about=move.source, cause=envelope)
    work.unit.emit(into, about=move.target, cause=envelope)


def _entry(received: ReceivedMessage[ReassignPayment], move: Move, paid: Entry, kind: Kind) -> Entry:
    command = received.message
    other = move.target if kind is Kind.TRANSFER_OUT else move.source
    return Entry(
        kind=kind,
        amount_minor=move.payment.left_minor,
        provider=MANUAL,
        object_id=str(received.envelope.id),
        step=0,
        source="manual",
        caused_by=received.envelope.id,
        occurred_at=received.envelope.time,
        actor=command.actor,
        method=paid.method,
        received_on=paid.received_on if kind is Kind.TRANSFER_IN else None,
        reference=other.code,
        note=command.note,
        payment=move.key,
    )


def _event(
    account: Account,
    command: ReassignPayment,
    direction: str,
    other: Account | None,
    names: tuple[str, str],
    amount_minor: int | None,
) -> PaymentReassigned:
    return PaymentReassigned(
        shop=account.shop,
        order_id=account.id,
        code=account.code,
        direction=direction,
        other_order_id=other.id if other else None,
        provider=names[0],
        provider_reference=names[1],
        amount_minor=amount_minor,
        currency=account.currency,
        note=command.note,
        recorded_by=command.actor,
    )
