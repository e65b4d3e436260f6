"""The list's query: cursors come back as they were given out, filters become conditions, periods become instants."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.orders.lifecycle import OrderState
from services.chassis.http.paging import CursorInvalid
from services.orders.listing.cursor import PageCursor
from services.orders.listing.finder.finder import Page
from services.orders.listing.finder.scans import Scan
from services.orders.listing.finder.searching import indexed
from services.orders.listing.finder.selection import Selection, midnight, select
from services.orders.listing.finder.statements import (
    Sql,
    gather,
    gather_facets,
    gather_period,
    merge,
    merge_facets,
    scan,
    troubled,
)
from services.orders.listing.orders import ListQuery, page_document
from services.orders.listing.words import PAYMENT_OF, STATUS_OF, PaymentWord, Sort, StatusWord
from services.orders.order.payment_status import PaymentStatus
from services.orders.staff.labels import combined

PARIS = ZoneInfo("Europe/Paris")
TIMESTAMPS = st.timedeltas(timedelta(), timedelta(days=2_900_000)).map(
    datetime(1970, 1, 1, tzinfo=UTC).__add__
)


def query(**filters: object) -> ListQuery:
    return ListQuery.model_validate(filters)


@given(TIMESTAMPS, st.uuids())
def test_a_cursor_comes_back_as_the_place_it_was(timestamp: datetime, order_id: UUID) -> None:
    cursor = str(PageCursor(timestamp, order_id))
    assert PageCursor.read(cursor) == PageCursor(timestamp, order_id)
    assert len(cursor) == 34
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid, match="next"):
        PageCursor.read(text)


@given(TIMESTAMPS, st.uuids(), st.integers(0, 33), st.sampled_from("Aé=+/ Z9\0"))
def test_a_changed_cursor_is_refused_or_another_place(
    timestamp: datetime, order_id: UUID, at: int, other: str
) -> None:
    cursor = str(PageCursor(timestamp, order_id))
    changed = cursor[:at] + other + cursor[at + 1 :]
    try:
        assert str(PageCursor.read(changed)) == changed
    except CursorInvalid:
        assert changed != cursor


def test_every_state_and_status_has_its_words_and_none_is_in_two() -> None:
    assert set(STATUS_OF) == {state.value for state in OrderState} - {"draft"}
    assert set(STATUS_OF.values()) == {word.value for word in StatusWord}
    assert set(PAYMENT_OF) == {status.value for status in PaymentStatus}
    assert set(PAYMENT_OF.values()) == {word.value for word in PaymentWord}


@pytest.mark.parametrize(
    ("first", "last", "begins", "ends"),
    [
        ("2026-11-22", "2026-11-22", "2026-11-21T23:00:00", "2026-11-22T23:00:00"),
        ("2026-03-29", "2026-03-29", "2026-03-28T23:00:00", "2026-03-29T22:00:00"),
        ("2026-10-25", "2026-10-25", "2026-10-24T22:00:00", "2026-10-25T23:00:00"),
    ],
)
def test_days_are_inclusive_and_the_shops_own_even_when_clocks_change(
    first: str, last: str, begins: str, ends: str
) -> None:
    chosen = select("maison", query(**{"from": first, "to": last}), [], PARIS)
    assert chosen.since == datetime.fromisoformat(begins + "Z")
    assert chosen.until == datetime.fromisoformat(ends + "Z")


@given(
    st.dates(date(1970, 1, 1), date(2200, 12, 30)),
    st.sampled_from(["Europe/Paris", "Pacific/Apia", "America/Sao_Paulo"]),
)
def test_any_day_has_a_begin_and_an_end_of_at_most_25_hours(day: date, zone: str) -> None:
    length = midnight(day + timedelta(days=1), ZoneInfo(zone)) - midnight(day, ZoneInfo(zone))
    assert timedelta(hours=23) <= length <= timedelta(hours=25) or zone == "Pacific/Apia"


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": ["paid"]},
        {"limit": 0},
        {"limit": 201},
        {"from": "2026-13-01"},
        {"from": "0001-01-01"},
        {"to": "9999-12-31"},
        {"from": "2026-11-23", "to": "2026-11-22"},
        {"stat": ["ready"]},
        {"after": "x" * 101},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ListQuery.model_validate(wrong)


def test_a_filter_that_means_nothing_names_those_that_do() -> None:
    with pytest.raises(ValidationError, match=r"'to_process', 'to_collect'.*'archived'"):
        ListQuery.model_validate({"tab": "todo"})
    with pytest.raises(ValidationError, match="such as EUR"):
        ListQuery.model_validate({"amount_min": 5})


@given(st.text(max_size=20), st.sampled_from(Sort))
def test_what_a_caller_sends_never_becomes_sql(text: str, sort: Sort) -> None:
    place = PageCursor(5 if sort.is_by_total else datetime(2026, 11, 22, tzinfo=UTC), UUID(int=7))
    order = Scan(sort.is_by_total, sort.is_descending, place)
    day = datetime(2026, 11, 22, tzinfo=UTC)
    texts = set()
    for words in (text.replace("@", ""), "plain"):
        chosen = Selection(words, (1,), (2,), False, day, day, 1, 2, (words,), (words,))
        for statement_of in (
            scan_of,
            merge,
            gather,
            gather_period,
            gather_facets,
            merge_facets,
            troubled,
            indexed_of,
        ):
            sql, arguments = statement_of(chosen, order, 50)
            texts.add((statement_of.__name__, sql))
            assert words in arguments
    assert len(texts) == 8


def scan_of(chosen: Selection, order: Scan, limit: int) -> Sql:
    """A scan of some window."""
    return scan(chosen, order, 1000, limit)


def indexed_of(chosen: Selection, order: Scan, limit: int) -> Sql:
    """A search that leaves nothing out."""
    return indexed(chosen, order, limit, ())


def test_a_page_names_the_beginnings_of_its_neighbours() -> None:
    rows = [row(number) for number in range(2)]
    places = [PageCursor(one["placed_at"], one["order_id"]) for one in rows]
    both = page_document(
        Page(tuple(one["order_id"] for one in rows), places[1], places[0]), rows, combined([])
    )
    assert [one["code"] for one in both["orders"]] == ["K-0", "K-1"]
    assert (PageCursor.read(both["next"]), PageCursor.read(both["previous"])) == (places[1], places[0])
    assert page_document(Page((), None, None), [], combined([])) == {
        "orders": [],
        "next": None,
        "previous": None,
    }


def row(number: int) -> dict[str, Any]:
    return {
        "order_id": UUID(int=number),
        "code": f"K-{number}",
        "placed_at": datetime(2026, 11, 22, tzinfo=UTC) - timedelta(minutes=number),
        "changed_at": datetime(2026, 11, 22, tzinfo=UTC),
        "archived_at": None,
        "label": "payments_received",
        "state": "ready",
        "payment_status": "overpaid",
    }
