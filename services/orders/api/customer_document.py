"""One order as its customer may see it, for the page behind the link in their mails.

A list of what may be shown, not of what may not: nothing from the comments, the staff, the browser and its
address, or from other orders is read at all. Amounts are in minor units.
"""

import json
from collections.abc import Mapping
from typing import Any

from contracts.orders.lifecycle import OrderState
from services.orders.order.cancellation import DECLINED, TOO_LATE, paid_back_minor, refused
from services.orders.order.fulfilment_status import Quantities
from services.orders.staff.labels import Labels

_FROM_ORDER = (
    "code",
    "locale",
    "currency",
    "state",
    "payment_method",
    "payment_status",
    "fulfilment_status",
    "customer_name",
)
_FROM_SALE = ("shipping_address", "billing_address", "totals", "prices_include_tax")
_SIGNS = {
    "payment_received": 1,
    "payment_reversed": -1,
    "refund_paid": -1,
    "refund_failed": 1,
    "refund_marked": -1,
    "refund_mark_reversed": 1,
    "transfer_in": 1,
    "transfer_out": -1,
}
"""Ledger entries by which money came from the customer (1) or went back (-1); all others are the shop's own."""


def show_to_customer(row: Mapping[str, Any], labels: Labels) -> dict[str, Any]:
    """Return the document for a row of `read_for_customer`."""
    sale = json.loads(row["submission"]) | json.loads(row["amendment"] or "{}")
    return {
        **{name: row[name] for name in _FROM_ORDER},
        **{name: sale[name] for name in _FROM_SALE if sale.get(name) is not None},
        "placed_at": row["placed_at"].isoformat(),
        "label": labels.texts(row["label"]),
        "shipping": _priced(sale.get("shipping")),
        "extra_lines": [_priced(line) for line in sale.get("extra_lines") or ()],
        "lines": _lines(row),
        "money": _money(row),
        "payments": _payments(json.loads(row["ledger"])),
        "shipments": json.loads(row["shipments"]),
        "documents": json.loads(row["documents"]),
        "cancellation": _cancellation(row),
    }


def _priced(one: dict[str, Any] | None) -> dict[str, Any] | None:
    return {"label": one.get("label"), "amount_minor": one["amount_minor"]} if one else None


def _lines(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    positions = json.loads(row["line_positions"] or "[]")
    cancelled = {position["line"]: position.get("cancelled", 0) for position in positions}
    return [{**line, "cancelled": cancelled.get(line["line"], 0)} for line in json.loads(row["lines"])]


def _money(row: Mapping[str, Any]) -> dict[str, int]:
    return {
        "due_minor": row["due_minor"] - row["credited_minor"],
        "received_minor": row["received_minor"],
        "refunded_minor": row["refunded_minor"] + row["marked_minor"],
        "balance_minor": row["balance_minor"],
    }


def _payments(ledger: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "kind": entry["kind"],
            "method": entry["method"],
            "amount_minor": _SIGNS[entry["kind"]] * entry["amount_minor"],
            "on": entry["received_on"] or entry["occurred_at"][:10],
        }
        for entry in ledger
        if entry["kind"] in _SIGNS
    ]


def _cancellation(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the customer may ask to cancel, what would be paid back, and the answer to an earlier request."""
    answer = json.loads(row["answer"]) if row["answer"] else {}
    is_declined = answer.get("kind") == DECLINED
    requested_at = row["cancellation_requested_at"]
    why = refused(OrderState(row["state"]), _units(row))
    return {
        "allowed": why is None and requested_at is None and not is_declined,
        "refused": why.value if why else None,
        "requested_at": requested_at.isoformat() if requested_at else None,
        "declined": answer.get("reason") if is_declined else None,
        "was_too_late": answer.get("kind") == TOO_LATE,
        "paid_back_minor": paid_back_minor(row["received_minor"], row["refunded_minor"], row["marked_minor"]),
    }


def _units(row: Mapping[str, Any]) -> Quantities:
    return Quantities(
        ordered=row["ship_ordered"],
        needed=row["ship_needed"],
        packed=row["ship_packed"],
        lost=row["ship_lost"],
        shipped=row["ship_shipped"],
        other_ordered=row["other_ordered"],
        other_needed=row["other_needed"],
    )
