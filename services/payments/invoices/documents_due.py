"""Decisions on what to issue for an order: nothing, its invoice, a credit note or a further invoice. Pure.

Once an order has an invoice, its documents add up to what is owed by the ledger, no matter what moved it: an edit, a
cancellation, a refund with credit, goodwill. Before that, nothing is issued until the time that the shop chose.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from contracts.message import LineUnits
from contracts.orders.changes import ChangeCause
from contracts.payments.invoices import InvoiceKind, IssueAt
from services.payments.accounts.account import Account
from services.payments.accounts.ledger import MANUAL, ORDER, RULES, Entry, Sum
from services.payments.accounts.refund_matching import RequestedRefund
from services.payments.accounts.unit.invoicing_store import Invoicing
from services.payments.invoices.document import Content
from services.payments.invoices.items import balance
from services.payments.invoices.sale import Sale
from services.payments.invoices.texts import text


@dataclass(frozen=True, slots=True)
class Issue:
    """A document to issue: the sale's own invoice, or one over `amount_minor` for a reason.

    `credited_minor` is what the credit notes issued with a sale's own invoice take back of it; `withdrawn` are the
    units of each line that changes before this one took back.
    """

    kind: InvoiceKind
    is_sale: bool
    amount_minor: int
    reason: str = ""
    lines: tuple[LineUnits, ...] = ()
    withdrawn: Mapping[int, int] = field(default_factory=dict)
    credited_minor: int = 0


@dataclass(frozen=True, slots=True)
class InvoicedOrder:
    """An order as it is when its documents are decided on."""

    account: Account
    sale: Sale
    documents: Sequence[Content]
    entries_seen: int
    cancelled: dict[str, Any]
    wish: dict[str, Any] | None


def issues_of(order: InvoicedOrder, invoicing: Invoicing) -> list[Issue]:
    """Return the documents to issue now, in this order."""
    owed = owed_minor(order.account)
    if not order.documents:
        if not _is_time(order, invoicing, owed):
            return []
        return _first(order, owed)
    if order.wish is not None:
        return _again(order, owed)
    return _corrections(order, _movements(order)[0], owed - balance(order.documents))


def owed_minor(account: Account) -> int:
    """Return what the order costs by the ledger: due less credited, with tax, in minor units."""
    return account.position.due_minor - account.position.credited_minor


def _is_time(order: InvoicedOrder, invoicing: Invoicing, owed: int) -> bool:
    if owed <= 0 or order.sale.total_minor <= 0 or order.account.closed_at is not None:
        return False
    if order.wish is not None:
        return True
    if not _is_recent(order.account.opened_at, invoicing.since):
        return False
    return invoicing.settings.issue_at is IssueAt.PLACEMENT or order.account.position.balance_minor <= 0


def _is_recent(placed_at: datetime, since: datetime | None) -> bool:
    return since is not None and placed_at >= since


def _first(order: InvoicedOrder, owed: int) -> list[Issue]:
    """Return the invoice of the sale, and documents for what the ledger differs by already.

    The sale is as edits left it; so only what else moved the ledger since the placement is corrected.
    """
    moved = [one for one in _movements(order)[1] if not one.is_edit]
    corrections = _corrections(order, moved, owed - order.sale.total_minor)
    credited = sum(one.amount_minor for one in corrections if one.kind is InvoiceKind.CREDIT_NOTE)
    return [Issue(InvoiceKind.INVOICE, True, order.sale.total_minor, credited_minor=credited), *corrections]


def _again(order: InvoicedOrder, owed: int) -> list[Issue]:
    """Return a credit note over everything invoiced, and the invoice of the order as it is now."""
    assert order.wish is not None
    invoiced = balance(order.documents)
    reason = order.wish["reason"]
    credit = [Issue(InvoiceKind.CREDIT_NOTE, False, invoiced, reason)] if invoiced > 0 else []
    return [*credit, *(_first(order, owed) if owed > 0 and order.sale.total_minor > 0 else [])]


@dataclass(frozen=True, slots=True)
class _Movement:
    """A ledger entry that moved what is owed, with the units that it names and those withdrawn before it."""

    entry: Entry
    amount_minor: int
    lines: tuple[LineUnits, ...]
    withdrawn: Mapping[int, int]

    @property
    def is_edit(self) -> bool:
        """Return whether the sale itself shows the change."""
        is_reversible = self.entry.reference in (
            ChangeCause.CANCELLED,
            ChangeCause.REINSTATED,
            ChangeCause.DELETED,
        )
        return self.entry.provider == ORDER and not is_reversible


def _movements(order: InvoicedOrder) -> tuple[list[_Movement], list[_Movement]]:
    """Return what moved the ledger since the last document, and since the placement; the first first."""
    found: list[tuple[int, _Movement]] = []
    withdrawn: Counter[int] = Counter()
    cancelled: Counter[int] = Counter()
    for index, entry in enumerate(order.account.entries):
        rule = RULES[entry.kind]
        if rule.sum not in (Sum.DUE, Sum.CREDITED) or entry.object_id == str(order.account.id):
            continue
        lines = _lines(order, entry)
        amount = rule.sign * entry.amount_minor * (1 if rule.sum is Sum.DUE else -1)
        found.append((index, _Movement(entry, amount, lines, dict(withdrawn))))
        named = Counter({one.line: one.quantity for one in lines})
        withdrawn = withdrawn + named if amount < 0 else withdrawn - named
        if entry.provider == ORDER:
            cancelled += named
        if entry.reference == ChangeCause.REINSTATED:
            withdrawn, cancelled = withdrawn - cancelled, Counter()
    return [one for index, one in found if index >= order.entries_seen], [one for _, one in found]


def _corrections(order: InvoicedOrder, moved: Sequence[_Movement], difference: int) -> list[Issue]:
    """Return a document for each movement if they explain the difference, else one for all of it."""
    if not difference:
        return []
    effective = _without_reinstated(moved)
    if sum(one.amount_minor for one in effective) == difference:
        return [_correction(order, one.amount_minor, one) for one in _merged(effective)]
    last = moved[-1] if moved else None
    if last is not None and len(moved) > 1:
        last = replace(last, lines=())
    return [_correction(order, difference, last)]


def _without_reinstated(moved: Sequence[_Movement]) -> list[_Movement]:
    """Return the movements without cancellations that a later reinstatement reversed in full, and without that."""
    kept: list[_Movement] = []
    for one in moved:
        undone = [
            other
            for other in kept
            if other.entry.reference == ChangeCause.CANCELLED and other.entry.provider == ORDER
        ]
        is_reversal = one.entry.provider == ORDER and one.entry.reference == ChangeCause.REINSTATED
        if is_reversal and undone and sum(other.amount_minor for other in undone) == -one.amount_minor:
            kept = [other for other in kept if other not in undone]
        else:
            kept.append(one)
    return kept


def _merged(moved: Sequence[_Movement]) -> Iterator[_Movement]:
    """Yield all edits as one movement, since the sale shows them together, then every other movement."""
    edits = [one for one in moved if one.is_edit]
    if amount := sum(one.amount_minor for one in edits):
        yield replace(edits[-1], amount_minor=amount)
    yield from (one for one in moved if not one.is_edit and one.amount_minor)


def _correction(order: InvoicedOrder, difference: int, moved: _Movement | None) -> Issue:
    kind = InvoiceKind.INVOICE if difference > 0 else InvoiceKind.CREDIT_NOTE
    if moved is None:
        return Issue(kind, False, abs(difference))
    lines = moved.lines if kind is InvoiceKind.CREDIT_NOTE else ()
    return Issue(kind, False, abs(difference), _reason(order, moved.entry), lines, moved.withdrawn)


def _reason(order: InvoicedOrder, entry: Entry) -> str:
    if entry.note:
        return entry.note
    if entry.provider == ORDER:
        cause = entry.reference if entry.reference in tuple(ChangeCause) else ChangeCause.EDITED.value
        if cause == ChangeCause.CANCELLED and owed_minor(order.account) > 0:
            cause = "cancelled_in_part"
        return text(f"reason_{cause if cause != ChangeCause.DELETED else 'cancelled'}", order.sale.locale)
    is_refund = entry.provider != MANUAL or _refund_of(order, entry) is not None
    return text("reason_refund" if is_refund else "reason_credit", order.sale.locale)


def _lines(order: InvoicedOrder, entry: Entry) -> tuple[LineUnits, ...]:
    if entry.provider == ORDER:
        return tuple(LineUnits.model_validate(one) for one in order.cancelled.get(entry.object_id, ()))
    refund = _refund_of(order, entry)
    if refund is not None and refund.part_of:
        refund = order.account.refunds.requested.get(refund.part_of, refund)
    return tuple(refund.lines) if refund is not None else ()


def _refund_of(order: InvoicedOrder, entry: Entry) -> RequestedRefund | None:
    return next(
        (one for one in order.account.refunds.requested.values() if str(one.id) == entry.object_id), None
    )
