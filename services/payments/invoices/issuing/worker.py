"""The worker that issues documents: what is owed by the ledger is turned into invoices and credit notes.

Everything of an issue is one transaction: the numbers are taken from locked series, the frozen contents are
stored, the events are queued, the PDFs are planned. A crash before its commit leaves the series as they were; one
after it leaves documents whose PDFs another process makes. An order that fails by itself is set aside with the reason
and the others go on.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from contracts.envelope import Envelope, uuid7
from contracts.message import Reason
from contracts.payments.invoices import InvoiceKind
from contracts.service import CommandDone
from services.chassis.background.workers import Worker
from services.chassis.errors import describe, places
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import is_conflict, is_outage, is_unique_violation
from services.payments.accounts.account import Account
from services.payments.accounts.unit import store as account_store
from services.payments.accounts.unit.invoicing_store import Invoicing, share_invoicing
from services.payments.accounts.unit.sale_changes import cause_of, rejection
from services.payments.invoices import store
from services.payments.invoices.composing import Heading, correction, invoice
from services.payments.invoices.correction_items import Correction
from services.payments.invoices.document import Content, canonical, digest, read
from services.payments.invoices.documents_due import InvoicedOrder, Issue, issues_of
from services.payments.invoices.issuing.ready_shops import ReadyShops
from services.payments.invoices.mentions import may_issue
from services.payments.invoices.numbering import Series, issue_day, written
from services.payments.invoices.publishing import event_of
from services.payments.invoices.sale import Sale, SaleEdit, edited

log = structlog.get_logger()
WORKER = "invoicing"
IDLE_SECONDS = 0.5
PDF_EFFECT = "invoice_pdf"
"""The kind of effect that makes a document's PDF; its key is the document's id."""
BATCH = 100


@dataclass(slots=True)
class _Planned:
    """A document about to be issued, in its series."""

    order: InvoicedOrder
    invoicing: Invoicing
    issue: Issue
    series: Series


def invoicing_worker() -> Worker:
    """Return the worker of one process."""
    return Worker(WORKER, partial(issue_documents, shops=ReadyShops()), IDLE_SECONDS)


async def issue_documents(process: Process, shops: ReadyShops) -> bool:
    """Issue the documents that are due; return True when there may be more to do immediately."""
    await shops.announce(process)
    async with process.acquire() as connection:
        ready = await shops.among(connection, await store.find_due_shops(connection))
        due = await store.find_due(connection, BATCH, ready)
    if not due:
        return False
    try:
        async with process.unit() as unit:
            await _issue(unit, due)
    except Exception as error:
        if is_outage(error):
            raise
        log.error("invoice batch failed; retrying one by one", orders=len(due), error=describe(error))
        for key in due:
            await _issue_one(process, key)
    return len(due) == BATCH


async def _issue_one(process: Process, key: store.Key) -> None:
    """Issue the documents of one order by itself, or set its sale aside with the reason. After a lock or a time-out
    it stays for another attempt.
    """
    try:
        async with process.unit() as unit:
            await _issue(unit, [key])
    except Exception as error:
        if is_outage(error):
            raise
        if is_conflict(error) and not is_unique_violation(error):
            return
        failure = describe(error)
        log.error("invoice not issued; set aside", order_id=str(key[1]), error=failure, places=places(error))
        async with process.unit() as unit:
            row = await store.set_aside(unit.connection, key, failure, unit.now)
            if row is not None and row["wish"]:
                text = f"the invoice can't be issued: {failure}"[:1000]
                answer, cause = rejection(*key, row["wish"], Reason(code="invoice_failed", message=text))
                unit.emit(answer, cause=cause)


async def _issue(unit: Unit, due: Sequence[store.Key]) -> None:
    connection = unit.connection
    accounts = await account_store.lock_accounts(connection, due)
    by_key = {(one.shop, one.id): one for one in accounts}
    shops = await share_invoicing(connection, sorted({shop for shop, _ in due}))
    ready = {shop for shop, one in shops.items() if may_issue(one.settings)}
    rows = await store.lock_due(connection, [key for key in due if key[0] in ready])
    orders = await _invoiced_orders(connection, rows, by_key)
    planned = [
        _Planned(order, shops[order.sale.shop], issue, _series(unit, order, shops[order.sale.shop], issue))
        for order in orders
        for issue in issues_of(order, shops[order.sale.shop])
    ]
    documents = await _compose(unit, planned)
    await store.insert(unit.writes, [_row(one, place, unit) for _, one, place in documents])
    for plan, content, _ in documents:
        _announce(unit, plan, content)
    invoiced = {one.order_id for _, one, _ in documents if one.kind is InvoiceKind.INVOICE}
    _answer_needless(unit, orders, invoiced)
    accounts_by_id = {plan.order.account.id: plan.order.account for plan, _, _ in documents}
    await account_store.update_accounts(unit.writes, [accounts_by_id[key] for key in sorted(accounts_by_id)])
    issued = {one.order_id for _, one, _ in documents}
    await store.settle(unit.writes, [_seen(one, issued) for one in orders])


def _seen(order: InvoicedOrder, issued: set[UUID]) -> store.SeenRow:
    """Return how many ledger entries the documents account for; the first one accounts for all before it."""
    has_documents = bool(order.documents) or order.account.id in issued
    return store.SeenRow(
        order.sale.shop, order.account.id, len(order.account.entries) if has_documents else None
    )


async def _invoiced_orders(
    connection: Any, rows: Sequence[Any], accounts: dict[store.Key, Account]
) -> list[InvoicedOrder]:
    found: dict[store.Key, list[Content]] = defaultdict(list)
    keys = [(row["shop"], row["order_id"]) for row in rows]
    for row in await store.read_of_orders(connection, keys):
        found[row["shop"], row["order_id"]].append(read(row["content"]))
    return [
        InvoicedOrder(
            accounts[key],
            _sale(row),
            found[key],
            row["entries_seen"],
            json.loads(row["cancelled"]),
            json.loads(row["wish"]) if row["wish"] else None,
        )
        for key, row in zip(keys, rows, strict=True)
    ]


def _sale(row: Any) -> Sale:
    sale = Sale.model_validate_json(row["content"])
    return edited(sale, SaleEdit.model_validate_json(row["edit"])) if row["edit"] else sale


def _series(unit: Unit, order: InvoicedOrder, invoicing: Invoicing, issue: Issue) -> Series:
    return Series(order.sale.shop, issue.kind, issue_day(unit.now, invoicing.settings).year)


async def _compose(
    unit: Unit, planned: Sequence[_Planned]
) -> list[tuple[_Planned, Content, tuple[Series, int]]]:
    """Return the documents with their numbers; the earlier ones of an order count for its later ones."""
    numbers = await _numbers(unit, planned)
    before: dict[UUID, list[Content]] = {}
    found = []
    for plan, (position, day) in zip(planned, numbers, strict=True):
        documents = before.setdefault(plan.order.account.id, list(plan.order.documents))
        content = _content(plan, documents, position, day)
        documents.append(content)
        found.append((plan, content, (plan.series, position)))
    return found


async def _numbers(unit: Unit, planned: Sequence[_Planned]) -> list[tuple[int, date]]:
    """Take a range of numbers per series with one statement each, in sorted order; return each document's."""
    counts: dict[Series, int] = defaultdict(int)
    days: dict[Series, date] = {}
    for plan in planned:
        counts[plan.series] += 1
        days[plan.series] = issue_day(unit.now, plan.invoicing.settings)
    taken: dict[Series, Iterator[tuple[int, date]]] = {}
    for series in sorted(counts):
        first, day = await store.allocate(unit.connection, series, counts[series], days[series])
        taken[series] = iter([(first + n, day) for n in range(counts[series])])
    return [next(taken[plan.series]) for plan in planned]


def _content(plan: _Planned, before: Sequence[Content], position: int, day: date) -> Content:
    settings, issue, order = plan.invoicing.settings, plan.issue, plan.order
    heading = Heading(uuid7(), written(plan.series, position, settings), day, plan.invoicing.logo)
    if issue.is_sale:
        money = order.account.position
        paid = money.received_minor - money.refunded_minor + issue.credited_minor
        return invoice(heading, order.sale, settings, max(0, min(paid, issue.amount_minor)))
    base = next(one for one in reversed(before) if one.kind is InvoiceKind.INVOICE and not one.corrects)
    what = Correction(
        issue.kind,
        base.number,
        base.issued_on,
        issue.amount_minor,
        issue.reason,
        issue.lines,
        issue.withdrawn,
    )
    return correction(heading, order.sale, settings, before, what)


def _row(content: Content, place: tuple[Series, int], unit: Unit) -> store.DocumentRow:
    text = canonical(content)
    return store.DocumentRow(
        id=content.id,
        shop=place[0].shop,
        order_id=content.order_id,
        kind=content.kind.value,
        year=place[0].year,
        position=place[1],
        number=content.number,
        corrects=content.corrects,
        issued_on=content.issued_on,
        issued_at=unit.now,
        currency=content.currency,
        net_minor=content.net_minor,
        tax_minor=content.tax_minor,
        total_minor=content.total_minor,
        content=text,
        digest=digest(text),
    )


def _announce(unit: Unit, plan: _Planned, content: Content) -> None:
    """Publish a document, as the outcome of the command that asked for it if one did, and plan its PDF."""
    account, mails = plan.order.account, plan.invoicing.settings.mails_customer
    message = event_of(account.shop, content, unit.now, mails_customer=mails)
    unit.emit(message, about=account, cause=_cause(plan.order.wish))
    unit.plan(PDF_EFFECT, str(content.id), {"shop": account.shop}, changes_outside=False)


def _answer_needless(unit: Unit, orders: Sequence[InvoicedOrder], invoiced: set[UUID]) -> None:
    """Answer the commands for which no invoice had to be issued."""
    for order in orders:
        if order.wish is not None and order.account.id not in invoiced:
            cause = cause_of(order.wish)
            done = CommandDone(
                shop=order.sale.shop,
                order_id=order.account.id,
                command_id=cause.id,
                command_type=cause.type,
            )
            unit.emit(done, cause=cause)


def _cause(wish: dict[str, Any] | None) -> Envelope | None:
    return cause_of(wish) if wish is not None else None
