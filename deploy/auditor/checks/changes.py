"""Changed and deleted orders: orders, fulfillment and payments recorded the same changes."""

import json
from collections.abc import AsyncIterator
from typing import Any

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, Rows, erased, living, table
from deploy.auditor.retention import consumes_since

EDIT = ("shop", "order_id", "edit_id")


@check
async def edits_are_known_to_payments(inputs: Inputs) -> AsyncIterator[Finding]:
    """Payments has received every change that took effect, with the amount by which it changes what is due."""
    source = await table(
        inputs.orders,
        "SELECT shop, order_id, edit_id, cause, due_change_minor FROM order_edit WHERE number IS NOT NULL",
        key=EDIT,
    )
    copy = await table(
        inputs.payments, "SELECT shop, order_id, edit_id, cause, due_change_minor FROM order_edit", key=EDIT
    )
    for finding in compare("payments' word on the edit", source, await living(inputs, copy)):
        yield finding


@check
async def edits_are_posted_once(inputs: Inputs) -> AsyncIterator[Finding]:
    """The ledger has one entry per edit that changes what is due, with what was posted of it."""
    source = await table(
        inputs.payments,
        "SELECT shop, order_id, edit_id::text, posted_minor FROM order_edit WHERE posted_minor <> 0",
        key=EDIT,
    )
    copy = await table(
        inputs.payments,
        """SELECT shop, order_id, object_id AS edit_id,
                  sum(CASE WHEN kind = 'credit_granted' THEN -amount_minor ELSE amount_minor END)::bigint
                      AS posted_minor
           FROM ledger_entry WHERE provider = 'order' AND kind <> 'order_total'
               AND object_id NOT LIKE 'external-refunds/%' GROUP BY 1, 2, 3""",
        key=EDIT,
    )
    for finding in compare("ledger entry of the edit", source, copy):
        yield finding


@check
async def changes_stopped_and_added_the_same_units(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders records as stopped, shipped or out of stock exactly the units that fulfillment answered."""
    source = await inputs.fulfillment.fetch(
        "SELECT shop, order_id, request_id AS edit_id, kind, done, refused FROM line_change "
        "WHERE kind <> 'refund'"
    )
    answered = {(row["shop"], row["order_id"], row["edit_id"], row["kind"]): _answer(row) for row in source}
    believed: Rows = {}
    for row in await inputs.orders.fetch("SELECT * FROM order_edit WHERE state IN ('done', 'rejected')"):
        key = (row["shop"], row["order_id"], row["edit_id"])
        if row["asked_off"] != "{}":
            believed[*key, "reduction"] = {
                "done": _units(row["stopped"]),
                "refused": _units(row["not_stopped"]),
            }
        addition = (*key, "addition")
        if addition in answered:
            believed[addition] = {**answered[addition], "refused": _units(row["missing"])}
    for finding in compare("orders' word on the change", await living(inputs, answered), believed):
        yield finding


@check
async def deleted_orders_are_closed_everywhere(inputs: Inputs) -> AsyncIterator[Finding]:
    """Payments, fulfillment and notifier have closed exactly the orders that were deleted.

    A service that subscribed to deletions only later need not have closed orders deleted before that.
    """
    deleted = await table(inputs.orders, "SELECT shop, order_id, code, deleted_at FROM deleted_order")
    for service, name, column in (
        ("payments", "account", "closed_at"),
        ("fulfillment", "fulfilment_order", "deleted_at"),
        ("notifier", "addressee", "deleted_at"),
    ):
        copy = await table(
            inputs.connections[service],
            f"SELECT shop, order_id, code FROM {name} WHERE {column} IS NOT NULL",  # noqa: S608
        )
        gone = await erased(inputs)
        copy = {key: row for key, row in copy.items() if key in deleted or key not in gone}
        since = (await consumes_since(inputs.connections[service], service)).get("orders.order.deleted.v1")
        source = {
            key: {"code": row["code"]}
            for key, row in deleted.items()
            if key in copy or since is None or row["deleted_at"] >= since
        }
        for finding in compare(f"closed {service}.{name}", source, copy):
            yield finding


@check
async def erased_customers_are_erased_everywhere(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each service has erased the customers of exactly the orders that orders has erased."""
    source: Rows = {key: {"is_erased": True} for key in await erased(inputs)}
    for service in ("payments", "fulfillment", "notifier"):
        copy = await table(
            inputs.connections[service], "SELECT shop, order_id, true AS is_erased FROM msg.erased"
        )
        for finding in compare(f"erasure in {service} of order", source, copy):
            yield finding


@check
async def erased_customers_are_nowhere(inputs: Inputs) -> AsyncIterator[Finding]:
    """No erased order has a name or an address in orders or in notifier."""
    for service, sql in (
        (
            "orders",
            "SELECT shop, order_id FROM orders WHERE customer_email IS NOT NULL OR customer_phone IS NOT NULL",
        ),
        ("notifier", "SELECT shop, order_id FROM addressee WHERE email <> '' OR name <> ''"),
    ):
        rows = await inputs.connections[service].fetch(
            f"SELECT * FROM ({sql}) AS named JOIN msg.erased USING (shop, order_id)"  # noqa: S608
        )
        for row in rows:
            yield Finding(
                f"order {shown((row['shop'], row['order_id']))} in {service}", "no customer", "a customer"
            )


def _answer(row: Any) -> dict[str, Any]:
    return {"done": _units(row["done"]), "refused": _units(row["refused"])}


def _units(text: str) -> dict[int, int]:
    return {int(line): quantity for line, quantity in sorted(json.loads(text).items())}
