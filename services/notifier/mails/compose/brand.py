"""What a mail shows of its shop: name, colours, logo, support block, signature and registration numbers.

The only place where mails read the shop's brand. Text in or on the shop's colour is legible for any
colour.
"""

from functools import lru_cache
from typing import Any

from services.notifier.mails.compose.logo import logo_model
from services.notifier.mails.compose.screening import paragraphs
from services.notifier.mails.compose.view_models import Rows, Words, present
from services.notifier.mails.settings import ShopProfile

COLOUR = "#0f625b"
"""The colour of a shop that chose none."""
DARK_INK, LIGHT_INK = "#000000", "#ffffff"
"""One of both has a contrast of 4.5 or more on any colour."""
LIGHT_BACKGROUND, DARK_BACKGROUND = "#f3f1ec", "#262a2f"
"""The grounds of pages on which a colour has the lowest contrast, on light and on dark screens."""
READABLE, CLEAR = 4.5, 7.0
"""Contrast of text that is easy to read, and of text that is very easy to read (WCAG 2.2, 1.4.3 and 1.4.6)."""
STEPS = 20


def shop_model(shop: ShopProfile, words: Words) -> dict[str, Any]:
    """Return the shop as the templates show it. `on_colour` is readable on `colour`."""
    chosen = colour(shop)
    return {
        "name": shop.name,
        "contact": contact(shop),
        "legal": legal(shop, words["legal"]),
        "colour": chosen,
        "on_colour": ink_on(chosen),
        "link": link(shop),
        "link_in_dark": link_in_dark(shop),
        "on_link_in_dark": ink_on(link_in_dark(shop)),
        **logo_model(shop),
        "signature": paragraphs(shop.signature or ""),
    }


def colour(shop: ShopProfile) -> str:
    """Return the shop's colour: `#0f625b`."""
    return shop.brand_colour or COLOUR


def link(shop: ShopProfile) -> str:
    """Return the colour of links on light grounds: the shop's, darkened as far as it takes to be read there."""
    return legible(colour(shop), LIGHT_BACKGROUND)


def link_in_dark(shop: ShopProfile) -> str:
    """Return the colour of links and buttons on dark screens: the shop's, made lighter as far as it takes."""
    return legible_in_dark(colour(shop))


def legible_in_dark(chosen: str) -> str:
    """Return the nearest colour to `chosen` that is easy to read on dark screens. A dark colour is made so light that
    a button in it does not look disabled.
    """
    return legible(chosen, DARK_BACKGROUND, CLEAR)


@lru_cache(maxsize=1024)
def legible(chosen: str, background: str, least: float = READABLE) -> str:
    """Return the nearest colour to `chosen`, towards black or white, with this contrast to a background."""
    ink = ink_on(background)
    mixed = (_mixed(chosen, ink, step / STEPS) for step in range(STEPS + 1))
    return next((one for one in mixed if contrast(one, background) >= least), ink)


@lru_cache(maxsize=1024)
def ink_on(background: str) -> str:
    """Return black or white, whichever has the higher contrast on a colour."""
    return max((LIGHT_INK, DARK_INK), key=lambda ink: contrast(ink, background))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _mixed(one: str, other: str, share: float) -> str:
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in pairs)


def _parts(shown: str) -> tuple[int, int, int]:
    return int(shown[1:3], 16), int(shown[3:5], 16), int(shown[5:7], 16)


def _luminance(shown: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = (part / 255 for part in _parts(shown))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contact(shop: ShopProfile) -> Rows:
    """Return the support block's lines, each with its kind."""
    return present(
        ("email", shop.support_email), ("phone", shop.support_phone), ("hours", shop.opening_hours)
    )


def legal(shop: ShopProfile, labels: Words) -> Rows:
    """Return the merchant's registration numbers, each with its label."""
    return present((labels["siret"], shop.siret), (labels["vat_number"], shop.vat_number))
