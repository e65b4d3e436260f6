"""SQL of an erasure on conversations: the customer's addresses, and received mails of no order that came from them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis.storage.database import Connection
from services.notifier.mails.mail import TO_MERCHANT


async def read_addresses(
    connection: Connection, shop: str, orders: Sequence[UUID]
) -> list[tuple[str, str | None]]:
    """Return names and addresses of these orders' customers: of now, of earlier mails, and those they wrote from."""
    rows = await connection.fetch(
        """WITH mail_to AS (SELECT id, recipient FROM mail
                            WHERE shop = $1 AND order_id = ANY($2) AND NOT template = ANY($3::text[]))
           SELECT name, email FROM addressee WHERE shop = $1 AND order_id = ANY($2)
           UNION SELECT '', recipient FROM mail_to
           UNION SELECT '', r.recipient FROM resend r JOIN mail_to m ON m.id = r.mail_id
           UNION SELECT '', b.address FROM bounce b JOIN mail_to m ON m.id = b.mail_id
           UNION SELECT '', address FROM customer_address WHERE shop = $1 AND order_id = ANY($2)""",
        shop,
        orders,
        sorted(TO_MERCHANT),
    )
    return [(row["name"], row["email"]) for row in rows]


async def count_written(connection: Connection, shop: str, orders: Sequence[UUID]) -> int:
    """Return the number of messages and received mails of these orders."""
    found: int = await connection.fetchval(
        """SELECT (SELECT count(*) FROM message WHERE shop = $1 AND order_id = ANY($2))
                + (SELECT count(*) FROM inbound_mail WHERE shop = $1 AND order_id = ANY($2))""",
        shop,
        orders,
    )
    return found


_FROM_CUSTOMER = (
    "shop = $1 AND order_id IS NULL AND (lower(envelope_from) = ANY($2) OR lower(sender) = ANY($2))"
)


async def erase_unfiled(
    connection: Connection, shop: str, addresses: Sequence[str], now: datetime
) -> tuple[int, list[UUID]]:
    """Erase the received mails of no order that came from these addresses, in lower case, with their attachments.

    That they came and where they ended stays; what was not read yet is deleted. Return their number, and those that
    no longer wait to be filed.
    """
    arguments = shop, addresses
    await connection.execute(
        f"""DELETE FROM attachment WHERE inbound_id IN (
                SELECT inbound_id FROM inbound_mail WHERE {_FROM_CUSTOMER})""",  # noqa: S608 - a constant
        *arguments,
    )
    deleted = await connection.execute(
        f"DELETE FROM inbound_mail WHERE {_FROM_CUSTOMER} AND outcome IS NULL",  # noqa: S608 - a constant
        *arguments,
    )
    rows = await connection.fetch(
        f"""UPDATE inbound_mail SET raw = '', envelope_from = '', sender = NULL, subject = NULL, excerpt = '',
                filed_reason = NULL,
                filed_by = CASE WHEN outcome IN ('to_file', 'parked') THEN coalesce(filed_by, 'notifier') END,
                filed_at = CASE WHEN outcome IN ('to_file', 'parked') THEN coalesce(filed_at, $3) END
            WHERE {_FROM_CUSTOMER} RETURNING inbound_id, filed_at = $3 AS is_set_aside""",  # noqa: S608 - a constant
        *arguments,
        now,
    )
    number = int(deleted.rpartition(" ")[2]) + len(rows)
    return number, [row["inbound_id"] for row in rows if row["is_set_aside"]]
