"""The filters of a list as chips: each links to the list without that filter."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.orders.backoffice.language import statuses
from services.orders.backoffice.language.formatting import amount, day
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.orders.filter_form import href
from services.orders.listing.filters import Filters
from services.orders.listing.words import Tab

Words = Mapping[str, str]


@dataclass(frozen=True)
class Names:
    """Names that each shop defines: labels by key, tags by id."""

    labels: Words
    tags: Words


def chips(filters: Filters, names: Names) -> list[tuple[str, str]]:
    """Return the text of each filter, and the address without it."""
    return [
        *_archived(filters),
        *_texts(filters),
        *_listed(filters, names),
        *_period(filters),
        *_amounts(filters),
    ]


def _listed(filters: Filters, names: Names) -> Iterator[tuple[str, str]]:
    """Yield the filters that may have several values."""
    for name, word in _vocabularies(names).items():
        values = [str(one) for one in getattr(filters, name)]
        for value in values:
            yield word(value), href(filters, **{name: [one for one in values if one != value] or None})


def _vocabularies(names: Names) -> dict[str, Callable[[str], str]]:
    words = {
        "status": statuses.status_words(),
        "payment": statuses.payment_words(),
        "label": names.labels,
        "payment_status": _first(statuses.payment_badges()),
        "fulfilment": _first(statuses.fulfilment_badges()),
        "tag": names.tags,
        "module": statuses.module_words(),
        "payment_method": statuses.method_words(),
        "state": {},
        "carrier": {},
    }
    return {name: _lookup(known) for name, known in words.items()}


def _lookup(known: Words) -> Callable[[str], str]:
    return lambda value: known.get(value, value)


def _first(badges: statuses.Badges) -> Words:
    return {key: text for key, (text, _) in badges.items()}


def _archived(filters: Filters) -> Iterator[tuple[str, str]]:
    if filters.tab is Tab.EVERYTHING:
        yield gettext("Including archived"), href(filters, tab=Tab.ALL.value)


def _texts(filters: Filters) -> Iterator[tuple[str, str]]:
    if filters.q:
        yield gettext("“%(text)s”", text=filters.q), href(filters, q=None)


def _period(filters: Filters) -> Iterator[tuple[str, str]]:
    if filters.from_ and filters.from_ == filters.to:
        yield day(filters.from_), _without(filters, "from", "to")
        return
    if filters.from_:
        yield gettext("From %(day)s", day=day(filters.from_)), _without(filters, "from")
    if filters.to:
        yield gettext("Until %(day)s", day=day(filters.to)), _without(filters, "to")


def _amounts(filters: Filters) -> Iterator[tuple[str, str]]:
    low, high, currency = filters.amount_min, filters.amount_max, filters.currency
    if currency is None:
        return
    if low is None and high is None:
        yield currency, href(filters, currency=None)
    if low is not None:
        rest: dict[str, Any] = {"amount_min": None} | ({"currency": None} if high is None else {})
        yield gettext("From %(amount)s", amount=amount(low, currency)), href(filters, **rest)
    if high is not None:
        rest = {"amount_max": None} | ({"currency": None} if low is None else {})
        yield gettext("Up to %(amount)s", amount=amount(high, currency)), href(filters, **rest)


def _without(filters: Filters, *names: str) -> str:
    return href(filters, **dict.fromkeys(names))
