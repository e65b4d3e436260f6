"""The orders list of the REST API: its query and the form of its rows.

The engine (`finder/`) selects the orders; pages are delimited by a cursor, forwards and backwards.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from contracts.timestamps import in_zone
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Page
from services.orders.listing.words import PAYMENT_OF, STATUS_OF
from services.orders.staff.labels import Labels

LARGEST_PAGE = 200


class ListQuery(Filters):
    """A list request: its filters, sort order and page."""

    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="Most orders on the page.")
    after: str | None = Field(default=None, max_length=100, description="`next` of the page before.")
    before: str | None = Field(default=None, max_length=100, description="`previous` of the page after.")


def page_document(page: Page, rows: Sequence[Mapping[str, Any]], labels: Labels) -> dict[str, Any]:
    """Return the page: its orders, and the cursors of the pages beside it, if there are any."""
    return {
        "orders": [summary(row, labels) for row in rows],
        "next": str(page.next) if page.next else None,
        "previous": str(page.previous) if page.previous else None,
    }


def summary(row: Mapping[str, Any], labels: Labels) -> dict[str, Any]:
    """Return an order in the form of the list."""
    return {
        **row,
        "order_id": str(row["order_id"]),
        "placed_at": utc_text(row["placed_at"]),
        "archived_at": utc_text(row["archived_at"]) if row["archived_at"] else None,
        "changed_at": utc_text(row["changed_at"]),
        "label": label(row["label"], labels),
        "status": STATUS_OF.get(row["state"]),
        "payment": PAYMENT_OF[row["payment_status"]],
    }


def label(key: str, labels: Labels) -> dict[str, str]:
    """Return a label with its texts."""
    return {"key": key, **labels.texts(key)}


def utc_text(timestamp: datetime) -> str:
    """Return the time as RFC 3339 in UTC, ending in Z."""
    return in_zone(timestamp, UTC).isoformat().replace("+00:00", "Z")
