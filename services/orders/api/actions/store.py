"""The SQL of the REST API: one function per statement, connection first. Only `lock_order` locks an order.

The list's statements are built in `listing/finder/`, since they depend on the filters.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


class NewCommand(Protocol):
    """The columns of a new command's row."""

    @property
    def command_id(self) -> UUID: ...
    @property
    def shop(self) -> str: ...
    @property
    def order_id(self) -> UUID | None: ...
    @property
    def type(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def request_hash(self) -> bytes: ...


async def find_by_code(connection: Connection, shop: str, code: str) -> UUID | None:
    """Return the id of the order with this code."""
    return await connection.fetchval(
        "select order_id from orders where code = $2 and shop || '' = $1", shop, code
    )


async def read_facts(connection: Connection, keys: Sequence[tuple[str, UUID]]) -> list[Row]:
    """Return shop, order_id, code, stage, currency and line numbers of those of these orders (shop, id) that
    exist.
    """
    return await connection.fetch(
        """select o.*
           from unnest($1::text[], $2::uuid[]) as k (shop, order_id)
           cross join lateral (
               select shop, order_id, code, stage, currency,
                      array(select line from order_line as l
                            where l.shop = k.shop and l.order_id = k.order_id) as lines
               from orders where orders.order_id = k.order_id and orders.shop || '' = k.shop offset 0) as o""",
        [shop for shop, _ in keys],
        [order_id for _, order_id in keys],
    )


async def read_submission(connection: Connection, shop: str, module: str, key: str) -> Row | None:
    """Return the outcome of the submission with this key: its id with the order it placed, else the reasons
    for its last rejection.
    """
    return await connection.fetchrow(
        """select submission_id, order_id, code, reasons from (
               (select 1 as rank, s.submission_id, o.order_id, o.code, null::jsonb as reasons
                from submission s
                left join orders o on o.shop = s.shop and o.order_id = coalesce(s.checkout_id, s.submission_id)
                    and (o.stage, o.module, o.idempotency_key) = ('placed', s.module, s.idempotency_key)
                where s.shop = $1 and s.module = $2 and s.idempotency_key = $3
                  and (o.order_id is not null
                       or exists (select from deleted_order d
                                  where (d.shop, d.order_id) = (s.shop, coalesce(s.checkout_id, s.submission_id)))))
               union all
               (select 2, r.submission_id, null, null, r.reasons
                from refusal r
                where r.shop = $1 and r.module = $2 and coalesce(r.idempotency_key, r.submission_id::text) = $3
                  and r.idempotency_key is not null
                order by r.refused_at desc limit 1)) as found
           order by rank limit 1""",
        shop,
        module,
        key,
    )


async def add_commands(connection: Connection, commands: Sequence[NewCommand], now: datetime) -> set[UUID]:
    """Insert commands; return the ids of those whose key was free.

    A key that another transaction is inserting makes this wait for the end of that transaction. Rows are
    inserted in the order of their keys, so that two processes with the same keys wait for each other without
    a deadlock.
    """
    rows = await connection.fetch(
        """insert into command
               (command_id, shop, order_id, type, actor, idempotency_key, request_hash, requested_at)
           select command_id, shop, order_id, type, actor, idempotency_key, request_hash, $8
           from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[])
               as c (command_id, shop, order_id, type, actor, idempotency_key, request_hash)
           order by shop, idempotency_key
           on conflict (shop, idempotency_key) where idempotency_key is not null do nothing
           returning command_id""",
        [one.command_id for one in commands],
        [one.shop for one in commands],
        [one.order_id for one in commands],
        [one.type for one in commands],
        [one.actor for one in commands],
        [one.key for one in commands],
        [one.request_hash for one in commands],
        now,
    )
    return {row["command_id"] for row in rows}


async def read_keys(connection: Connection, commands: Sequence[NewCommand]) -> dict[tuple[str, str], Row]:
    """Return the commands that have the Idempotency-Keys of these, by shop and key."""
    rows = await connection.fetch(
        """select c.shop, c.idempotency_key, c.command_id, c.type, c.state, c.request_hash
           from command c join unnest($1::text[], $2::text[]) as k (shop, key)
               on c.shop = k.shop and c.idempotency_key = k.key""",
        [one.shop for one in commands],
        [one.key for one in commands],
    )
    return {(row["shop"], row["idempotency_key"]): row for row in rows}


async def lock_order(connection: Connection, shop: str, order_id: UUID) -> None:
    """Lock an order's row, so that forms about one order are checked and stored one after another."""
    await connection.execute(
        "SELECT FROM orders WHERE order_id = $2 AND shop || '' = $1 FOR NO KEY UPDATE", shop, order_id
    )


async def read_standing(
    connection: Connection, shop: str, order_id: UUID, types: Sequence[str]
) -> Sequence[Row]:
    """Return an order's code and revision with its commands of these types that have no outcome, the first requested
    first: command_id, type, actor, state, requested_at. All of it is one snapshot; without a command it is one row
    in which these are NULL.
    """
    return await connection.fetch(
        """SELECT o.code, o.revision, c.command_id, c.type, c.actor, c.state, c.requested_at
           FROM orders AS o
           LEFT JOIN command AS c ON c.shop = o.shop AND c.order_id = o.order_id
                                 AND c.state IN ('pending', 'parked') AND c.type = ANY($3)
           WHERE o.order_id = $2 AND o.shop || '' = $1
           ORDER BY c.requested_at, c.command_id""",
        *(shop, order_id, list(types)),
    )


async def was_sent(connection: Connection, shop: str, key: str) -> bool:
    """Return whether a command with this Idempotency-Key exists."""
    found: bool = await connection.fetchval(
        "select exists (select from command where shop = $1 and idempotency_key = $2)", shop, key
    )
    return found


async def claim_form(connection: Connection, shop: str, key: str, content_hash: bytes, now: datetime) -> bool:
    """Claim a form for processing; return False when it was already. Waits for a concurrent request with the
    same key.
    """
    claimed = await connection.fetchval(
        """insert into form_sent (shop, key, content_hash, sent_at) values ($1, $2, $3, $4)
           on conflict (shop, key) do nothing returning true""",
        *(shop, key, content_hash, now),
    )
    return bool(claimed)


async def read_form_hash(connection: Connection, shop: str, key: str) -> bytes | None:
    """Return the content hash of a processed form."""
    found = await connection.fetchval(
        "select content_hash from form_sent where shop = $1 and key = $2", shop, key
    )
    return found if isinstance(found, bytes) else None


async def delete_forms(connection: Connection, before: datetime) -> None:
    """Delete keys of forms that are no longer sent again."""
    await connection.execute("delete from form_sent where sent_at < $1", before)


async def read_command(connection: Connection, shop: str, command_id: UUID) -> Row | None:
    """Return a command and its outcome."""
    return await connection.fetchrow(
        """select command_id, order_id, type, actor, state, requested_at, settled_at, outcome
           from command where shop = $1 and command_id = $2""",
        shop,
        command_id,
    )


async def settled_among(connection: Connection, command_ids: Collection[UUID]) -> list[UUID]:
    """Return those of these commands that have an outcome."""
    rows = await connection.fetch(
        "select command_id from command where command_id = any($1::uuid[]) and state <> 'pending'",
        list(command_ids),
    )
    return [row["command_id"] for row in rows]


async def read_order_whole(
    connection: Connection, shop: str, order_id: UUID | None, code: str | None
) -> Row | None:
    """Return everything about one order from one snapshot: a column of JSON per part."""
    return await connection.fetchrow(_WHOLE, shop, order_id, code)


_WHOLE = """
select to_jsonb(o) as "order",
    case when o.stage = 'placed' then
        (select s.body from submission s
         where s.shop = o.shop and s.module = o.module and s.idempotency_key = o.idempotency_key)
    else (select c.body from checkout c where c.shop = o.shop and c.checkout_id = o.order_id)
    end as submission,
    (select a.content from amendment a where a.shop = o.shop and a.order_id = o.order_id) as amendment,
    (select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(x)) order by x.line), '[]')
     from order_line x where x.shop = o.shop and x.order_id = o.order_id and x.quantity > 0) as lines,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.number), '[]')
     from ledger_entry x where x.shop = o.shop and x.order_id = o.order_id) as ledger,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.asked_at, x.refund_id), '[]')
     from refund x where x.shop = o.shop and x.order_id = o.order_id) as refunds,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.opened_at, x.provider_reference), '[]')
     from dispute x where x.shop = o.shop and x.order_id = o.order_id) as disputes,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.number, x.parcel_id), '[]')
     from (select p.*, u.unpacked_at, u.unpacked_by, l.lost_at, l.lost_by, l.lost_reason
           from parcel p left join unpacking u using (shop, order_id, parcel_id)
           left join lost_parcel l using (shop, order_id, parcel_id)) x
     where x.shop = o.shop and x.order_id = o.order_id) as parcels,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.dispatched_at, x.shipment_id), '[]')
     from shipment x where x.shop = o.shop and x.order_id = o.order_id) as shipments,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.delivered_at, x.shipment_id), '[]')
     from delivery x where x.shop = o.shop and x.order_id = o.order_id) as deliveries,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.at, x.mail_id), '[]')
     from mail x where x.shop = o.shop and x.order_id = o.order_id) as mails,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.happened_at, x.kind, x.item), '[]')
     from activity x where x.shop = o.shop and x.order_id = o.order_id) as activity,
    (select coalesce(jsonb_agg(to_jsonb(x) order by x.sequence), '[]')
     from state_change x where x.shop = o.shop and x.order_id = o.order_id) as history,
    (select coalesce(jsonb_agg(to_jsonb(x) - 'request_hash' order by x.requested_at, x.command_id), '[]')
     from command x where x.shop = o.shop and x.order_id = o.order_id) as commands,
    (select coalesce(jsonb_agg(jsonb_build_object('tag_id', x.tag_id, 'name', x.name, 'colour', x.colour)
                               order by x.folded), '[]')
     from order_tag y join tag x on x.shop = y.shop and x.tag_id = y.tag_id
     where y.shop = o.shop and y.order_id = o.order_id) as tags
from orders o where o.shop = $1 and (o.order_id = $2 or o.code = $3)
"""
