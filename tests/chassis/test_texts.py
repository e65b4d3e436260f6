"""Which texts count as blank: those of which nothing can be seen."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.chassis.texts import Seen, fault_of_url, is_blank, trimmed

UNSEEN = (
    " \t\n\u00a0\u00ad\u034f\u115f\u200b\u200d\u200e\u2028\u202e\u2060\u2800\u3000\u3164\ufe0f\ufeff"
    "\ue000\U000f0000"
)
"""The last two are of private use."""


@given(st.text(UNSEEN))
def test_a_text_of_invisible_characters_is_blank(text: str) -> None:
    assert is_blank(text)
    assert trimmed(text) == ""


@given(st.text(), st.characters(categories=("L", "N", "P", "Sm", "Sc")), st.text())
def test_a_text_with_a_character_that_shows_is_not(before: str, sign: str, after: str) -> None:
    if sign not in "\u115f\u1160\u3164\uffa0":
        assert not is_blank(before + sign + after)


def test_the_type_refuses_it_with_a_sentence() -> None:
    with pytest.raises(ValidationError, match="characters that can’t be seen"):
        TypeAdapter(Annotated[str, Seen]).validate_python("\u200b")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h/x",
        "postgresql://u:p%40@[::1]:5432/x?sslmode=require",
        "postgresql://u:p@a:1,b:65535/x",
        "postgresql:///x?host=/tmp",
        "http://h:",
    ],
)
def test_a_url_that_can_be_used_has_no_fault(url: str) -> None:
    assert fault_of_url(url) is None


@pytest.mark.parametrize(
    "url",
    ["http://[::", "http://h:x", "http://h:65536", "http://h:0655350", "http://a:1:2", "http://u:p#w@h"],
)
def test_a_url_that_can_not_be_used_has_a_fault_without_it(url: str) -> None:
    fault = fault_of_url(url)
    assert fault is not None
    assert url not in fault
