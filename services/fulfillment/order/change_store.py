"""The SQL of asked changes: what was answered, lines that came later, parcels taken apart. See store.py on locks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.fulfillment.order import store
from services.fulfillment.order.change import Change, ChangeKind
from services.fulfillment.order.order import Key, Order
from services.fulfillment.order.parcel import Parcel
from services.fulfillment.order.position import Line
from services.fulfillment.order.shipment import Shipment

_TOLD = attrgetter("carrier", "tracking_number", "tracking_url", "shipped_on", "expected_on")


async def read_skus(connection: Connection, keys: Iterable[Key]) -> set[tuple[str, str]]:
    """The (shop, SKU) of these orders' goods. Locks nothing: a line's SKU never changes, and the gate keeps new
    lines away.
    """
    shops, ids = zip(*keys, strict=True)
    rows = await connection.fetch(
        """
        SELECT DISTINCT shop, sku
        FROM order_line JOIN unnest($1::text[], $2::uuid[]) AS asked (shop, order_id) USING (shop, order_id)
        WHERE kind = 'ship'
        """,
        shops,
        ids,
    )
    return {(row["shop"], row["sku"]) for row in rows}


async def read_answered(connection: Connection, orders: Mapping[Key, Order]) -> None:
    """Fill in which requests of locked orders were answered."""
    shops, ids = zip(*orders, strict=True)
    rows = await connection.fetch(
        """
        SELECT shop, order_id, request_id, kind
        FROM line_change JOIN unnest($1::text[], $2::uuid[]) AS asked (shop, order_id) USING (shop, order_id)
        """,
        shops,
        ids,
    )
    for shop, order_id, request_id, kind in rows:
        orders[shop, order_id].answered.add((request_id, ChangeKind(kind)))


async def insert_answers(
    connection: Writer, answers: Sequence[tuple[Key, Change]], answered_at: datetime
) -> None:
    """Write what was asked of locked orders and answered."""
    rows = [
        (*key, c.request_id, c.kind.value, str(c.cause), json.dumps(c.done), json.dumps(c.refused), c.actor)
        for key, c in answers
    ]
    await connection.execute(
        """
        INSERT INTO line_change (shop, order_id, request_id, kind, cause, done, refused, actor, answered_at)
        SELECT *, $9::timestamptz FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[],
                                              $6::jsonb[], $7::jsonb[], $8::text[])
        """,
        *zip(*rows, strict=True),
        answered_at,
    )


async def insert_lines(connection: Writer, lines: Sequence[tuple[Key, Line]]) -> None:
    """Write lines that were added to locked orders."""
    rows = [
        (*key, line.line, line.kind, line.sku, line.ordered, line.cancelled, line.packed)
        for key, line in lines
    ]
    await connection.execute(
        """
        INSERT INTO order_line (shop, order_id, line, kind, sku, ordered, cancelled, packed)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::int[], $7::int[],
                             $8::int[])
        """,
        *zip(*rows, strict=True),
    )


async def update_unpacked(connection: Writer, parcels: Sequence[tuple[Key, Parcel]]) -> None:
    """Write when parcels of locked orders were taken apart, and by whom."""
    rows = [(*key, parcel.id, parcel.unpacked_at, parcel.unpacked_by) for key, parcel in parcels]
    await connection.execute(
        """
        UPDATE parcel SET unpacked_at = new.unpacked_at, unpacked_by = new.unpacked_by
        FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[])
          AS new (shop, order_id, parcel_id, unpacked_at, unpacked_by)
        WHERE (parcel.shop, parcel.order_id, parcel.parcel_id) = (new.shop, new.order_id, new.parcel_id)
        """,
        *zip(*rows, strict=True),
    )


async def update_lost(connection: Writer, parcels: Sequence[tuple[Key, Parcel]]) -> None:
    """Write that parcels of locked orders were lost, who said so and why."""
    rows = [(*key, parcel.id, parcel.lost_at, parcel.lost_by, parcel.lost_reason) for key, parcel in parcels]
    await connection.execute(
        """
        UPDATE parcel SET lost_at = new.lost_at, lost_by = new.lost_by, lost_reason = new.lost_reason
        FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[])
          AS new (shop, order_id, parcel_id, lost_at, lost_by, lost_reason)
        WHERE (parcel.shop, parcel.order_id, parcel.parcel_id) = (new.shop, new.order_id, new.parcel_id)
        """,
        *zip(*rows, strict=True),
    )


async def update_shipments(connection: Writer, shipments: Sequence[tuple[Key, Shipment]]) -> None:
    """Write what was corrected of shipments of locked orders, and which were cancelled."""
    rows = [(*key, s.id, *_TOLD(s), *store.CORRECTION(s)) for key, s in shipments]
    await connection.execute(
        """
        UPDATE shipment SET carrier = new.carrier, tracking_number = new.tracking_number,
               tracking_url = new.tracking_url, shipped_on = new.shipped_on, expected_on = new.expected_on,
               version = new.version, updated_at = new.updated_at, updated_by = new.updated_by,
               cancelled_at = new.cancelled_at, cancelled_by = new.cancelled_by, cancel_reason = new.cancel_reason
        FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::date[], $8::date[],
                    $9::int[], $10::timestamptz[], $11::text[], $12::timestamptz[], $13::text[], $14::text[])
          AS new (shop, order_id, shipment_id, carrier, tracking_number, tracking_url, shipped_on, expected_on,
                  version, updated_at, updated_by, cancelled_at, cancelled_by, cancel_reason)
        WHERE (shipment.shop, shipment.order_id, shipment.shipment_id)
            = (new.shop, new.order_id, new.shipment_id)
        """,
        *zip(*rows, strict=True),
    )
    if cancelled := [(*key, s.id) for key, s in shipments if not s.stands]:
        await connection.execute(
            """
            UPDATE shipment_parcel SET is_cancelled = true
            FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS gone (shop, order_id, shipment_id)
            WHERE (shipment_parcel.shop, shipment_parcel.order_id, shipment_parcel.shipment_id)
                = (gone.shop, gone.order_id, gone.shipment_id)
            """,
            *zip(*cancelled, strict=True),
        )


async def mark_deleted(connection: Writer, deleted: Mapping[Key, datetime]) -> None:
    """Write when locked orders were deleted; the first word on it counts. Tracking addresses, which may hold the
    customer's postal code, go, and references of proofs, which may hold a name."""
    shops, ids = zip(*deleted, strict=True)
    await connection.execute(
        """
        UPDATE fulfilment_order SET deleted_at = coalesce(fulfilment_order.deleted_at, new.deleted_at)
        FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) AS new (shop, order_id, deleted_at)
        WHERE (fulfilment_order.shop, fulfilment_order.order_id) = (new.shop, new.order_id)
        """,
        shops,
        ids,
        list(deleted.values()),
    )
    await connection.execute(
        """
        UPDATE shipment SET tracking_url = NULL, proof_reference = NULL
        FROM unnest($1::text[], $2::uuid[]) AS gone (shop, order_id)
        WHERE (shipment.shop, shipment.order_id) = (gone.shop, gone.order_id)
          AND (shipment.tracking_url IS NOT NULL OR shipment.proof_reference IS NOT NULL)
        """,
        shops,
        ids,
    )
