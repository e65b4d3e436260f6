"""One complete order: everything this service has recorded of it, as the REST API returns it.

All parts come from one statement, so from one snapshot: a balance never appears beside a ledger it does not
fit. The customer's IP address and browser are left out; reading them needs a permission that no API token
has.
"""

import json
from collections.abc import Mapping
from typing import Any

from services.orders.listing.documents import OrderResponse
from services.orders.listing.orders import label
from services.orders.listing.words import PAYMENT_OF, STATUS_OF
from services.orders.staff.labels import Labels

PARTS = (
    "lines",
    "ledger",
    "refunds",
    "disputes",
    "parcels",
    "shipments",
    "deliveries",
    "mails",
    "activity",
    "history",
    "commands",
    "tags",
)
"""Parts of an order kept in rows of their own; columns of `read_order_whole`."""
_FROM_SUBMISSION = (
    "billing_address",
    "shipping_address",
    "note",
    "prices_include_tax",
    "totals",
    "shipping",
    "extra_lines",
)
_MONEY = (
    "due_minor",
    "credited_minor",
    "received_minor",
    "received_by_hand_minor",
    "refunded_minor",
    "refunds_pending_minor",
    "marked_minor",
    "disputed_minor",
    "authorised_minor",
    "balance_minor",
    "attempt",
)


def show(row: Mapping[str, str], labels: Labels) -> OrderResponse:
    """Return the document for a row of `read_order_whole`, whose columns are all JSON."""
    order = json.loads(row["order"])
    submission = json.loads(row["submission"] or "{}") | json.loads(row["amendment"] or "{}")
    document = {
        **{name: submission[name] for name in _FROM_SUBMISSION if submission.get(name) is not None},
        **order,
        **{part: json.loads(row[part]) for part in PARTS},
        "label": label(order["label"], labels),
        "status": STATUS_OF.get(order["state"]),
        "payment": PAYMENT_OF[order["payment_status"]],
        "customer": _customer(order, submission),
        "money": _money(order),
    }
    _add_positions(document["lines"], order["line_positions"])
    return OrderResponse.model_validate(document)


def _customer(order: dict[str, Any], submission: dict[str, Any]) -> dict[str, Any]:
    submitted = submission.get("customer", {})
    return {
        "name": order["customer_name"],
        "email": order["customer_email"],
        "phone": order["customer_phone"],
        "company": submitted.get("company"),
        "vat_number": submitted.get("vat_number"),
        "company_id": submitted.get("company_id"),
    }


def _money(order: dict[str, Any]) -> dict[str, Any]:
    money = {name: order[name] for name in _MONEY}
    return {**money, "version": order["payment_version"], "flags": order["payment_flags"]}


def _add_positions(lines: list[dict[str, Any]], positions: list[dict[str, Any]]) -> None:
    by_line = {position["line"]: position for position in positions}
    for line in lines:
        line["position"] = by_line.get(line["line"])
