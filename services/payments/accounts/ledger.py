"""The ledger of one order: kinds of entry, the effect of each, and the position they add up to. Pure.

Balance = due − credited − received + refunded + marked: what the customer still owes, in minor units of the
account's one currency. Entries are only ever added; an entry is named by (provider, object, kind, step), so
the same money seen twice is one entry and the position depends neither on the order nor on the number of
times facts arrive. With a running sum, one webhook delivered twice would show an unpaid order as paid.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import accumulate
from typing import Any
from uuid import UUID, uuid5

from contracts.payments.accounts import AttemptState, Position
from contracts.sale import PaymentMethod
from services.payments.accounts.attempts import Attempt, latest_state
from services.payments.accounts.disputes import DISPUTED, Disputes
from services.payments.accounts.refunds import Refunds
from services.payments.accounts.remarks import Remark
from services.payments.accounts.remarks import flags as flags_of_remarks

ENTRY_NAMESPACE = UUID("7d0c8f7e-5d0a-5c39-9d35-6a1f3f2f7a55")
MANUAL = "manual"
"""The provider of what staff entered; the object is the command's id."""
ORDER = "order"
"""The provider of entries that the order itself causes; the object is the order's id."""
NO_REFUNDS = Refunds()
NO_DISPUTES = Disputes()
MANUAL_METHODS = frozenset(
    (PaymentMethod.CHEQUE, PaymentMethod.TRANSFER, PaymentMethod.CASH, PaymentMethod.OTHER)
)


class Kind(StrEnum):
    """The kinds of entry: what happened."""

    ORDER_TOTAL = "order_total"
    DUE_INCREASED = "due_increased"
    CREDIT_GRANTED = "credit_granted"
    CREDIT_REVERSED = "credit_reversed"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_REVERSED = "payment_reversed"
    REFUND_PAID = "refund_paid"
    REFUND_FAILED = "refund_failed"
    REFUND_MARKED = "refund_marked"
    REFUND_MARK_REVERSED = "refund_mark_reversed"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    AUTHORISED = "authorised"
    AUTHORISATION_RELEASED = "authorisation_released"
    PENDING = "pending"
    FEE = "fee"


class Sum(StrEnum):
    """The sums of a position. `memo` counts in none of them."""

    DUE = "due"
    CREDITED = "credited"
    RECEIVED = "received"
    REFUNDED = "refunded"
    MARKED = "marked"
    DISPUTED = "disputed"
    AUTHORISED = "authorised"
    MEMO = "memo"


@dataclass(frozen=True, slots=True)
class Origin:
    """The cause of a change: source and id as an entry keeps them, when it happened, and the actor."""

    source: str
    caused_by: UUID
    occurred_at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class Rule:
    """The effect of a kind of entry: on which sum, with which sign, and between which two accounting
    accounts.

    `till` stands for where the method's money lies: the bank, the cash box, the provider's clearing account.
    """

    sum: Sum
    sign: int
    debit: str
    credit: str


CUSTOMER = "customer"
TILL = "till"
RULES: dict[Kind, Rule] = {
    Kind.ORDER_TOTAL: Rule(Sum.DUE, +1, CUSTOMER, "sales"),
    Kind.DUE_INCREASED: Rule(Sum.DUE, +1, CUSTOMER, "sales"),
    Kind.CREDIT_GRANTED: Rule(Sum.CREDITED, +1, "sales_credits", CUSTOMER),
    Kind.CREDIT_REVERSED: Rule(Sum.CREDITED, -1, CUSTOMER, "sales_credits"),
    Kind.PAYMENT_RECEIVED: Rule(Sum.RECEIVED, +1, TILL, CUSTOMER),
    Kind.PAYMENT_REVERSED: Rule(Sum.RECEIVED, -1, CUSTOMER, TILL),
    Kind.REFUND_PAID: Rule(Sum.REFUNDED, +1, CUSTOMER, TILL),
    Kind.REFUND_FAILED: Rule(Sum.REFUNDED, -1, TILL, CUSTOMER),
    Kind.REFUND_MARKED: Rule(Sum.MARKED, +1, CUSTOMER, "refunds_to_confirm"),
    Kind.REFUND_MARK_REVERSED: Rule(Sum.MARKED, -1, "refunds_to_confirm", CUSTOMER),
    Kind.TRANSFER_IN: Rule(Sum.RECEIVED, +1, "transfers", CUSTOMER),
    Kind.TRANSFER_OUT: Rule(Sum.RECEIVED, -1, CUSTOMER, "transfers"),
    Kind.DISPUTED: Rule(Sum.DISPUTED, +1, "disputed_money", TILL),
    Kind.DISPUTE_WON: Rule(Sum.DISPUTED, -1, TILL, "disputed_money"),
    Kind.DISPUTE_LOST: Rule(Sum.DISPUTED, -1, "dispute_losses", "disputed_money"),
    Kind.AUTHORISED: Rule(Sum.AUTHORISED, +1, "authorisations_held", "authorisations_given"),
    Kind.AUTHORISATION_RELEASED: Rule(Sum.AUTHORISED, -1, "authorisations_given", "authorisations_held"),
    Kind.PENDING: Rule(Sum.MEMO, +1, "payments_pending", "payments_announced"),
    Kind.FEE: Rule(Sum.MEMO, +1, "provider_fees", TILL),
}
_TILLS = {
    PaymentMethod.CARD: "provider_clearing",
    PaymentMethod.PAYPAL: "provider_clearing",
    PaymentMethod.CHEQUE: "cheques_in_hand",
    PaymentMethod.TRANSFER: "bank",
    PaymentMethod.CASH: "cash",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `amount_minor` is positive whatever the kind; the kind gives the sign."""

    kind: Kind
    amount_minor: int
    provider: str
    object_id: str
    step: int
    source: str
    caused_by: UUID
    occurred_at: datetime
    actor: str
    method: PaymentMethod | None = None
    received_on: date | None = None
    clearing_on: date | None = None
    reference: str | None = None
    note: str | None = None
    payment: str | None = None
    """The payment (`payment_key`) that the entry refunds, reverses or moves; None: it is a payment itself, or
    none.
    """

    @property
    def payment_key(self) -> str:
        """Return the key of the payment it belongs to, which may be itself."""
        return self.payment or payment_key(self.provider, self.object_id)

    def changed(self, **changes: Any) -> "Entry":
        """Return the same entry with some attributes changed."""
        return replace(self, **changes)

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Return the entry's identity within one shop."""
        return (self.provider, self.object_id, self.kind, self.step)


def payment_key(provider: str, object_id: str) -> str:
    """Return the name of a payment within a shop."""
    return f"{provider}:{object_id}"


def entry_id_of_payment(shop: str, payment: str) -> UUID:
    """Return the id of the entry by which a payment first came in, whichever order has it now."""
    provider, _, object_id = payment.partition(":")
    return uuid5(ENTRY_NAMESPACE, f"{shop}/{provider}/{object_id}/{Kind.PAYMENT_RECEIVED}/0")


def entry_id(shop: str, entry: Entry) -> UUID:
    """Return the entry's id, derived from its key: every path that posts this money gives it the same id."""
    return uuid5(ENTRY_NAMESPACE, f"{shop}/{entry.provider}/{entry.object_id}/{entry.kind}/{entry.step}")


def find_payment(shop: str, entries: Iterable[Entry], entry: UUID) -> Entry | None:
    """Return the entry of this id by which a payment came in: received, or moved here from another order."""
    kinds = (Kind.PAYMENT_RECEIVED, Kind.TRANSFER_IN)
    return next((one for one in entries if one.kind in kinds and entry_id(shop, one) == entry), None)


def accounts_of(entry: Entry) -> tuple[str, str]:
    """Return the accounting accounts to debit and to credit with the amount, for an export to accounting."""
    rule = RULES[entry.kind]
    till = _TILLS.get(entry.method, "other_receipts") if entry.method else "other_receipts"
    return (till if rule.debit == TILL else rule.debit, till if rule.credit == TILL else rule.credit)


def effect_on_balance(kind: Kind) -> int:
    """Return +1 when such an entry raises what the customer owes, −1 when it lowers it, 0 for a memo."""
    rule = RULES[kind]
    return {Sum.DUE: 1, Sum.CREDITED: -1, Sum.RECEIVED: -1, Sum.REFUNDED: 1, Sum.MARKED: 1}.get(
        rule.sum, 0
    ) * rule.sign


def balances_after(entries: Iterable[Entry]) -> list[int]:
    """Return the running balance: after each entry and those before it."""
    steps = (effect_on_balance(entry.kind) * entry.amount_minor for entry in entries)
    return list(accumulate(steps))


def position(
    currency: str,
    entries: Iterable[Entry],
    attempts: Iterable[Attempt],
    refunds: Refunds = NO_REFUNDS,
    remarks: Iterable[Remark] = (),
    disputes: Disputes = NO_DISPUTES,
    version_floor: int = 0,
) -> Position:
    """Return the complete position of an account with at least one entry.

    Raises pydantic's ValidationError when a sum exceeds the contract's range.
    """
    entries = {entry.key: entry for entry in entries}.values()
    attempts, remarks = set(attempts), set(remarks)
    sums: dict[Sum, int] = defaultdict(int)
    by_hand = 0
    for entry in entries:
        rule = RULES[entry.kind]
        sums[rule.sum] += rule.sign * entry.amount_minor
        if rule.sum is Sum.RECEIVED and entry.method in MANUAL_METHODS:
            by_hand += rule.sign * entry.amount_minor
    attempt = latest_state(attempts)
    balance = sum(effect_on_balance(entry.kind) * entry.amount_minor for entry in entries)
    return Position(
        version=version_floor + len(entries) + len(attempts) + len(remarks) + refunds.facts + disputes.facts,
        currency=currency,
        due_minor=sums[Sum.DUE],
        credited_minor=sums[Sum.CREDITED],
        received_minor=sums[Sum.RECEIVED],
        received_by_hand_minor=by_hand,
        refunded_minor=sums[Sum.REFUNDED],
        refunds_pending_minor=max(0, min(refunds.under_way_minor, sums[Sum.REFUNDED])),
        marked_minor=sums[Sum.MARKED],
        disputed_minor=sums[Sum.DISPUTED],
        authorised_minor=sums[Sum.AUTHORISED],
        balance_minor=balance,
        attempt=attempt,
        flags=_flags(sums, attempt, balance, refunds, remarks, disputes),
    )


def _flags(
    sums: dict[Sum, int],
    attempt: AttemptState,
    balance_minor: int,
    refunds: Refunds,
    remarks: Iterable[Remark],
    disputes: Disputes,
) -> list[str]:
    """Return the flags that staff should look at. A failed attempt raises none once nothing is owed."""
    flags = {
        "last_attempt_failed": attempt is AttemptState.DECLINED and balance_minor > 0,
        DISPUTED: sums[Sum.DISPUTED] > 0,
        "over_refunded": sums[Sum.REFUNDED] + sums[Sum.MARKED] > sums[Sum.RECEIVED],
    }
    raised = [flag for flag, is_set in flags.items() if is_set]
    if refunds.facts:
        raised += refunds.flags(balance_minor)
    raised += disputes.flags()
    return list(dict.fromkeys([*raised, *flags_of_remarks(remarks, refunds, balance_minor)]))
