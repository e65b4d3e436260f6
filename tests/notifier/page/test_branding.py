"""The shop's logo and colour on the customer's page: shown behind an open link, and readable whatever they are."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notifier.mail_texts import ChangeShopProfile, ShopAppearance
from services.notifier.mails.compose import brand
from services.notifier.page.branding import COLOUR_PATH, stylesheet
from services.notifier.page.rendering import STYLE
from tests.notifier.builders import SHOP
from tests.notifier.logos import LOGO
from tests.notifier.page.customer import House

pytestmark = pytest.mark.rows("C16")
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
_LIGHT, _DARK = STYLE.decode().split("@media (prefers-color-scheme: dark)")[:2]


def variables(css: str) -> dict[str, str]:
    """The colours that a stylesheet names; `#fff` in full."""
    found = re.findall(r"--([a-z-]+): (#[0-9a-f]+);", css)
    return {name: f"#{colour[1:] * 2}" if len(colour) == 4 else colour for name, colour in found}


@given(COLOURS)
def test_whatever_colour_a_shop_has_its_page_can_be_read(colour: str) -> None:
    parts = stylesheet(colour).split("@media (prefers-color-scheme: dark)")
    for own, page in zip(parts, (_LIGHT, _DARK), strict=True):
        chosen, grounds = variables(own), variables(page)
        assert chosen.keys() == {"accent", "fill", "on-fill"} & grounds.keys()
        for ground in ("ground", "sheet", "box"):
            assert brand.contrast(chosen["accent"], grounds[ground]) >= 4.5
        assert brand.contrast(chosen["on-fill"], chosen["fill"]) >= 4.5


async def test_the_logo_and_the_colour_are_those_of_the_mails(house: House) -> None:
    await house.place()
    path = await house.link()
    plain = await house.get(path)
    assert (await house.get(f"{path}/logo")).status == 404
    assert "<img" not in plain.text
    await house.notifier.deliver(
        ChangeShopProfile(
            shop=SHOP,
            appearance=ShopAppearance(brand_colour="#ffe08a"),
            logo=LOGO,
            based_on_version=0,
            actor="garance@atelier.example",
        ),
        sender="orders",
    )
    page = await house.get(path)
    assert f'<img class="logo" src="{path}/logo" alt="Atelier Lumière" width="240" height="60">' in page.text
    logo = (await house.get(f"{path}/logo")).response
    assert (logo.content, logo.headers["content-type"]) == (base64.b64decode(LOGO), "image/png")
    assert "sandbox" in logo.headers["content-security-policy"]
    (address,) = [link for link in page.links if "colour" in link]
    css = (await house.get(address)).response
    assert (css.status_code, css.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert css.text == stylesheet("#ffe08a")
    for wrong in ("12345", "1234567", "gggggg", "FFFFFF"):
        assert (await house.get(COLOUR_PATH.format(colour=wrong))).status == 404


async def test_a_link_that_opens_nothing_shows_no_logo(house: House) -> None:
    gone = f"/c/{'a' * 26}"
    assert (await house.get(f"{gone}/logo")).status == 404
    assert "colour-" not in (await house.get(gone)).text
