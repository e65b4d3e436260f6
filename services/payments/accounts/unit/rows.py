"""Accounts, ledger entries and attempts as rows of their tables. Pure."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Integer
from services.payments.accounts import chain
from services.payments.accounts.account import Account
from services.payments.accounts.attempts import Attempt
from services.payments.accounts.ledger import Entry, entry_id


class PositionRow(NamedTuple):
    """The columns that new and existing accounts have in common. Flags are joined by commas."""

    shop: str
    order_id: UUID
    version: int
    sequence: int
    due: int
    credited: int
    received: int
    by_hand: int
    refunded: int
    marked: int
    disputed: int
    authorised: int
    balance: int
    attempt: str
    flags: str


class NewAccountRow(NamedTuple):
    shop: str
    order_id: UUID
    version: int
    sequence: int
    due: int
    credited: int
    received: int
    by_hand: int
    refunded: int
    marked: int
    disputed: int
    authorised: int
    balance: int
    attempt: str
    flags: str
    code: str
    currency: str
    method: str
    opened_at: datetime
    remarks: Integer
    dispute_facts: Integer
    version_floor: int


class ChangedAccountRow(NamedTuple):
    shop: str
    order_id: UUID
    version: int
    sequence: int
    due: int
    credited: int
    received: int
    by_hand: int
    refunded: int
    marked: int
    disputed: int
    authorised: int
    balance: int
    attempt: str
    flags: str
    refund_facts: Integer
    remarks: Integer
    dispute_facts: Integer


def new_account_row(account: Account) -> NewAccountRow:
    return NewAccountRow(
        *_position_row(account),
        code=account.code,
        currency=account.currency,
        method=account.method,
        opened_at=account.opened_at,
        remarks=len(account.remarks) + account.disputes.former,
        dispute_facts=account.disputes.facts,
        version_floor=account.version_floor,
    )


def changed_account_row(account: Account) -> ChangedAccountRow:
    return ChangedAccountRow(
        *_position_row(account),
        refund_facts=account.refunds.facts,
        remarks=len(account.remarks) + account.disputes.former,
        dispute_facts=account.disputes.facts,
    )


def _position_row(account: Account) -> PositionRow:
    position = account.position
    return PositionRow(
        shop=account.shop,
        order_id=account.id,
        version=position.version,
        sequence=account.sequence,
        due=position.due_minor,
        credited=position.credited_minor,
        received=position.received_minor,
        by_hand=position.received_by_hand_minor,
        refunded=position.refunded_minor,
        marked=position.marked_minor,
        disputed=position.disputed_minor,
        authorised=position.authorised_minor,
        balance=position.balance_minor,
        attempt=position.attempt,
        flags=",".join(position.flags),
    )


class EntryRow(NamedTuple):
    id: UUID
    shop: str
    order_id: UUID
    number: Integer
    kind: str
    amount_minor: int
    currency: str
    provider: str
    object_id: str
    step: Integer
    method: str | None
    source: str
    caused_by: UUID
    occurred_at: datetime
    received_on: date | None
    clearing_on: date | None
    reference: str | None
    note: str | None
    actor: str
    payment: str | None
    recorded_at: datetime
    hash: bytes


def entry_rows(account: Account, now: datetime) -> list[EntryRow]:
    """Return the rows of an account's new entries, recorded now, each chained to the one before."""
    rows, head = [], account.head
    for number, entry in account.new_entries:
        row = _entry_row(account, number, entry, now)
        head = chain.link(head, row._asdict())
        rows.append(row._replace(hash=head))
    return rows


def _entry_row(account: Account, number: int, entry: Entry, now: datetime) -> EntryRow:
    """Return the row of an account's entry without its hash; `number` counts within the account."""
    return EntryRow(
        id=entry_id(account.shop, entry),
        shop=account.shop,
        order_id=account.id,
        number=number,
        kind=entry.kind,
        amount_minor=entry.amount_minor,
        currency=account.currency,
        provider=entry.provider,
        object_id=entry.object_id,
        step=entry.step,
        method=entry.method,
        source=entry.source,
        caused_by=entry.caused_by,
        occurred_at=entry.occurred_at,
        received_on=entry.received_on,
        clearing_on=entry.clearing_on,
        reference=entry.reference,
        note=entry.note,
        actor=entry.actor,
        payment=entry.payment,
        recorded_at=now,
        hash=chain.FIRST,
    )


class AttemptRow(NamedTuple):
    shop: str
    order_id: UUID
    provider: str
    object_id: str
    state: str
    occurred_at: datetime
    started_at: datetime


def attempt_row(account: Account, fact: Attempt) -> AttemptRow:
    return AttemptRow(
        shop=account.shop,
        order_id=account.id,
        provider=fact.provider,
        object_id=fact.object_id,
        state=fact.state,
        occurred_at=fact.occurred_at,
        started_at=fact.started_at,
    )
