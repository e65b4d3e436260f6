"""A shop's colour is readable wherever mails show it."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.mails.compose import brand, logo
from tests.notifier.builders import a_shop

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
def test_links_and_buttons_are_readable_in_any_colour(colour: str) -> None:
    shop = a_shop(brand_colour=colour)
    light, dark = brand.link(shop), brand.link_in_dark(shop)
    for ground in ("#ffffff", "#f7f5f1", "#f3f1ec"):
        assert brand.contrast(light, ground) >= 4.5
    for ground in ("#15171a", "#1e2125", "#262a2f"):
        assert brand.contrast(dark, ground) >= 4.5
    for filled in (colour, light, dark):
        assert brand.contrast(brand.ink_on(filled), filled) >= 4.5
    assert brand.legible(light, "#f3f1ec") == light
    assert brand.ink_on("#ffffff") == brand.DARK_INK
    assert brand.ink_on("#000000") == brand.LIGHT_INK


def test_a_shop_without_a_colour_or_a_logo_has_ours_and_none() -> None:
    assert brand.colour(a_shop()) == brand.COLOUR
    assert logo.logo_of(a_shop()) is None
    assert logo.logo_of(a_shop(logo="%%%")) is None
    assert logo.logo_of(a_shop(logo=base64.b64encode(b"no picture").decode())) is None
    assert logo.with_logo("<p>", a_shop()) == "<p>"


def test_contrast_is_that_of_wcag() -> None:
    assert brand.contrast("#000000", "#ffffff") == 21
    assert round(brand.contrast("#777777", "#ffffff"), 2) == 4.48
    assert brand.legible("#0f625b", "#ffffff") == "#0f625b"


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_logo_keeps_its_proportions_and_fits_a_mail(width: int, height: int) -> None:
    shown = logo.shown_size(width, height)
    assert shown[0] <= min(240, width)
    assert shown[1] <= min(80, height)
    assert min(abs(shown[0] - shown[1] * width / height), abs(shown[1] - shown[0] * height / width)) <= 1
