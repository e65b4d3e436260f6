"""Queries of the lists of threads and received mails: filters as in a request, a page at a time, the latest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.notifier.conversation import InboundOutcome, ThreadState
from services.chassis.http.paging import CursorInvalid, LimitInvalid, page_size, read_dated
from services.notifier.mails.listing import BadRequest, identifier_of

PAGE = 50
NOT_CLOSED = "not_closed"
"""The filter of threads in any state but closed."""
Before = tuple[datetime, UUID] | None


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """Filters of the threads to list; None: any. `before` is time and order of the last one on the previous page."""

    shop: str | None
    state: str | None
    assignee: str | None
    text: str | None
    unread: bool
    before: Before
    limit: int


@dataclass(frozen=True, slots=True)
class InboundQuery:
    """Filters of the received mails to list; None: any. `filed`: whether staff filed it or set it aside. `waiting`:
    only those that wait for staff to do so.
    """

    shop: str | None
    inbound_id: UUID | None
    outcome: str | None
    order_id: UUID | None
    filed: bool | None
    waiting: bool
    before: Before
    limit: int


def thread_query(query: Mapping[str, str]) -> ThreadQuery:
    """Return the query of a request's parameters. Raises BadRequest."""
    before, limit = _page(query)
    return ThreadQuery(
        shop=_plain(query.get("shop")),
        state=_one_of("state", query.get("state"), (*ThreadState, NOT_CLOSED)),
        assignee=_plain(query.get("assignee")),
        text=_plain(query.get("text")),
        unread=_truth("unread", query.get("unread")) is True,
        before=before,
        limit=limit,
    )


def inbound_query(query: Mapping[str, str]) -> InboundQuery:
    """Return the query of a request's parameters. Raises BadRequest."""
    before, limit = _page(query)
    return InboundQuery(
        shop=_plain(query.get("shop")),
        inbound_id=identifier_of(query["id"], "a received mail's id") if query.get("id") else None,
        outcome=_one_of("outcome", query.get("outcome"), tuple(InboundOutcome)),
        order_id=identifier_of(query["order"], "an order's id") if query.get("order") else None,
        filed=_truth("filed", query.get("filed")),
        waiting=_truth("waiting", query.get("waiting")) is True,
        before=before,
        limit=limit,
    )


def _page(query: Mapping[str, str]) -> tuple[Before, int]:
    try:
        return read_dated(query.get("before")), page_size(query.get("limit"), PAGE)
    except (LimitInvalid, CursorInvalid) as wrong:
        raise BadRequest(str(wrong)) from None


def _one_of(name: str, value: str | None, known: tuple[str, ...]) -> str | None:
    if value and value not in known:
        raise BadRequest(f"{name} {value[:40]!r} is not known; one of {', '.join(known)}")
    return value or None


def _truth(name: str, value: str | None) -> bool | None:
    if value and value not in ("yes", "no"):
        raise BadRequest(f"{name} {value[:40]!r} is not known; one of yes, no")
    return value == "yes" if value else None


def _plain(text: str | None) -> str | None:
    return text.replace("\0", "").strip()[:254] or None if text else None
