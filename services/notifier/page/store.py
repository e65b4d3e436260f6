"""SQL of the customer's page: who a link belongs to, and how many new links an order was sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.notifier.mails.mail import Template

Row = Mapping[str, Any]


async def read_link(connection: Connection, token_hash: bytes) -> Row | None:
    """Return the link with its order's customer, and the time of the order's last mail or message. Locks nothing.

    A mail with a new link is not an event: it would make the expired one valid again.
    """
    return await connection.fetchrow(
        """SELECT l.recipient, l.made_at, a.shop, a.order_id, a.code, a.name, a.email, a.locale, a.deleted_at,
                  greatest((SELECT max(m.created_at) FROM mail m
                            WHERE (m.shop, m.order_id) = (l.shop, l.order_id) AND m.template <> $2),
                           (SELECT t.last_at FROM thread t
                            WHERE (t.shop, t.order_id) = (l.shop, l.order_id))) AS last_event_at
           FROM page_link l JOIN addressee a ON (a.shop, a.order_id) = (l.shop, l.order_id)
           WHERE l.token_hash = $1""",
        token_hash,
        Template.PAGE_LINK,
    )


async def count_new_links(connection: Connection, shop: str, order_id: UUID, since: datetime) -> int:
    """Return how many mails with a new link an order had since then. Locks the order's recipient, so that two
    requests count each other.
    """
    await connection.execute(
        "SELECT FROM addressee WHERE shop = $1 AND order_id = $2 FOR UPDATE", shop, order_id
    )
    counted: int = await connection.fetchval(
        """SELECT count(*) FROM mail
           WHERE shop = $1 AND order_id = $2 AND template = $3 AND created_at > $4""",
        shop,
        order_id,
        Template.PAGE_LINK,
        since,
    )
    return counted


async def read_text(connection: Connection, shop: str, message_id: UUID) -> str | None:
    """Return the text of a message, its segments one after another."""
    text: str | None = await connection.fetchval(
        """SELECT string_agg(part.value ->> 'text', '' ORDER BY part.ordinality)
           FROM message, jsonb_array_elements(segments) WITH ORDINALITY AS part
           WHERE shop = $1 AND message_id = $2""",
        shop,
        message_id,
    )
    return text


async def count_messages(connection: Connection, shop: str, order_id: UUID, via: str, since: datetime) -> int:
    """Return how many messages came this way to an order's thread since then."""
    counted: int = await connection.fetchval(
        "SELECT count(*) FROM message WHERE shop = $1 AND order_id = $2 AND via = $3 AND posted_at > $4",
        shop,
        order_id,
        via,
        since,
    )
    return counted


async def is_of_order(connection: Connection, inbound_id: UUID, shop: str, order_id: UUID) -> bool:
    """Return whether a received mail is a message of the order's thread."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM message WHERE inbound_id = $1 AND shop = $2 AND order_id = $3)",
        inbound_id,
        shop,
        order_id,
    )
    return found
