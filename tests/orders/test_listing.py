"""The list's query: cursors come back as they were given out, filters become conditions, periods become instants."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.orders import OrderState
from services.orders.cursor import CursorUnreadable, Place
from services.orders.labels import combined
from services.orders.listing import (
    PAYMENT_OF,
    STATUS_OF,
    ListQuery,
    PaymentWord,
    StatusWord,
    page,
    statement,
)
from services.orders.payment_status import PaymentStatus

PARIS = ZoneInfo("Europe/Paris")
MOMENTS = st.timedeltas(timedelta(), timedelta(days=2_900_000)).map(datetime(1970, 1, 1, tzinfo=UTC).__add__)


def asked(**filters: object) -> ListQuery:
    return ListQuery.model_validate(filters)


def arguments(**filters: object) -> list[Any]:
    return statement("maison", asked(**filters), PARIS)[1]


@given(MOMENTS, st.uuids())
def test_a_cursor_comes_back_as_the_place_it_was(moment: datetime, order_id: UUID) -> None:
    cursor = str(Place(moment, order_id))
    assert Place.read(cursor) == Place(moment, order_id)
    assert len(cursor) == 34
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(CursorUnreadable, match="next"):
        Place.read(text)


@given(MOMENTS, st.uuids(), st.integers(0, 33), st.sampled_from("Aé=+/ Z9\0"))
def test_a_changed_cursor_is_refused_or_another_place(
    moment: datetime, order_id: UUID, at: int, other: str
) -> None:
    cursor = str(Place(moment, order_id))
    changed = cursor[:at] + other + cursor[at + 1 :]
    try:
        assert str(Place.read(changed)) == changed
    except CursorUnreadable:
        assert changed != cursor


def test_without_filters_a_page_is_one_statement_over_the_shop_newest_first() -> None:
    sql, values = statement("maison", asked(), PARIS)
    assert values == ["maison", 51]
    assert "where shop = $1\n" in sql
    assert sql.endswith("order by placed_at desc, order_id desc limit $2")
    assert "count(" not in sql
    assert "offset" not in sql


def test_one_value_is_an_equality_and_several_are_any_of_them() -> None:
    sql, values = statement("maison", asked(state=["ready"], module=["shop", "events"]), PARIS)
    assert "state = $2" in sql
    assert "module = any($3::text[])" in sql
    assert values == ["maison", "ready", ["events", "shop"], 51]


def test_status_and_state_must_both_hold() -> None:
    assert arguments(status=["new"], state=["ready", "processing"])[1] == "ready"
    assert arguments(status=["done"], state=["ready"])[1] == []
    assert arguments(status=["done", "cancelled"])[1] == ["cancelled", "completed"]


def test_payment_and_payment_status_must_both_hold() -> None:
    assert arguments(payment=["paid"])[1] == ["overpaid", "paid", "partially_refunded"]
    assert arguments(payment=["unpaid"])[1] == ["authorized", "partially_paid", "unpaid"]
    assert arguments(payment=["in_progress"])[1] == ["in_progress", "pending"]
    assert arguments(payment=["none"])[1] == "void"
    assert arguments(payment=["unpaid"], payment_status=["partially_paid", "paid"])[1] == "partially_paid"
    assert arguments(payment=["refunded"], payment_status=["paid"])[1] == []


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
    sql, values = statement("maison", ListQuery.model_validate({"from": first, "to": last}), PARIS)
    assert "placed_at >= $2 and placed_at < $3" in sql
    assert values[1:3] == [datetime.fromisoformat(begins + "Z"), datetime.fromisoformat(ends + "Z")]


@given(
    st.dates(date(1970, 1, 1), date(9000, 12, 31)),
    st.sampled_from(["Europe/Paris", "Pacific/Apia", "America/Sao_Paulo"]),
)
def test_any_day_has_a_begin_and_an_end_of_at_most_25_hours(day: date, zone: str) -> None:
    _, values = statement("maison", ListQuery.model_validate({"from": day, "to": day}), ZoneInfo(zone))
    assert timedelta(hours=23) <= values[2] - values[1] <= timedelta(hours=25) or zone == "Pacific/Apia"


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


def test_what_a_caller_sends_never_becomes_sql() -> None:
    place = str(Place(datetime(2026, 11, 22, tzinfo=UTC), UUID(int=7)))
    texts = set()
    for state, module in product(OrderState, ["shop", "slots"]):
        sql, _ = statement("o'; drop", asked(state=[state], module=[module], after=place), PARIS)
        texts.add(sql)
    assert len(texts) == 1


def test_a_full_page_says_where_the_next_begins_and_the_last_says_there_is_none() -> None:
    rows = [row(number) for number in range(3)]
    first = page(rows, 2, combined([]))
    assert [one["code"] for one in first["orders"]] == ["K-0", "K-1"]
    assert Place.read(first["next"]) == Place(rows[1]["placed_at"], rows[1]["order_id"])
    assert page(rows, 3, combined([]))["next"] is None
    assert page([], 3, combined([])) == {"orders": [], "next": None}


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
