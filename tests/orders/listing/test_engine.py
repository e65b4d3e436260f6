"""Whatever is asked, and whichever way the engine takes: the orders are those of a plain filter over all of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.orders.lifecycle import OrderState
from contracts.sale import Module, PaymentMethod
from services.chassis.http.paging import CursorInvalid
from services.orders.listing.cursor import PageCursor
from services.orders.listing.filters import Filters
from services.orders.listing.finder import finder as engine
from services.orders.listing.finder import plans, searching
from services.orders.listing.finder.finder import Finder
from services.orders.listing.words import PaymentWord, Sort, StatusWord, Tab
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.payment_status import PaymentStatus
from tests.conftest import Desks
from tests.orders.listing.random_orders import (
    CARRIERS,
    CURRENCIES,
    FIRST_DAY,
    LABELS,
    PARIS,
    SHOP,
    TAGS,
    Sample,
    insert_samples,
    plainly,
)

WORDS = [
    "",
    "",
    "",
    "zoe",
    "MARTIN",
    "martin zoe",
    "k0",
    "zoe1@client.example",
    "example",
    "œuvr",
    "0612345678",
]
WORDS += [
    "+33 6 12 34 56 78",
    "ελέν",
    "%_\\",
    "z",
    "q9mx",
    "w-1",
    "nothing at all",
    "--",
    "ann3@client.example",
]
MOST_ORDERS = 400


def some(values: Any) -> st.SearchStrategy[list[Any]]:
    """Mostly none, else a few values."""
    return st.one_of(
        st.just([]), st.just([]), st.lists(st.sampled_from(list(values)), max_size=3, unique=True)
    )


DAYS = st.one_of(st.none(), st.integers(-1, 21).map(lambda day: FIRST_DAY.date() + timedelta(days=day)))
AMOUNTS = st.one_of(st.none(), st.integers(-1, 12).map(lambda step: step * 500))


@st.composite
def queries(draw: st.DrawFn) -> Filters:
    """Any filters that make sense."""
    first, last, low, high = draw(DAYS), draw(DAYS), draw(AMOUNTS), draw(AMOUNTS)
    if first and last and first > last:
        first, last = last, first
    if low is not None and high is not None and low > high:
        low, high = high, low
    needs_currency = low is not None or high is not None
    return Filters(
        tab=draw(st.sampled_from([None, None, *Tab])),
        state=draw(some(OrderState)),
        status=draw(some(StatusWord)),
        label=draw(some(LABELS)),
        payment=draw(some(PaymentWord)),
        payment_status=draw(some(PaymentStatus)),
        fulfilment=draw(some(FulfilmentStatus)),
        module=draw(some(Module)),
        payment_method=draw(some(PaymentMethod)),
        carrier=draw(some(CARRIERS)),
        tag=draw(some(TAGS)),
        from_=first,
        to=last,
        amount_min=low,
        amount_max=high,
        currency=draw(st.sampled_from(CURRENCIES if needs_currency else [None, *CURRENCIES])),
        q=draw(st.sampled_from(WORDS)),
        sort=draw(st.sampled_from(Sort)),
    )


@st.composite
def limits(draw: st.DrawFn) -> dict[str, int]:
    """Where each way gives up: so small that all of them are taken among a few hundred orders."""
    return {
        "WINDOW": draw(st.sampled_from([3, 40, 10_000])),
        "FEW": draw(st.sampled_from([1, 30, 10_000])),
        "FEW_WITH_WORDS": draw(st.sampled_from([1, 30, 10_000])),
        "FEW_IN_INDEX": draw(st.sampled_from([1, 10_000])),
        "MERGE_COST": draw(st.sampled_from([0, 1000])),
    }


async def read_all(
    finder: Finder, connection: Any, filters: Filters, limit: int, *, backwards: bool = False
) -> list[Any]:
    """Every id, page by page; backwards: to the last page and then all the way back."""
    pages = [await finder.page(connection, SHOP, filters, PARIS, limit=limit)]
    while pages[-1].next is not None:
        pages.append(
            await finder.page(connection, SHOP, filters, PARIS, limit=limit, after=str(pages[-1].next))
        )
    if backwards:
        way = [pages[-1]]
        while way[-1].previous is not None:
            way.append(
                await finder.page(connection, SHOP, filters, PARIS, limit=limit, before=str(way[-1].previous))
            )
        pages = way[::-1]
    return [order_id for page in pages for order_id in page.order_ids]


@dataclass(repr=False)
class Shop:
    """A shop with orders of every kind, and the same as the plain filter sees them."""

    connection: Any
    samples: list[Sample]


@pytest.fixture
async def shop(desks: Desks) -> AsyncIterator[Shop]:
    """Made once for all examples of a test."""
    desk = await desks("orders")
    async with desk.hub.acquire() as connection:
        samples = await insert_samples(connection, seed=7, count=MOST_ORDERS)
        await connection.execute("analyze")
        yield Shop(connection, samples)


@pytest.mark.timeout(300)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=queries(),
    limit=st.sampled_from([1, 7, 50, 1000]),
    gives_up=limits(),
    sample=st.sampled_from([1, 3, 1000]),
    backwards=st.booleans(),
)
async def test_any_query_finds_what_a_plain_filter_finds(
    shop: Shop, query: Filters, limit: int, gives_up: dict[str, int], sample: int, backwards: bool
) -> None:
    expected = [one.order_id for one in plainly(shop.samples, query, PARIS)]
    with pytest.MonkeyPatch.context() as patch:
        for name, number in gives_up.items():
            patch.setattr(plans, name, number)
        patch.setattr(searching, "WINDOW", gives_up["WINDOW"])
        patch.setattr(searching, "SAMPLE", sample)
        finder = Finder()
        limit = max(limit, len(expected) // 20)
        assert await read_all(finder, shop.connection, query, limit, backwards=backwards) == expected
        counted = await finder.count(shop.connection, SHOP, query, PARIS)
        assert (counted.number, counted.is_exact) == (len(expected), True)
        patch.setattr(engine, "COUNTED", 5)
        counted = await finder.count(shop.connection, SHOP, query, PARIS)
        assert (counted.number, counted.is_exact) == (min(len(expected), 5), len(expected) <= 5)


@given(query=queries())
def test_the_address_line_is_the_view(query: Filters) -> None:
    assert Filters.from_url(query.url()) == query


async def test_a_cursor_of_another_sequence_is_refused(shop: Shop) -> None:
    finder, by_total = Finder(), PageCursor(500, shop.samples[0].order_id)
    with pytest.raises(CursorInvalid):
        await finder.page(shop.connection, SHOP, Filters(), PARIS, after=str(by_total))
    with pytest.raises(CursorInvalid):
        await finder.page(
            shop.connection,
            SHOP,
            Filters(sort=Sort.LOWEST),
            PARIS,
            after=str(PageCursor(FIRST_DAY, by_total.order_id)),
        )
