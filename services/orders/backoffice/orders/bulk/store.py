"""SQL of runs: one function per statement, connection first. Only `start` and `stop` wait for a row's lock."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection
from services.orders.backoffice.orders.bulk.runs import Planned, Verb

Row = Mapping[str, Any]


async def add_run(
    connection: Connection,
    run: tuple[UUID, str, Verb, str, Mapping[str, Any], Sequence[Mapping[str, Any]], str, datetime],
) -> bool:
    """Add a run: run_id, shop, verb, actor, asked, faults, back, planned_at. Return False when it exists
    already.
    """
    run_id, shop, verb, actor, request, faults, back, planned_at = run
    added = await connection.fetchval(
        """insert into bulk_run (run_id, shop, verb, actor, asked, faults, back, planned_at)
           values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, $8) on conflict (run_id) do nothing returning true""",
        *(run_id, shop, verb.value, actor, json.dumps(request), json.dumps(faults), back, planned_at),
    )
    return bool(added)


async def add_items(connection: Connection, shop: str, run_id: UUID, items: Sequence[Planned]) -> None:
    """Add the orders of a new run, in this order."""
    await connection.execute(
        """insert into bulk_item (shop, run_id, position, order_id, code, asked, told, reasons)
           select $1, $2, position, order_id, code, asked, told, reasons
           from unnest($3::uuid[], $4::text[], $5::jsonb[], $6::jsonb[], $7::jsonb[])
               with ordinality as i (order_id, code, asked, told, reasons, position)""",
        shop,
        run_id,
        [item.order_id for item in items],
        [item.code for item in items],
        [None if item.request is None else json.dumps(item.request) for item in items],
        [json.dumps(item.summary) for item in items],
        [json.dumps([one.model_dump() for one in item.reasons]) if item.reasons else None for item in items],
    )


async def read_run(connection: Connection, shop: str, run_id: UUID) -> Row | None:
    """Return a run of the shop."""
    return await connection.fetchrow(
        "select * from bulk_run where run_id = $2 and shop = $1", *(shop, run_id)
    )


async def read_items(connection: Connection, shop: str, run_id: UUID) -> list[Row]:
    """Return its items with their commands' states and outcomes: null for one that was not sent."""
    return await connection.fetch(
        """select i.*, c.state as command_state, c.outcome
           from bulk_item i left join command c
               on c.shop = i.shop and c.idempotency_key = 'run:' || i.run_id || ':' || i.position
           where i.run_id = $2 and i.shop = $1 order by i.position""",
        *(shop, run_id),
    )


async def list_runs(connection: Connection, shop: str, limit: int) -> list[Row]:
    """Return the shop's latest started runs, with the numbers of items, of successes and of failures."""
    return await connection.fetch(
        """select r.run_id, r.verb, r.actor, r.started_at, n.* from bulk_run r
            cross join lateral (
                select count(*) filter (where i.asked is not null) as items,
                       count(*) filter (where c.state = 'done') as done,
                       count(*) filter (where i.asked is not null
                                        and (c.state in ('rejected', 'parked') or i.reasons is not null)) as refused
                from bulk_item i left join command c
                    on c.shop = i.shop and c.idempotency_key = 'run:' || i.run_id || ':' || i.position
                where i.run_id = r.run_id) n
            where r.shop = $1 and r.started_at is not null order by r.planned_at desc limit $2""",
        *(shop, limit),
    )


async def start(connection: Connection, shop: str, run_id: UUID, actor: str, now: datetime) -> bool:
    """Start a planned run in a user's name; return False when it was started already."""
    started = await connection.fetchval(
        """update bulk_run set started_at = $4, actor = $3
           where run_id = $2 and shop = $1 and started_at is null returning true""",
        *(shop, run_id, actor, now),
    )
    return bool(started)


async def stop(connection: Connection, shop: str, run_id: UUID, now: datetime) -> None:
    """Stop sending a run's items; commands already sent continue."""
    await connection.execute(
        """update bulk_run set stopped_at = $3
           where run_id = $2 and shop = $1 and started_at is not null and stopped_at is null and sent_at is null""",
        *(shop, run_id, now),
    )


async def next_run(connection: Connection) -> Row | None:
    """Return the run that has waited longest for items to be sent."""
    return await connection.fetchrow(
        """select run_id, shop, verb, actor from bulk_run
           where started_at is not null and sent_at is null and stopped_at is null order by started_at limit 1"""
    )


async def unsent_items(connection: Connection, run_id: UUID, limit: int) -> list[Row]:
    """Return the next items of a run that have neither a command nor a rejection."""
    return await connection.fetch(
        """select i.position, i.order_id, i.code, i.asked from bulk_item i
           where i.run_id = $1 and i.asked is not null and i.reasons is null
             and not exists (select from command c where c.shop = i.shop
                             and c.idempotency_key = 'run:' || i.run_id || ':' || i.position)
           order by i.position limit $2""",
        *(run_id, limit),
    )


async def refuse_item(connection: Connection, run_id: UUID, position: int, reasons: str) -> None:
    """Record why an item got no command, as JSON."""
    await connection.execute(
        "update bulk_item set reasons = $3::jsonb where run_id = $1 and position = $2",
        *(run_id, position, reasons),
    )


async def mark_sent(connection: Connection, run_id: UUID, now: datetime) -> None:
    """Record that all items of a run have been sent."""
    await connection.execute("update bulk_run set sent_at = $2 where run_id = $1", *(run_id, now))


async def delete_runs(connection: Connection, unstarted_before: datetime, before: datetime) -> None:
    """Delete plans that were never started, and old runs; their commands stay."""
    await connection.execute(
        """delete from bulk_run where (started_at is null and planned_at < $1)
           or (planned_at < $2 and (sent_at is not null or stopped_at is not null))""",
        *(unstarted_before, before),
    )


async def read_orders(connection: Connection, shop: str, order_ids: Sequence[UUID]) -> list[Row]:
    """Return the data for planning packing and shipping, in the requested order: order_id, code, state,
    flags, currency, `positions` (fulfillment's quantities), `lines` (line, kind, quantity, description),
    `shipping` (the customer's choice), all JSON, `postal_code` (of the destination), and `parcels`:
    parcel_id, number, is_shipped, without unpacked ones.
    """
    return await connection.fetch(_ORDERS.format(which="o.order_id = w.id"), shop, list(order_ids))


async def read_orders_by_code(connection: Connection, shop: str, codes: Sequence[str]) -> list[Row]:
    """Return the same by the orders' codes."""
    return await connection.fetch(
        _ORDERS.format(which="o.code = w.id").replace("uuid[]", "text[]", 1), shop, list(codes)
    )


_ORDERS = """
select o.order_id, o.code, o.state, o.flags, o.currency, o.line_positions as positions,
    coalesce(a.content -> 'shipping', s.body -> 'shipping') as shipping,
    coalesce(a.content -> 'shipping_address', s.body -> 'shipping_address') ->> 'postal_code' as postal_code,
    (select coalesce(jsonb_agg(jsonb_build_object('line', l.line, 'kind', l.kind, 'quantity', l.quantity,
                                                  'description', l.description) order by l.line), '[]')
     from order_line l where l.shop = $1 and l.order_id = o.order_id and l.quantity > 0) as lines,
    (select coalesce(jsonb_agg(jsonb_build_object(
         'parcel_id', p.parcel_id, 'number', p.number,
         'is_shipped', exists (select from shipment s where s.shop = $1 and s.order_id = o.order_id
                               and s.cancelled_at is null and p.parcel_id = any(s.parcel_ids)))
                               order by p.number), '[]')
     from parcel p where p.shop = $1 and p.order_id = o.order_id
       and not exists (select from unpacking u where (u.shop, u.order_id, u.parcel_id)
                                                   = (p.shop, p.order_id, p.parcel_id))) as parcels
from unnest($2::uuid[]) with ordinality as w (id, at)
cross join lateral (select * from orders o where {which} and o.shop || '' = $1 offset 0) o
left join submission s on s.shop = o.shop and s.module = o.module and s.idempotency_key = o.idempotency_key
left join amendment a on a.shop = o.shop and a.order_id = o.order_id
order by w.at"""
