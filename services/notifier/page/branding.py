"""The shop's colour and logo on the page.

The policy of the page allows no style in its HTML, so a colour is a stylesheet of its own, made from nothing but the
colour in its address. Text in or on the shop's colour is legible for any colour.
"""

import re

from starlette.requests import Request
from starlette.responses import Response

from services.notifier.mails.compose import brand
from services.notifier.mails.compose.logo import logo_of, media_type
from services.notifier.mails.settings import ShopProfile
from services.notifier.page.rendering import FOREVER, STYLE_DIGEST

COLOUR_PATH = f"/static/{STYLE_DIGEST}/colour-{{colour}}.css"
_COLOUR = re.compile("[0-9a-f]{6}")
_PICTURE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=3600",
}


def colour_path(shop: ShopProfile) -> str:
    """Return the address of the stylesheet with the shop's colour."""
    return COLOUR_PATH.format(colour=brand.colour(shop).removeprefix("#"))


def stylesheet(colour: str) -> str:
    """Return the variables of the page's stylesheet for a colour, `#0f625b`: on light and on dark screens."""
    light, dark = brand.legible(colour, brand.LIGHT_BACKGROUND), brand.legible_in_dark(colour)
    on_light = _variables(light, colour, brand.ink_on(colour))
    on_dark = _variables(dark, dark, brand.ink_on(dark))
    return f":root {{ {on_light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {on_dark} }} }}\n"


async def serve_colour(request: Request) -> Response:
    """Return the stylesheet of the colour in the address."""
    colour = request.path_params["colour"]
    if not _COLOUR.fullmatch(colour):
        return Response(status_code=404)
    return Response(stylesheet(f"#{colour}"), media_type="text/css", headers=FOREVER)


def logo_response(shop: ShopProfile) -> Response | None:
    """Return the shop's logo as a picture, if it has one."""
    logo = logo_of(shop)
    return Response(logo.content, media_type=media_type(logo.content), headers=_PICTURE) if logo else None


def _variables(accent: str, fill: str, on_fill: str) -> str:
    return f"--accent: {accent}; --fill: {fill}; --on-fill: {on_fill};"
