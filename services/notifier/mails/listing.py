"""Query of the list of mails: filters as in a request, a page at a time, the latest first.

Text finds a mail by the order's code or by the beginning of the address: both are looked up in an index, so
the cost of a list among millions of mails depends only on its page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.mails.mail import Template

STATES = ("planned", "in_flight", "done", "failed", "uncertain", "discarded")
PAGE = 100
MOST = 500


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


def query_of(asked: Mapping[str, str]) -> Query:
    """Return the query of a request's parameters. Raises BadRequest."""
    limit = asked.get("limit", str(PAGE))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:6]) <= MOST):
        raise BadRequest(f"limit {limit[:20]!r} is not a number from 1 to {MOST}")
    return Query(
        state=_one_of("state", asked.get("state"), STATES),
        template=_one_of("template", asked.get("template"), tuple(Template)),
        shop=_plain(asked.get("shop")),
        order_id=identifier_of(asked["order"], "an order's id") if asked.get("order") else None,
        text=_plain(asked.get("text")),
        before=_before(asked.get("before")),
        ids=[identifier_of(one) for one in asked["ids"].split(",")[:MOST]] if asked.get("ids") else None,
        limit=int(limit),
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


def _before(text: str | None) -> tuple[datetime, UUID] | None:
    if not text:
        return None
    moment, _, identifier = text.replace(" ", "+").partition("_")
    try:
        created_at, seen = datetime.fromisoformat(moment), UUID(identifier)
    except ValueError:
        created_at, seen = datetime.min, UUID(int=0)  # noqa: DTZ901 - the naive value is refused below
    if created_at.tzinfo is None:
        raise BadRequest(f"before {text[:80]!r} can't be read; give the `next` of the page before")
    return created_at, seen
