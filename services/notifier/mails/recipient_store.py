"""SQL of orders' recipients (table `addressee`). Of edits of a recipient the highest revision counts."""

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.notifier.mails.mail import Recipient

OrderKey = tuple[str, UUID]


class RecipientRow(NamedTuple):
    shop: str
    order_id: UUID
    code: str
    name: str
    email: str
    locale: str
    thread_mail_id: UUID
    placed: Json


_INSERT_RECIPIENTS = Bulk(
    RecipientRow,
    """INSERT INTO addressee ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert_recipients(connection: Writer, recipients: Sequence[Recipient]) -> None:
    """Write orders' recipients; an existing one stays unchanged."""
    rows = sorted(recipients, key=lambda a: (a.shop, a.order_id))
    await _INSERT_RECIPIENTS.execute(
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


async def lock_deleted(connection: Connection, keys: Collection[OrderKey]) -> set[OrderKey]:
    """Return which of these orders were deleted. Until the transaction ends no other of them is."""
    rows = await connection.fetch(
        """SELECT a.shop, a.order_id, a.deleted_at IS NOT NULL AS is_deleted
           FROM unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
           JOIN addressee a ON (a.shop, a.order_id) = (k.shop, k.order_id)
           ORDER BY a.shop, a.order_id FOR SHARE OF a""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )
    return {(row["shop"], row["order_id"]) for row in rows if row["is_deleted"]}


class CorrectionRow(NamedTuple):
    shop: str
    order_id: UUID
    name: str
    email: str
    revision: Integer
    edited: Json


_CORRECT_RECIPIENTS = Bulk(
    CorrectionRow,
    """UPDATE addressee AS a SET name = n.name, email = n.email, revision = n.revision, edited = n.edited
       FROM {rows} AS n ({columns})
       WHERE a.shop = n.shop AND a.order_id = n.order_id AND a.revision < n.revision AND a.deleted_at IS NULL""",
)


async def correct_recipients(connection: Writer, recipients: Sequence[Recipient]) -> None:
    """Write edits of these recipients, unless a later edit was written already."""
    rows = sorted(recipients, key=lambda a: (a.shop, a.order_id))
    await _CORRECT_RECIPIENTS.execute(
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


_READ_RECIPIENTS = Bulk(
    tuple[str, UUID],
    """SELECT shop, order_id, code, name, email, locale, thread_mail_id, placed, revision, edited, deleted_at
       FROM addressee
       JOIN {rows} AS wanted (shop, order_id) USING (shop, order_id)""",
)


async def read_recipients(connection: Connection, keys: Sequence[OrderKey]) -> list[Recipient]:
    """Return the recipients of these orders that exist, unordered."""
    rows = await _READ_RECIPIENTS.fetch(connection, keys)
    return [_recipient(row) for row in rows]


def _recipient(row: asyncpg.Record) -> Recipient:
    values: dict[str, Any] = dict(row)
    edited = json.loads(values["edited"]) if values["edited"] else None
    return Recipient(**{**values, "placed": json.loads(values["placed"]), "edited": edited})
