"""The shop's logo in its mails: a part of the mail beside the HTML, never a picture on a server that counts readers."""

import base64
import binascii
import struct
from dataclasses import dataclass
from functools import lru_cache
from struct import unpack
from typing import Any

from services.notifier.mails.compose import mime
from services.notifier.mails.settings import ShopProfile

LOGO_ID = "logo@shop.invalid"
"""The logo's id among the parts of a mail."""
WIDEST, HIGHEST = 240, 80
"""Largest size in a mail, in CSS pixels."""
_PNG = b"\x89PNG\r\n\x1a\n"
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})


@dataclass(frozen=True, slots=True)
class Logo:
    """A decoded PNG or JPEG file, and the size that mails show it at."""

    content: bytes
    width: int
    height: int


def logo_of(shop: ShopProfile) -> Logo | None:
    """Return the shop's logo; None when there is none or it can't be decoded."""
    return _decoded(shop.logo) if shop.logo else None


def media_type(content: bytes) -> str:
    """Return the type of a PNG or JPEG file."""
    return "image/png" if content.startswith(_PNG) else "image/jpeg"


def logo_model(shop: ShopProfile) -> dict[str, Any]:
    """Return the logo's data for the templates. Outlook ignores CSS sizes, so the size is named besides."""
    logo = logo_of(shop)
    if logo is None:
        return {"logo_url": None}
    return {"logo_url": f"cid:{LOGO_ID}", "logo_width": logo.width, "logo_height": logo.height}


def picture(shop: ShopProfile) -> mime.Picture | None:
    """Return the logo as a part of a mail."""
    logo = logo_of(shop)
    return mime.Picture(LOGO_ID, media_type(logo.content), logo.content) if logo else None


def with_logo(html: str, shop: ShopProfile) -> str:
    """Return a mail's HTML for a browser: the logo inside of it instead of beside it."""
    logo = logo_of(shop)
    if logo is None:
        return html
    return html.replace(f"cid:{LOGO_ID}", f"data:{media_type(logo.content)};base64,{shop.logo}")


@lru_cache(maxsize=64)
def _decoded(encoded: str) -> Logo | None:
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    width, height = _size(content)
    return Logo(content, *shown_size(width, height)) if width and height else None


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of a picture of this size in a mail: within the largest, in its proportions."""
    share = min(1.0, WIDEST / width, HIGHEST / height)
    return max(1, round(width * share)), max(1, round(height * share))


def _size(content: bytes) -> tuple[int, int]:
    """Return the width and height of a PNG or JPEG file; zeros if it does not contain them."""
    try:
        if content.startswith(_PNG):
            width, height = unpack(">II", content[16:24])
            return width, height
        at = 2
        while content[at + 1] not in _FRAMES:
            at += 2 + unpack(">H", content[at + 2 : at + 4])[0]
        height, width = unpack(">HH", content[at + 5 : at + 9])
    except (IndexError, struct.error):
        return 0, 0
    return width, height
