"""SQL of the order as its customer may see it: every column is named, so that a new one stays internal until it
is added here.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


async def read_for_customer(connection: Connection, shop: str, order_id: UUID) -> Row | None:
    """Return a placed order from one snapshot, its parts as columns of JSON. Locks nothing."""
    return await connection.fetchrow(_FOR_CUSTOMER, shop, order_id)


_FOR_CUSTOMER = """
SELECT o.code, o.placed_at, o.locale, o.currency, o.state, o.label, o.payment_method, o.payment_status,
    o.fulfilment_status, o.customer_name, o.due_minor, o.credited_minor, o.received_minor, o.refunded_minor,
    o.marked_minor, o.balance_minor, o.ship_ordered, o.ship_needed, o.ship_packed, o.ship_lost, o.ship_shipped,
    o.other_ordered, o.other_needed, o.cancellation_requested_at, o.line_positions,
    s.body AS submission,
    (SELECT a.content FROM amendment a WHERE (a.shop, a.order_id) = (o.shop, o.order_id)) AS amendment,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'line', x.line, 'description', x.description, 'quantity', x.quantity, 'total_minor', x.total_minor,
            'unit_price_minor', x.unit_price_minor, 'unit_price_exact', x.unit_price_exact,
            'discount_minor', x.discount_minor, 'resource', x.resource, 'starts_at', x.starts_at,
            'ends_at', x.ends_at, 'options', x.options) ORDER BY x.line), '[]')
     FROM order_line x WHERE (x.shop, x.order_id) = (o.shop, o.order_id) AND x.quantity > 0) AS lines,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'kind', x.kind, 'method', x.method, 'amount_minor', x.amount_minor,
            'occurred_at', x.occurred_at, 'received_on', x.received_on) ORDER BY x.number), '[]')
     FROM ledger_entry x WHERE (x.shop, x.order_id) = (o.shop, o.order_id)) AS ledger,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'carrier', x.carrier, 'tracking_number', x.tracking_number, 'tracking_url', x.tracking_url,
            'shipped_on', x.shipped_on, 'expected_on', x.expected_on, 'lines', x.lines,
            'delivered_at', d.delivered_at) ORDER BY x.dispatched_at, x.shipment_id), '[]')
     FROM shipment x LEFT JOIN delivery d USING (shop, order_id, shipment_id)
     WHERE (x.shop, x.order_id) = (o.shop, o.order_id) AND x.cancelled_at IS NULL) AS shipments,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'invoice_id', x.invoice_id, 'kind', x.kind, 'number', x.number, 'issued_on', x.issued_on,
            'total_minor', x.total_minor) ORDER BY x.issued_at, x.number), '[]')
     FROM invoice x WHERE (x.shop, x.order_id) = (o.shop, o.order_id)) AS documents,
    (SELECT jsonb_build_object('kind', x.kind, 'happened_at', x.happened_at, 'reason', x.data->>'reason')
     FROM activity x WHERE (x.shop, x.order_id) = (o.shop, o.order_id)
         AND x.kind IN ('cancellation_requested', 'cancellation_declined', 'cancellation_too_late')
     ORDER BY x.happened_at DESC LIMIT 1) AS answer
FROM orders o
JOIN submission s ON (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)
WHERE o.order_id = $2 AND o.shop || '' = $1 AND o.stage = 'placed'
"""
