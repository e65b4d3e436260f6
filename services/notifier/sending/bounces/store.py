"""All SQL of bounces and suppressions: bounce addresses, facts, ends of mails, suppressed addresses, alarms.

Facts are written once. A mail's end exists while the mail is not sent again; its writer has locked the mail's
effect, so that a report and the recording of the mail's outcome never pass each other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from services.chassis.storage.bulk import Bulk
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Reader


class HandOverRow(NamedTuple):
    """A mail about to be handed over; `address` is its recipient in comparable form."""

    token_hash: bytes | None
    mail_id: UUID
    shop: str
    recipient: str
    address: str
    is_optional: bool


_PREPARE = Bulk(
    HandOverRow,
    """WITH wanted AS (SELECT * FROM {rows} AS w ({columns})),
           held AS (SELECT w.mail_id, min(s.kind) AS kind FROM wanted w
                    JOIN suppression s ON s.shop = w.shop AND s.lifted_at IS NULL
                        AND s.address IN (w.address, hidden_address(w.shop, w.address))
                    WHERE coalesce(s.until > now(), true) AND (s.kind <> 'complaint' OR w.is_optional)
                    GROUP BY w.mail_id),
           written AS (INSERT INTO bounce_address (token_hash, mail_id, recipient)
                       SELECT token_hash, mail_id, recipient FROM wanted
                       WHERE token_hash IS NOT NULL AND mail_id NOT IN (SELECT mail_id FROM held)
                       ON CONFLICT DO NOTHING)
       SELECT mail_id, kind FROM held""",
)


async def prepare(connection: Reader, rows: Sequence[HandOverRow]) -> dict[UUID, str]:
    """Write the bounce addresses of these mails. Return those whose recipient is suppressed, and why."""
    return {row["mail_id"]: row["kind"] for row in await _PREPARE.fetch(connection, rows)}


class AddressRow(NamedTuple):
    token_hash: bytes
    mail_id: UUID
    recipient: str
    is_latest: bool


async def read_address(connection: Connection, token_hash: bytes) -> AddressRow | None:
    """Return mail and recipient of a token, and whether the mail was not handed over again since."""
    row = await connection.fetchrow(
        """SELECT token_hash, mail_id, recipient, NOT EXISTS (
                      SELECT FROM bounce_address later
                      WHERE later.mail_id = b.mail_id AND later.created_at > b.created_at) AS is_latest
           FROM bounce_address b WHERE token_hash = $1""",
        token_hash,
    )
    return AddressRow(*row) if row else None


class BounceRow(NamedTuple):
    id: UUID
    shop: str
    mail_id: UUID
    address: str
    kind: str
    action: str
    status: str | None
    diagnostic: str
    reporting_mta: str | None
    inbound_id: UUID | None
    at: datetime


_INSERT_BOUNCES = Bulk(
    BounceRow,
    """INSERT INTO bounce ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING RETURNING id""",
)


async def insert_bounce(connection: Connection, row: BounceRow) -> bool:
    """Write a fact. Return False if it was known."""
    return bool(await _INSERT_BOUNCES.fetch(connection, [row]))


class EndRow(NamedTuple):
    mail_id: UUID
    state: str
    kind: str
    bounce_id: UUID | None
    at: datetime


_WRITE_ENDS = Bulk(
    EndRow,
    """INSERT INTO mail_end ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (mail_id) DO UPDATE SET state = excluded.state, kind = excluded.kind,
           bounce_id = excluded.bounce_id, at = excluded.at""",
)


async def write_ends(connection: Connection, rows: Sequence[EndRow]) -> None:
    """Write the ends of mails that came back, were held or withdrawn."""
    await _WRITE_ENDS.execute(connection, rows)


async def read_bounced(connection: Connection, mails: Sequence[UUID]) -> dict[UUID, Any]:
    """Return those of these mails that came back, with kind, status and diagnostic."""
    rows = await connection.fetch(
        """SELECT e.mail_id, e.kind, b.status, b.diagnostic FROM mail_end e JOIN bounce b ON b.id = e.bounce_id
           WHERE e.mail_id = ANY($1::uuid[]) AND e.state = 'bounced'""",
        mails,
    )
    return {row["mail_id"]: row for row in rows}


async def delete_ends(connection: Connection, mails: Sequence[UUID]) -> None:
    """Delete the ends of mails that are sent again."""
    await connection.execute("DELETE FROM mail_end WHERE mail_id = ANY($1::uuid[])", mails)


async def count_faults(
    connection: Connection, shop: str, address: str, recipient: str, since: datetime, kinds: Sequence[str]
) -> int:
    """Return how many facts of these kinds an address has since a time, and since a mail to it was sent that
    did not come back.
    """
    found = await connection.fetchval(
        """SELECT count(*) FROM bounce WHERE shop = $1 AND address = $2 AND kind = ANY($5) AND at > greatest($4, (
               SELECT max(coalesce(e.updated_at, m.created_at)) FROM mail m
               JOIN msg.effect e ON e.key = m.id::text AND e.kind = 'mail' AND e.state = 'done'
               LEFT JOIN resend r ON r.mail_id = m.id
               WHERE m.shop = $1 AND lower(m.recipient) = ANY($3) AND m.created_at > $4
                 AND (r.recipient IS NULL OR lower(r.recipient) = ANY($3))
                 AND NOT EXISTS (SELECT FROM bounce b WHERE b.mail_id = m.id AND b.kind <> 'receipt')))""",
        shop,
        address,
        sorted({address, recipient.lower()}),
        since,
        kinds,
    )
    return int(found)


class SuppressionRow(NamedTuple):
    id: UUID
    shop: str
    address: str
    kind: str
    since: datetime
    until: datetime | None
    bounce_id: UUID | None
    actor: str | None
    reason: str | None


_SUPPRESS = Bulk(
    SuppressionRow,
    """INSERT INTO suppression AS s ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop, address, kind) WHERE lifted_at IS NULL DO UPDATE
       SET since = excluded.since, until = excluded.until, bounce_id = excluded.bounce_id
       WHERE s.until IS NOT NULL RETURNING id""",
)


async def suppress(connection: Connection, row: SuppressionRow) -> bool:
    """Suppress an address. Return False if it is suppressed for this reason already, permanently."""
    return bool(await _SUPPRESS.fetch(connection, [row]))


async def lift(
    connection: Connection, shop: str, address: str, actor: str, reason: str, now: datetime
) -> list[str]:
    """Lift all suppressions of an address. Return the address as it was suppressed: itself, or the keyed hash of an
    erased customer's; nothing if there was none.
    """
    rows = await connection.fetch(
        """UPDATE suppression SET lifted_at = $3, lifted_by = $4, lift_reason = $5
           WHERE shop = $1 AND address IN ($2, hidden_address($1, $2)) AND lifted_at IS NULL RETURNING address""",
        shop,
        address,
        now,
        actor,
        reason,
    )
    return sorted({row["address"] for row in rows}, key=lambda one: one != address)


async def hide_suppressed(connection: Connection, shop: str, addresses: Sequence[str]) -> None:
    """Replace these addresses, in comparable form, by keyed hashes where they are suppressed: they stay suppressed."""
    await connection.execute(
        """UPDATE suppression SET address = hidden_address(shop, address), reason = NULL, lift_reason = NULL
           WHERE shop = $1 AND address = ANY($2::text[])""",
        shop,
        addresses,
    )


async def read_orders_of(connection: Connection, shop: str, addresses: Sequence[str]) -> list[UUID]:
    """Return the latest orders whose customer has one of these addresses, in lower case."""
    rows = await connection.fetch(
        """SELECT order_id FROM addressee WHERE shop = $1 AND lower(email) = ANY($2)
           ORDER BY order_id DESC LIMIT 1000""",
        shop,
        addresses,
    )
    return [row["order_id"] for row in rows]


async def list_suppressions(
    connection: Connection, shop: str, text: str, before: tuple[datetime, UUID] | None, limit: int
) -> list[Any]:
    """Return the suppressed addresses of a shop, the latest first; `text` is how an address begins."""
    sought = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return await connection.fetch(
        """SELECT s.id, s.address, s.kind, s.since, s.until, s.actor, s.reason, b.status, b.diagnostic, b.mail_id
           FROM suppression s LEFT JOIN bounce b ON b.id = s.bounce_id
           WHERE s.shop = $1 AND s.lifted_at IS NULL AND coalesce(s.until > now(), true)
             AND s.address LIKE $2 || '%' AND ($3::timestamptz IS NULL OR (s.since, s.id) < ($3, $4::uuid))
           ORDER BY s.since DESC, s.id DESC LIMIT $5""",
        shop,
        sought,
        before[0] if before else None,
        before[1] if before else None,
        limit,
    )


async def raise_alarm(
    connection: Connection, shop: str, bounce_id: UUID, now: datetime, quiet: timedelta
) -> bool:
    """Count a fault of the sender's reputation. Return whether it is the first after a quiet time."""
    row = await connection.fetchrow(
        """INSERT INTO reputation_alarm AS a (shop, since, last_at, faults, bounce_id) VALUES ($1, $2, $2, 1, $3)
           ON CONFLICT (shop) DO UPDATE SET
               since = CASE WHEN a.last_at < $2 - $4::interval THEN $2 ELSE a.since END,
               faults = CASE WHEN a.last_at < $2 - $4::interval THEN 1 ELSE a.faults + 1 END,
               bounce_id = CASE WHEN a.last_at < $2 - $4::interval THEN $3 ELSE a.bounce_id END, last_at = $2
           RETURNING faults""",
        shop,
        now,
        bounce_id,
        quiet,
    )
    return bool(row["faults"] == 1)


async def read_alarms(connection: Connection, since: datetime) -> list[Any]:
    """Return the alarms with a fault since a time, the latest first."""
    return await connection.fetch(
        """SELECT a.shop, a.since, a.last_at, a.faults, b.mail_id, b.diagnostic FROM reputation_alarm a
           LEFT JOIN bounce b ON b.id = a.bounce_id WHERE a.last_at > $1 ORDER BY a.last_at DESC""",
        since,
    )


async def count_ends(connection: Connection) -> dict[str, int]:
    """Return how many mails came back, and how many were not sent to suppressed addresses."""
    rows = await connection.fetch("SELECT state, count(*) AS n FROM mail_end GROUP BY state")
    return {row["state"]: row["n"] for row in rows}
