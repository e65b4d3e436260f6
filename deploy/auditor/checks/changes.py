"""Changed and deleted orders: what orders wrote, fulfillment stopped and payments posted is one story."""

import json
from collections.abc import AsyncIterator
from typing import Any

from deploy.auditor.finding import Finding, check, compare
from deploy.auditor.ground import Ground, Rows, living, table
from deploy.auditor.retention import hears_since

EDIT = ("shop", "order_id", "edit_id")


@check
async def edits_are_in_the_books(ground: Ground) -> AsyncIterator[Finding]:
    """Payments heard of every change that took effect, with the sum by which it changes what is due."""
    truth = await table(
        ground.orders,
        "SELECT shop, order_id, edit_id, cause, due_change_minor FROM order_edit WHERE number IS NOT NULL",
        key=EDIT,
    )
    copy = await table(
        ground.payments, "SELECT shop, order_id, edit_id, cause, due_change_minor FROM order_edit", key=EDIT
    )
    for finding in compare("payments' word on the edit", truth, await living(ground, copy)):
        yield finding


@check
async def edits_are_posted_once(ground: Ground) -> AsyncIterator[Finding]:
    """The ledger has one entry per edit that changes what is due, with what was posted of it."""
    truth = await table(
        ground.payments,
        "SELECT shop, order_id, edit_id::text, posted_minor FROM order_edit WHERE posted_minor <> 0",
        key=EDIT,
    )
    copy = await table(
        ground.payments,
        """SELECT shop, order_id, object_id AS edit_id,
                  sum(CASE WHEN kind = 'credit_granted' THEN -amount_minor ELSE amount_minor END)::bigint
                      AS posted_minor
           FROM ledger_entry WHERE provider = 'order' AND kind <> 'order_total'
               AND object_id NOT LIKE 'external-refunds/%' GROUP BY 1, 2, 3""",
        key=EDIT,
    )
    for finding in compare("ledger entry of the edit", truth, copy):
        yield finding


@check
async def changes_stopped_and_added_the_same_units(ground: Ground) -> AsyncIterator[Finding]:
    """What orders believes was stopped, had left or had no stock is what fulfillment answered."""
    truth = await ground.fulfillment.fetch(
        "SELECT shop, order_id, request_id AS edit_id, kind, done, refused FROM line_change "
        "WHERE kind <> 'refund'"
    )
    answered = {(row["shop"], row["order_id"], row["edit_id"], row["kind"]): _answer(row) for row in truth}
    believed: Rows = {}
    for row in await ground.orders.fetch("SELECT * FROM order_edit WHERE state IN ('done', 'rejected')"):
        key = (row["shop"], row["order_id"], row["edit_id"])
        if row["asked_off"] != "{}":
            believed[*key, "reduction"] = {
                "done": _units(row["stopped"]),
                "refused": _units(row["not_stopped"]),
            }
        addition = (*key, "addition")
        if addition in answered:
            believed[addition] = {**answered[addition], "refused": _units(row["missing"])}
    for finding in compare("orders' word on the change", await living(ground, answered), believed):
        yield finding


@check
async def deleted_orders_are_closed_everywhere(ground: Ground) -> AsyncIterator[Finding]:
    """Payments, fulfillment and notifier have closed exactly the orders that were deleted.

    A service that did not hear of deletions at first need not have closed what was deleted before.
    """
    deleted = await table(ground.orders, "SELECT shop, order_id, code, deleted_at FROM deleted_order")
    for service, name, column in (
        ("payments", "account", "closed_at"),
        ("fulfillment", "fulfilment_order", "deleted_at"),
        ("notifier", "addressee", "deleted_at"),
    ):
        copy = await table(
            ground.connections[service],
            f"SELECT shop, order_id, code FROM {name} WHERE {column} IS NOT NULL",  # noqa: S608
        )
        since = (await hears_since(ground.connections[service], service)).get("orders.order.deleted.v1")
        truth = {
            key: {"code": row["code"]}
            for key, row in deleted.items()
            if key in copy or since is None or row["deleted_at"] >= since
        }
        for finding in compare(f"closed {service}.{name}", truth, copy):
            yield finding


def _answer(row: Any) -> dict[str, Any]:
    return {"done": _units(row["done"]), "refused": _units(row["refused"])}


def _units(text: str) -> dict[int, int]:
    return {int(line): quantity for line, quantity in sorted(json.loads(text).items())}
