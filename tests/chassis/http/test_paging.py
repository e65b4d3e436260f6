"""Page sizes and cursors: what was handed out stays valid, and anything else is refused by name."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.http.paging import (
    LARGEST_PAGE,
    CursorInvalid,
    LimitInvalid,
    dated,
    keyed,
    opaque,
    page_size,
    read_dated,
    read_keyed,
    read_opaque,
)

SOME_ID = UUID("01a202ac-6077-70c6-ac96-a3255db88a44")
SOME_TIME = datetime(2026, 11, 22, 9, 30, 0, 125000, tzinfo=UTC)


@given(st.binary())
def test_opaque_texts_need_no_escaping_and_are_read_back(content: bytes) -> None:
    text = opaque(content)
    assert all(sign.isalnum() or sign in "-_" for sign in text)
    assert read_opaque(text) == content


@given(st.lists(st.one_of(st.integers(-(2**62), 2**62), st.text("abc-é", max_size=9))))
def test_keys_are_read_back_with_their_types(key: list[str | int]) -> None:
    assert read_keyed(keyed(key), *map(type, key)) == key


@pytest.mark.parametrize("content", [b"[" * 20_000, b'{"a":' * 20_000, b"", b"\xff", b"{}"])
def test_a_cursor_of_any_other_content_is_invalid(content: bytes) -> None:
    with pytest.raises(CursorInvalid):
        read_keyed(opaque(content), str)


def test_cursors_that_were_handed_out_stay_valid() -> None:
    assert read_keyed("WzUsICJBIiwgIm1haW4iXQ", int, str, str) == [5, "A", "main"]
    before = "2026-11-22T09:30:00.125000+00:00_01a202ac-6077-70c6-ac96-a3255db88a44"
    assert dated(SOME_TIME, SOME_ID) == before
    assert read_dated(before) == read_dated(before.replace("+", " ")) == (SOME_TIME, SOME_ID)
    assert read_dated(None) is read_dated("") is None


@pytest.mark.parametrize(
    "text", ["", "x", "nonsense", "é", "WzUsICJBIl0", keyed((2**63,)), keyed(("a\0",)), keyed(("\ud800",))]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    for kinds in ((int,), (str,), (int, str, str)):
        with pytest.raises(CursorInvalid, match="next"):
            read_keyed(text, *kinds)


@pytest.mark.parametrize(
    "text",
    ["x", "2026-11-22", f"2026-11-22T09:30:00_{SOME_ID}", "2026-11-22T09:30:00+00:00_7", f"_{SOME_ID}"],
)
def test_what_is_no_time_with_an_id_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid, match="next"):
        read_dated(text)


def test_a_page_has_a_size_up_to_the_largest() -> None:
    assert [page_size(None), page_size(None, 50), page_size("1"), page_size(str(LARGEST_PAGE))] == [
        100,
        50,
        1,
        LARGEST_PAGE,
    ]
    for text in ("0", "-1", "501", "5000000001", "", "x", "²", "1.5"):
        with pytest.raises(LimitInvalid, match=f"1 to {LARGEST_PAGE}"):
            page_size(text)
