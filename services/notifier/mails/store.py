"""All SQL of the notifier: every row is written once and never changed, except by an order's edits and
deletion.

Of edits of the recipient the highest revision counts; deletion removes the customer's data.

The outcome of a mail is not a column: it is the state of the chassis' effect of the same key, read through
the view `mail_with_state`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.notifier.mails.listing import Query
from services.notifier.mails.mail import Cause, Mail, Recipient, Template

OrderKey = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class ListedMail:
    """A mail with its outcome: the state of its effect."""

    mail: Mail
    state: str | None
    attempts: int | None
    next_at: datetime | None
    detail: str | None


class RecipientRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str
    name: str
    email: str
    locale: str
    thread_mail_id: UUID
    placed: Json


_INSERT_ADDRESSEES = Bulk(
    RecipientRow,
    """INSERT INTO addressee ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_addressees(connection: Writer, addressees: Sequence[Recipient]) -> None:
    """Write orders' recipients; an existing one stays unchanged."""
    rows = sorted(addressees, key=lambda a: (a.shop, a.order_id))
    await _INSERT_ADDRESSEES.execute(
        connection,
        [
            RecipientRow(
                shop=a.shop,
                order_id=a.order_id,
                code=a.code,
                name=a.name,
                email=a.email,
                locale=a.locale,
                thread_mail_id=a.thread_mail_id,
                placed=json.dumps(a.placed, ensure_ascii=False),
            )
            for a in rows
        ],
    )


class CorrectionRow(NamedTuple):
    shop: str
    order_id: UUID
    name: str
    email: str
    revision: Integer
    edited: Json


_CORRECT_ADDRESSEES = Bulk(
    CorrectionRow,
    """UPDATE addressee AS a SET name = n.name, email = n.email, revision = n.revision, edited = n.edited
       FROM {rows} AS n ({columns})
       WHERE a.shop = n.shop AND a.order_id = n.order_id AND a.revision < n.revision AND a.deleted_at IS NULL""",
)


async def correct_addressees(connection: Writer, addressees: Sequence[Recipient]) -> None:
    """Write edits of these recipients, unless a later edit was written already."""
    rows = sorted(addressees, key=lambda a: (a.shop, a.order_id))
    await _CORRECT_ADDRESSEES.execute(
        connection,
        [
            CorrectionRow(
                shop=a.shop,
                order_id=a.order_id,
                name=a.name,
                email=a.email,
                revision=a.revision,
                edited=json.dumps(a.edited, ensure_ascii=False),
            )
            for a in rows
        ],
    )


_READ_ADDRESSEES = Bulk(
    tuple[str, UUID],
    """SELECT shop, order_id, code, name, email, locale, thread_mail_id, placed, revision, edited, deleted_at
       FROM addressee
       JOIN {rows} AS wanted (shop, order_id) USING (shop, order_id)""",
)


async def read_addressees(connection: Connection, keys: Sequence[OrderKey]) -> list[Recipient]:
    """Return the recipients of these orders that exist, unordered."""
    rows = await _READ_ADDRESSEES.fetch(connection, keys)
    return [_addressee(row) for row in rows]


class DeletionRow(NamedTuple):
    shop: str
    order_id: UUID
    deleted_at: datetime


_DISCARD_PLANNED = Bulk(
    tuple[str, UUID],
    """UPDATE msg.effect AS e SET state = 'discarded', detail = 'the order was deleted', updated_at = {now}
       FROM mail JOIN {rows} AS gone (shop, order_id) USING (shop, order_id)
       WHERE e.key = mail.id::text AND e.kind = 'mail' AND e.state IN ('planned', 'failed')""",
)
_CLEAR_RESENDS = Bulk(
    tuple[str, UUID],
    """UPDATE resend SET recipient = NULL FROM mail JOIN {rows} AS gone (shop, order_id) USING (shop, order_id)
       WHERE resend.mail_id = mail.id""",
)
_CLEAR_MAILS = Bulk(
    tuple[str, UUID],
    """UPDATE mail SET recipient = '', context = CASE WHEN context ? 'shipment_id'
           THEN jsonb_build_object('shipment_id', context->'shipment_id') ELSE '{}' END
       FROM {rows} AS gone (shop, order_id)
       WHERE (mail.shop, mail.order_id) = (gone.shop, gone.order_id)""",
)
_CLEAR_ADDRESSEES = Bulk(
    DeletionRow,
    """UPDATE addressee AS a SET name = '', email = '', placed = '{}', edited = NULL, deleted_at = gone.deleted_at
       FROM {rows} AS gone ({columns})
       WHERE (a.shop, a.order_id) = (gone.shop, gone.order_id)""",
)


async def forget_orders(connection: Connection, deleted: Mapping[OrderKey, datetime], now: datetime) -> None:
    """Remove the customers' data of deleted orders, and set aside their unsent mails."""
    keys = sorted(deleted)
    await _DISCARD_PLANNED.execute(connection, keys, now=now)
    await _CLEAR_RESENDS.execute(connection, keys)
    await _CLEAR_MAILS.execute(connection, keys)
    rows = [DeletionRow(shop, order_id, deleted[shop, order_id]) for shop, order_id in keys]
    await _CLEAR_ADDRESSEES.execute(connection, rows)


class MailRow(NamedTuple):
    id: UUID
    shop: str
    order_id: UUID
    code: str
    cause_id: UUID
    template: Template
    recipient: str
    locale: str
    message_id: str
    context: Json
    created_at: datetime


_INSERT_MAILS = Bulk(
    MailRow,
    """INSERT INTO mail ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_mails(connection: Writer, mails: Sequence[Mail]) -> None:
    """Write mails; an existing one stays unchanged."""
    rows = sorted(mails, key=lambda mail: mail.id)
    await _INSERT_MAILS.execute(
        connection,
        [
            MailRow(
                id=m.id,
                shop=m.shop,
                order_id=m.order_id,
                code=m.code,
                cause_id=m.cause_id,
                template=m.template,
                recipient=m.recipient,
                locale=m.locale,
                message_id=m.message_id,
                context=json.dumps(m.context, ensure_ascii=False),
                created_at=m.created_at,
            )
            for m in rows
        ],
    )


async def read_mails(connection: Connection, ids: Sequence[UUID]) -> list[Mail]:
    """Return these mails, as far as they exist, unordered."""
    rows = await connection.fetch(
        """SELECT mail.*, resend.command_id, resend.command_type, resend.recipient AS resent_to FROM mail
           LEFT JOIN resend ON resend.mail_id = mail.id WHERE mail.id = ANY($1::uuid[])""",
        ids,
    )
    return [_mail(row) for row in rows]


async def read_written(connection: Connection, causes: Sequence[UUID]) -> set[tuple[str, UUID, Template]]:
    """Return which mails these events have caused: shop, event and template."""
    rows = await connection.fetch(
        "SELECT shop, cause_id, template FROM mail WHERE cause_id = ANY($1::uuid[])", causes
    )
    return {(row["shop"], row["cause_id"], Template(row["template"])) for row in rows}


async def note_resend(
    connection: Connection,
    identifier: UUID,
    recipient: str,
    command_id: UUID | None,
    command_type: str | None,
) -> None:
    """Write to which address a mail is sent again, and which command requested it, or that none did."""
    await connection.execute(
        """INSERT INTO resend (mail_id, command_id, command_type, recipient) VALUES ($1, $2, $3, $4)
           ON CONFLICT (mail_id) DO UPDATE
           SET command_id = excluded.command_id, command_type = excluded.command_type,
               recipient = excluded.recipient, times = resend.times + 1""",
        identifier,
        command_id,
        command_type,
        recipient,
    )


async def list_mails(connection: Connection, query: Query) -> list[ListedMail]:
    """Return the mails of a query, the latest first. Text is an order's code or the beginning of an address."""
    conditions, arguments = _conditions(query)
    sql = f"""SELECT * FROM mail_with_state WHERE {" AND ".join(conditions)}
              ORDER BY created_at DESC, id DESC LIMIT {query.limit}"""  # noqa: S608 - fragments of this module only
    return [_listed(row) for row in await connection.fetch(sql, *arguments)]


async def read_listed(connection: Connection, identifier: UUID) -> ListedMail | None:
    """Return a mail with its outcome."""
    row = await connection.fetchrow("SELECT * FROM mail_with_state WHERE id = $1", identifier)
    return _listed(row) if row else None


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    conditions, arguments = ["true"], list[Any]()
    for fragment, value in (
        ("state = {}", query.state),
        ("template = {}", query.template),
        ("shop = {}", query.shop),
        ("order_id = {}", query.order_id),
        ("id = ANY({})", query.ids),
        ("created_at <= {}", query.before[0] if query.before else None),
        ("(created_at, id) < ({}, {})", query.before),
        ("(code = upper({}) OR lower(recipient) LIKE {} || '%')", _sought(query.text)),
    ):
        if value is not None:
            values = value if isinstance(value, tuple) else (value,)
            places = [f"${len(arguments) + number}" for number in range(1, len(values) + 1)]
            conditions.append(fragment.format(*places))
            arguments += values
    return conditions, arguments


def _sought(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    return text, text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _addressee(row: asyncpg.Record) -> Recipient:
    values: dict[str, Any] = dict(row)
    edited = json.loads(values["edited"]) if values["edited"] else None
    return Recipient(**{**values, "placed": json.loads(values["placed"]), "edited": edited})


def _mail(row: asyncpg.Record) -> Mail:
    return Mail(
        id=row["id"],
        shop=row["shop"],
        order_id=row["order_id"],
        code=row["code"],
        cause_id=row["cause_id"],
        template=Template(row["template"]),
        recipient=row["resent_to"] or row["recipient"],
        locale=row["locale"],
        message_id=row["message_id"],
        context=json.loads(row["context"]),
        created_at=row["created_at"],
        resent_by=Cause(row["command_id"], row["command_type"]) if row.get("command_id") else None,
    )


def _listed(row: asyncpg.Record) -> ListedMail:
    return ListedMail(_mail(row), row["state"], row["attempts"], row["next_at"], row["detail"])
