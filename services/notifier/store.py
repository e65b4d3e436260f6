"""All SQL of the notifier. Every row is written once and never changed, so nothing here locks anything.

What became of a mail is not a column: it is the state of the chassis' effect of the same key, read through the view
`mail_with_state`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.chassis.database import Connection
from services.notifier.mail import Addressee, Mail, Template

OrderKey = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class ListedMail:
    """A mail with what became of it: the state of its effect."""

    mail: Mail
    state: str | None
    attempts: int | None
    next_at: datetime | None
    detail: str | None


async def insert_addressees(connection: Connection, addressees: Sequence[Addressee]) -> None:
    """Keep orders' addressees; one that is there already stays as it is."""
    rows = sorted(addressees, key=lambda a: (a.shop, a.order_id))
    await connection.execute(
        """INSERT INTO addressee (shop, order_id, code, name, email, locale, thread_mail_id, placed)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[],
                                $8::jsonb[])
           ON CONFLICT DO NOTHING""",
        [a.shop for a in rows],
        [a.order_id for a in rows],
        [a.code for a in rows],
        [a.name for a in rows],
        [a.email for a in rows],
        [a.locale for a in rows],
        [a.thread_mail_id for a in rows],
        [json.dumps(a.placed, ensure_ascii=False) for a in rows],
    )


async def read_addressees(connection: Connection, keys: Sequence[OrderKey]) -> list[Addressee]:
    """The addressees of these orders that are known, in no sequence."""
    rows = await connection.fetch(
        """SELECT shop, order_id, code, name, email, locale, thread_mail_id, placed FROM addressee
           JOIN unnest($1::text[], $2::uuid[]) AS wanted (shop, order_id) USING (shop, order_id)""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )
    return [_addressee(row) for row in rows]


async def insert_mails(connection: Connection, mails: Sequence[Mail]) -> None:
    """Keep mails; the same one again is left as it is."""
    rows = sorted(mails, key=lambda mail: mail.id)
    await connection.execute(
        """INSERT INTO mail (id, shop, order_id, code, cause_id, template, recipient, locale, message_id, context,
                             created_at)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                                $8::text[], $9::text[], $10::jsonb[], $11::timestamptz[])
           ON CONFLICT DO NOTHING""",
        [m.id for m in rows],
        [m.shop for m in rows],
        [m.order_id for m in rows],
        [m.code for m in rows],
        [m.cause_id for m in rows],
        [m.template.value for m in rows],
        [m.recipient for m in rows],
        [m.locale for m in rows],
        [m.message_id for m in rows],
        [json.dumps(m.context, ensure_ascii=False) for m in rows],
        [m.created_at for m in rows],
    )


async def read_mails(connection: Connection, ids: Sequence[UUID]) -> list[Mail]:
    """These mails, as far as they exist, in no sequence."""
    return [
        _mail(row) for row in await connection.fetch("SELECT * FROM mail WHERE id = ANY($1::uuid[])", ids)
    ]


async def list_mails(
    connection: Connection, state: str | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[ListedMail]:
    """Mails in a state (or in any), the latest first; `before` is creation time and id of the last one seen."""
    rows = await connection.fetch(
        """SELECT * FROM mail_with_state
           WHERE ($1::text IS NULL OR state = $1) AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
           ORDER BY created_at DESC, id DESC LIMIT $4""",
        state,
        before[0] if before else None,
        before[1] if before else None,
        limit,
    )
    return [_listed(row) for row in rows]


def _addressee(row: asyncpg.Record) -> Addressee:
    values: dict[str, Any] = dict(row)
    return Addressee(**{**values, "placed": json.loads(values["placed"])})


def _mail(row: asyncpg.Record) -> Mail:
    return Mail(
        id=row["id"],
        shop=row["shop"],
        order_id=row["order_id"],
        code=row["code"],
        cause_id=row["cause_id"],
        template=Template(row["template"]),
        recipient=row["recipient"],
        locale=row["locale"],
        message_id=row["message_id"],
        context=json.loads(row["context"]),
        created_at=row["created_at"],
    )


def _listed(row: asyncpg.Record) -> ListedMail:
    return ListedMail(_mail(row), row["state"], row["attempts"], row["next_at"], row["detail"])
