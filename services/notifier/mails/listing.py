"""Query of the list of mails: filters as in a request, a page at a time, the latest first.

Text finds a mail by the order's code or by the beginning of the address: both are looked up in an index.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.chassis.http.paging import LARGEST_PAGE, CursorInvalid, LimitInvalid, page_size, read_dated
from services.notifier.mails.mail import Template

ENDS = ("bounced", "suppressed", "withdrawn")
"""Ends of a mail that are not the state of its effect."""
STATES = ("planned", "in_flight", "done", "failed", "uncertain", "discarded", *ENDS)
PAGE = 100


class BadRequest(ValueError):
    """The request has an invalid parameter; the text names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Query:
    """Filters of the mails to list; None: any. `before` is creation time and id of the last one on the
    previous page.
    """

    state: str | None = None
    template: str | None = None
    shop: str | None = None
    order_id: UUID | None = None
    text: str | None = None
    before: tuple[datetime, UUID] | None = None
    ids: list[UUID] | None = None
    limit: int = PAGE


def query_of(query: Mapping[str, str]) -> Query:
    """Return the query of a request's parameters. Raises BadRequest."""
    try:
        limit, before = page_size(query.get("limit"), PAGE), read_dated(query.get("before"))
    except (LimitInvalid, CursorInvalid) as wrong:
        raise BadRequest(str(wrong)) from None
    return Query(
        state=_one_of("state", query.get("state"), STATES),
        template=_one_of("template", query.get("template"), tuple(Template)),
        shop=_plain(query.get("shop")),
        order_id=identifier_of(query["order"], "an order's id") if query.get("order") else None,
        text=_plain(query.get("text")),
        before=before,
        ids=[identifier_of(one) for one in query["ids"].split(",")[:LARGEST_PAGE]]
        if query.get("ids")
        else None,
        limit=limit,
    )


def identifier_of(text: str, what: str = "a mail's id") -> UUID:
    """Return the id in a request's text. Raises BadRequest."""
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest(f"{text[:40]!r} is not {what}") from None


def _one_of(name: str, value: str | None, known: tuple[str, ...]) -> str | None:
    if value and value not in known:
        raise BadRequest(f"{name} {value[:40]!r} is not known; one of {', '.join(known)}")
    return value or None


def _plain(text: str | None) -> str | None:
    return text.replace("\0", "").strip()[:254] or None if text else None
