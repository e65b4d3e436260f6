"""Which texts count as blank: those of which nothing can be seen."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.chassis.texts import Seen, is_blank, trimmed

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
