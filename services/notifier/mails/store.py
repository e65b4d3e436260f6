"""SQL of mails (tables `mail` and `resend`): every mail is written once and never changed, except by its order's
deletion.

The outcome of a mail is not a column: it is the state of the chassis' effect of the same key, read through
the view `mail_with_state`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.notifier.mails.listing import ENDS, STATES, Query
from services.notifier.mails.mail import Cause, Mail, Template


@dataclass(frozen=True, slots=True)
class ListedMail:
    """A mail with its outcome: the state of its effect."""

    mail: Mail
    state: str | None
    attempts: int | None
    next_at: datetime | None
    detail: str | None
    kind: str | None = None
    status: str | None = None
    ended_at: datetime | None = None
    diagnostic: str | None = None


class MailRow(NamedTuple):
    id: UUID
    shop: str
    order_id: UUID | None
    code: str
    cause_id: UUID
    template: Template
    recipient: str
    locale: str
    message_id: str
    context: Json
    created_at: datetime
    versions: Json


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
                versions=json.dumps(m.versions),
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
    """Write to which address a mail is sent again, and which command requested it, or that none did. That it came
    back, or was held, is over.
    """
    await connection.execute("DELETE FROM mail_end WHERE mail_id = $1", identifier)
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
    sql, arguments = mails_sql(query)
    return [_listed(row) for row in await connection.fetch(sql, *arguments)]


def mails_sql(query: Query) -> tuple[str, list[Any]]:
    """Return the SQL that lists these mails, and its arguments."""
    conditions, arguments = _conditions(query)
    sql = f"""SELECT * FROM mail_with_state WHERE {" AND ".join(conditions)}
              ORDER BY created_at DESC, id DESC LIMIT {query.limit}"""  # noqa: S608 - fragments of this module only
    return sql, arguments


async def read_listed(connection: Connection, identifier: UUID) -> ListedMail | None:
    """Return a mail with its outcome."""
    row = await connection.fetchrow("SELECT * FROM mail_with_state WHERE id = $1", identifier)
    return _listed(row) if row else None


_OF_EFFECT = """(end_state IS NULL AND id IN (
    SELECT key::uuid FROM msg.effect WHERE kind = 'mail' AND state = '{}'))"""
_OF_STATE = {
    "done": f"state NOT IN ({', '.join(repr(state) for state in STATES if state != 'done')})",
    **{state: _OF_EFFECT.format(state) for state in STATES if state != "done" and state not in ENDS},
    **{state: f"end_state = '{state}'" for state in ENDS},
}
"""Constants, no parameters: how many mails a state has decides whether they are found by it, or the latest ones are
looked through. Nearly all are done; the others are found from their effects, which have indexes.
"""
_OF_TEMPLATE = {template: f"template = '{template.value}'" for template in Template}


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    conditions, arguments = ["true"], list[Any]()
    if query.state is not None:
        conditions.append(_OF_STATE[query.state])
    if query.template is not None:
        conditions.append(_OF_TEMPLATE[Template(query.template)])
    for fragment, value in (
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
        versions=json.loads(row.get("versions") or "{}"),
    )


def _listed(row: asyncpg.Record) -> ListedMail:
    return ListedMail(
        _mail(row),
        row["state"],
        row["attempts"],
        row["next_at"],
        row["detail"],
        kind=row["end_kind"],
        status=row["end_status"],
        ended_at=row["end_at"],
        diagnostic=row["end_diagnostic"],
    )
