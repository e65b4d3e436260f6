"""Names of tags and labels, and their colours: what is the same, what can be seen."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.chassis.texts import is_blank
from services.orders.order.shop.colours import DARK, LIGHT, NAMES, Colour, contrast
from services.orders.order.shop.names import LONGEST_NAME, NameUnusable, cleaned, folded


@pytest.mark.parametrize(
    "others",
    [
        ("VIP", "vip", " V\u200dIP "),
        ("Déjà  vu", "DEJA VU", "deja\nvu"),
        ("Straße", "STRASSE"),
        ("ﬁn", "Fin"),
    ],
)
def test_names_that_people_take_for_one_are_the_same(others: tuple[str, ...]) -> None:
    assert len({folded(other) for other in others}) == 1


@given(st.text())
def test_folding_is_stable(name: str) -> None:
    once = folded(name)
    assert folded(once) == once == folded(unicodedata.normalize("NFD", name)) == folded(f" {name}\n")


@given(st.text(max_size=60))
@example("0 \x1b\r0")
def test_a_name_is_visible_and_on_one_line_or_refused(name: str) -> None:
    try:
        clean = cleaned(name)
    except NameUnusable:
        return
    assert folded(clean) == folded(clean.strip())
    assert 1 <= len(clean) <= LONGEST_NAME
    assert not is_blank(clean)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in clean)
    assert cleaned(clean) == clean


@pytest.mark.parametrize(
    "name", ["", " \n ", "\u200d", "\u202e", "\u3164", "\u2800 \u2800", "\ue000", "x" * 41]
)
def test_an_unusable_name_is_refused(name: str) -> None:
    with pytest.raises(NameUnusable):
        cleaned(name)


def test_what_can_not_be_seen_is_left_out_so_that_two_names_never_look_the_same() -> None:
    assert cleaned("VI\u3164P\u2800\ue000") == "VIP"


def test_emoji_and_other_scripts_stay() -> None:
    assert cleaned("🏳️\u200d🌈 عميل") == "🏳️\u200d🌈 عميل"
    assert cleaned("VIP \U0001fa77") == "VIP \U0001fa77"  # newer than the Unicode of Python 3.11


def test_every_colour_can_be_read_in_both_themes_and_languages() -> None:
    for colour in Colour:
        assert contrast(LIGHT[colour]) >= 4.5, colour
        assert contrast(DARK[colour]) >= 4.5, colour
        assert set(NAMES[colour]) == {"fr", "en"}
