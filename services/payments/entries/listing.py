"""The query parameters of the list of all entries. Pure."""

from datetime import datetime
from uuid import UUID

from starlette.datastructures import QueryParams

from contracts.timestamps import RANGE, is_in_range
from services.chassis.http.paging import page_size, read_dated
from services.payments.accounts.ledger import Kind
from services.payments.entries.store import EntryFilter

_NAMES = frozenset(("shop", "kind", "method", "from", "to", "order", "after", "limit"))


def entries_wanted(query: QueryParams) -> tuple[EntryFilter, int]:
    """Return the filter and the page's size. Raises ValueError, naming the unreadable value and its correct
    form.
    """
    if unknown := set(query) - _NAMES:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))[:100]}; known: {', '.join(sorted(_NAMES))}")
    if not query.get("shop"):
        raise ValueError("shop is missing: ?shop=…")
    if wrong := set(query.getlist("kind")) - set(Kind):
        raise ValueError(f"no such kind: {', '.join(sorted(wrong))[:100]}; kinds: {', '.join(Kind)}")
    limit = page_size(query.get("limit"))
    wanted = EntryFilter(
        shop=query["shop"],
        kinds=query.getlist("kind"),
        methods=query.getlist("method"),
        since=_timestamp(query, "from"),
        until=_timestamp(query, "to"),
        order_id=UUID(query["order"]) if query.get("order") else None,
        after=read_dated(query.get("after")),
    )
    return wanted, limit


def _timestamp(query: QueryParams, name: str) -> datetime | None:
    text = query.get(name)
    timestamp = datetime.fromisoformat(text) if text else None
    if timestamp is not None and timestamp.tzinfo is None:
        raise ValueError(f"{name} needs a time zone: 2026-11-22T00:00:00+01:00")
    if timestamp is not None and not is_in_range(timestamp):
        raise ValueError(f"{name} is out of range; give a time from {RANGE}")
    return timestamp
