"""SQL of the conversation's pages beside drafts and quick replies: orders' copies of threads and received mails.

One function per statement, the connection first. Nothing is changed and nothing locked.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.catalogue import type_of
from contracts.notifier.conversation import TO_BE_FILED, PostMessage, ThreadState
from services.chassis.storage.database import Connection

Row = Mapping[str, Any]
MOST_COUNTED = 1000
SUGGESTED = 3
"""Orders of a sender that are offered for filing a mail."""
POST = type_of(PostMessage, "orders")
_TO_BE_FILED = (
    f"received_mail where shop = $1 and outcome in {tuple(map(str, TO_BE_FILED))} and filed_at is null"
)


async def count_waiting(connection: Connection, shop: str) -> int:
    """Count the threads waiting for the staff and the mails to be filed, each up to MOST_COUNTED."""
    found: int = await connection.fetchval(
        f"""select (select count(*) from (select from thread where shop = $1 and state = $3 limit $2) t)
                + (select count(*) from (select from {_TO_BE_FILED} limit $2) m)""",  # noqa: S608 - of this module only
        shop,
        MOST_COUNTED,
        ThreadState.WAITING_STAFF,
    )
    return found


async def count_tabs(connection: Connection, shop: str, login: str) -> Row:
    """Count threads by tab and the mails to be filed, each up to MOST_COUNTED: staff, customer, closed, all; `mine`
    are the open ones assigned to a staff member.
    """
    row: Row = await connection.fetchrow(
        f"""select (select count(*) from (select from thread where shop = $1 and state = $4 limit $3) t) as staff,
                  (select count(*) from (select from thread where shop = $1 and state = $5 limit $3) t) as customer,
                  (select count(*) from (select from thread where shop = $1 and state = $6 limit $3) t) as closed,
                  (select count(*) from (select from thread where shop = $1 limit $3) t) as everything,
                  (select count(*) from (select from thread
                                         where shop = $1 and assignee = $2 and state <> $6 limit $3) t) as mine,
                  (select count(*) from (select from {_TO_BE_FILED} limit $3) t) as mails""",  # noqa: S608 - of this module only
        shop,
        login,
        MOST_COUNTED,
        ThreadState.WAITING_STAFF,
        ThreadState.WAITING_CUSTOMER,
        ThreadState.CLOSED,
    )
    return row


async def read_thread(connection: Connection, shop: str, order_id: UUID) -> Row | None:
    """Return the copy of a thread: version, state, unread, last_at, assignee, last_role, last_author, excerpt."""
    return await connection.fetchrow(
        """select version, state, unread, last_at, assignee, last_role, last_author, excerpt
           from thread where shop = $1 and order_id = $2""",
        shop,
        order_id,
    )


async def read_posts(connection: Connection, shop: str, order_id: UUID) -> list[Row]:
    """Return the messages that the staff sent, the latest 500: message_id, actor, state, requested_at."""
    return await connection.fetch(
        """select command_id as message_id, actor, state, requested_at
           from command where shop = $1 and order_id = $2 and type = $3 order by requested_at desc limit 500""",
        shop,
        order_id,
        POST,
    )


async def read_head(connection: Connection, shop: str, order_id: UUID) -> Row | None:
    """Return the order's data shown beside its thread."""
    return await connection.fetchrow(
        """select order_id, code, locale, placed_at, customer_name, customer_email, state, label, payment_status,
                  fulfilment_status, total_minor, balance_minor, currency, stage
           from orders where order_id = $2 and shop || '' = $1""",
        shop,
        order_id,
    )


async def has_mail(connection: Connection, shop: str, inbound_id: UUID) -> bool:
    """Return whether a received mail is the shop's."""
    found: bool = await connection.fetchval(
        "select exists (select from received_mail where shop = $1 and inbound_id = $2)", shop, inbound_id
    )
    return found


async def read_orders_of(connection: Connection, shop: str, addresses: Sequence[str]) -> list[Row]:
    """Return the latest orders of these folded mail addresses, SUGGESTED of each: mail, order_id, code,
    customer_name, placed_at.
    """
    return await connection.fetch(
        """select k.mail, o.order_id, o.code, o.customer_name, o.placed_at
           from unnest($2::text[]) as k (mail)
           cross join lateral (
               select order_id from order_search where shop = $1 and mail = k.mail
               order by placed_at desc limit $3) s
           join orders o on o.order_id = s.order_id and o.shop || '' = $1
           order by k.mail, o.placed_at desc""",
        shop,
        list(addresses),
        SUGGESTED,
    )
