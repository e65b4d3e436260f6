"""Orders' copies of what fulfillment and notifier own equal the owners' own rows, one by one."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from deploy.auditor.finding import Finding, check, compare
from deploy.auditor.inputs import Inputs, living, table

PARCEL = ("shop", "order_id", "parcel_id")
SHIPMENT = ("shop", "order_id", "shipment_id")
_LINES_OF_COPY = """(SELECT jsonb_agg(jsonb_build_object('line', (e->>'line')::int, 'quantity', (e->>'quantity')::int)
                                   ORDER BY (e->>'line')::int) FROM jsonb_array_elements(lines) AS e)::text AS lines"""


@check
async def orders_know_every_fulfilment(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of each order's quantities is fulfillment's latest; none where fulfillment published none."""
    source = await table(
        inputs.fulfillment,
        """SELECT shop, order_id, CASE WHEN sequence = 0 AND version = 1 THEN 0 ELSE version END AS version,
               CASE WHEN sequence = 0 AND version = 1 THEN 'not_required' ELSE stock END AS stock
           FROM fulfilment_order""",
    )
    copy = await table(
        inputs.orders,
        "SELECT shop, order_id, fulfilment_version AS version, stock FROM orders WHERE stage = 'placed'",
    )
    for finding in compare("orders' copy of the fulfilment of", await living(inputs, source), copy):
        yield finding


@check
async def orders_know_every_quantity(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of each line's quantities is fulfillment's."""
    key = ("shop", "order_id", "line")
    names = "kind, ordered, cancelled, packed, lost, shipped, delivered, returned"
    source = await table(
        inputs.fulfillment,
        f"""SELECT shop, order_id, line, {names} FROM order_line JOIN fulfilment_order USING (shop, order_id)
            WHERE sequence > 0 OR version > 1""",  # noqa: S608
        key=key,
    )
    copy = await table(
        inputs.orders,
        f"""SELECT shop, order_id, line, {names} FROM orders, jsonb_to_recordset(line_positions) AS position (
                line int, kind text, ordered int, cancelled int, packed int, lost int, shipped int,
                delivered int, returned int)""",  # noqa: S608
        key=key,
    )
    for finding in compare("orders' copy of the line", await living(inputs, source), copy):
        yield finding


@check
async def orders_know_every_parcel(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of the parcels is fulfillment's, including unpacked and lost ones."""
    names = "number, kind, weight_grams, packed_at, packed_by, unpacked_at, unpacked_by, lost_at, lost_by, lost_reason"
    source = await table(
        inputs.fulfillment,
        f"""SELECT p.shop, p.order_id, p.parcel_id, {names},
                (SELECT jsonb_agg(jsonb_build_object('line', l.line, 'quantity', l.quantity) ORDER BY l.line)
                 FROM parcel_line l WHERE (l.shop, l.order_id, l.parcel_id) = (p.shop, p.order_id, p.parcel_id)
                )::text AS lines
            FROM parcel p""",  # noqa: S608
        key=PARCEL,
    )
    copy = await table(
        inputs.orders,
        f"""SELECT shop, order_id, parcel_id, {names}, {_LINES_OF_COPY}
            FROM parcel LEFT JOIN unpacking USING (shop, order_id, parcel_id)
            LEFT JOIN lost_parcel USING (shop, order_id, parcel_id)""",  # noqa: S608
        key=PARCEL,
    )
    for finding in compare("orders' copy of the parcel", await living(inputs, source), copy):
        yield finding


@check
async def orders_know_every_shipment(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of the shipments is fulfillment's, in the latest version, cancelled or not."""
    names = (
        "carrier, tracking_number, tracking_url, shipped_on, expected_on, notify_customer, dispatched_at, "
        "dispatched_by, version, cancelled_at, cancelled_by, cancel_reason"
    )
    source = await table(
        inputs.fulfillment,
        f"""SELECT s.shop, s.order_id, s.shipment_id, {names},
                (SELECT array_agg(p.parcel_id ORDER BY p.parcel_id) FROM shipment_parcel p
                 WHERE (p.shop, p.order_id, p.shipment_id) = (s.shop, s.order_id, s.shipment_id)) AS parcel_ids
            FROM shipment s""",  # noqa: S608
        key=SHIPMENT,
    )
    copy = await table(
        inputs.orders,
        f"""SELECT shop, order_id, shipment_id, {names},
                (SELECT array_agg(p ORDER BY p) FROM unnest(parcel_ids) AS p) AS parcel_ids FROM shipment""",  # noqa: S608
        key=SHIPMENT,
    )
    for finding in compare("orders' copy of the shipment", await living(inputs, source), copy):
        yield finding


@check
async def orders_know_every_delivery(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of the deliveries is fulfillment's."""
    names = "delivered_at, proof, proof_reference, recorded_by"
    source = await table(
        inputs.fulfillment,
        f"SELECT shop, order_id, shipment_id, {names} FROM shipment WHERE delivered_at IS NOT NULL",  # noqa: S608
        key=SHIPMENT,
    )
    copy = await table(
        inputs.orders,
        f"SELECT shop, order_id, shipment_id, {names} FROM delivery",  # noqa: S608
        key=SHIPMENT,
    )
    for finding in compare("orders' copy of the delivery", await living(inputs, source), copy):
        yield finding


def _is_emptied(mail: Mapping[str, Any]) -> bool:
    return mail["template"] == "checkout_abandoned" and not mail["recipient"]


@check
async def orders_know_every_mail(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of the outcome of mails is notifier's.

    Reminders that notifier has emptied are left out: orders keeps its copy as long as the checkout.
    """
    key = ("shop", "order_id", "mail_id")
    source = await table(
        inputs.notifier,
        """SELECT shop, id AS mail_id, order_id, template, coalesce(resent_to, recipient) AS recipient, cause_id,
               CASE state WHEN 'done' THEN 'sent' ELSE state END AS state
           FROM mail_with_state WHERE state IN ('done', 'failed', 'uncertain', 'bounced', 'suppressed', 'withdrawn')""",
        key=key,
    )
    copy = await table(
        inputs.orders,
        "SELECT shop, mail_id, order_id, template, recipient, cause_id, state FROM mail",
        key=key,
    )
    for emptied in [at for at, row in source.items() if _is_emptied(row)]:
        source.pop(emptied)
        copy.pop(emptied, None)
    for finding in compare("orders' copy of the mail", await living(inputs, source), copy):
        yield finding
