"""A filter prepared for SQL: kinds, instants, amounts and words. Pure.

Days are the shop's own: the rules of its time zone decide when they begin, also when clocks change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from contracts.timestamps import EARLIEST, LATEST
from services.orders.listing.filters import Filters
from services.orders.listing.finder.kinds import Facet, fitting, fitting_in_trouble
from services.orders.order.search.folding import terms, whole


@dataclass(frozen=True, slots=True)
class Selection:
    """The criteria of a search in one shop. `troubled_kinds`: of these only orders with a mail or a command
    in trouble.

    The period is [since, until). `terms` must all occur, or `whole`, which is all of them as one word;
    `is_hopeless`: there is text to find but no letter in it.
    """

    shop: str
    kinds: tuple[int, ...]
    troubled_kinds: tuple[int, ...] = ()
    has_every_kind: bool = False
    since: datetime | None = None
    until: datetime | None = None
    amount_min: int | None = None
    amount_max: int | None = None
    facets: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    whole: str | None = None
    is_hopeless: bool = False

    @property
    def has_amounts(self) -> bool:
        """Return whether the total is limited."""
        return self.amount_min is not None or self.amount_max is not None

    @property
    def has_period(self) -> bool:
        """Return whether the time placed is limited."""
        return self.since is not None or self.until is not None


def select(shop: str, filters: Filters, kinds: Sequence[Facet], zone: ZoneInfo) -> Selection:
    """Return the selection these filters mean among the kinds that have occurred in a shop."""
    wanted = tuple(kind.kind_id for kind in fitting(kinds, filters))
    words = terms(filters.q)
    return Selection(
        shop=shop,
        kinds=wanted,
        troubled_kinds=tuple(kind.kind_id for kind in fitting_in_trouble(kinds, filters)),
        has_every_kind=len(wanted) == len(kinds),
        since=midnight(filters.from_, zone) if filters.from_ else None,
        until=midnight_after(filters.to, zone) if filters.to else None,
        amount_min=filters.amount_min,
        amount_max=filters.amount_max,
        facets=tuple(tag_facet(tag) for tag in filters.tag),
        terms=words,
        whole=whole(filters.q),
        is_hopeless=bool(filters.q.strip()) and not words,
    )


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return when a day begins in the zone, in UTC. A day out of the range of accepted times becomes the next
    one in it.
    """
    near = min(max(day, EARLIEST.date()), LATEST.date())
    return datetime.combine(near, time.min, zone).astimezone(UTC)


def midnight_after(day: date, zone: tzinfo) -> datetime:
    """Return when a day ends in the zone, in UTC."""
    return midnight(day + timedelta(days=1), zone) if day < LATEST.date() else LATEST


def tag_facet(tag_id: object) -> str:
    """Return the facet of the orders that have a tag."""
    return f"tag:{tag_id}"
