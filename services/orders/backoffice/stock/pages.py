"""Stock: levels by location, reservations by orders, and the movements behind an article's levels.

Everything is read from fulfillment at the time of the request; while it is unavailable, the page shows only
that.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import N_
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.search.indexing import read_article_names

pages = Pages()
pages.in_menu("/stock", N_("Stock"), "stock", 60, Permission.STOCK_VIEW)

PAGE = 50
LONGEST = 64
ARTICLE = "/stock/article"
SEQUENCES = ("sku",)
"""Sort orders of the list, beside the default (fewest available first)."""
FILTERS = ("q", "location", "at_most", "low", "sequence")
KINDS = {
    "hold": N_("Set aside"),
    "reserve": N_("Reserved"),
    "release": N_("Released"),
    "ship": N_("Removed from stock"),
    "unship": N_("Shipment cancelled"),
    "restock": N_("Restock"),
    "write_off": N_("Written off"),
    "adjust": N_("Adjusted"),
}
"""Label by fulfillment's reason for a movement."""


@dataclass(frozen=True)
class Article:
    """An article as fulfillment reports it: its levels by location, or the owner that does not answer."""

    sku: str
    owner: Answer | ServiceUnavailable

    @property
    def levels(self) -> Sequence[Mapping[str, Any]]:
        """Return location, on_hand, reserved, available."""
        return () if isinstance(self.owner, ServiceUnavailable) else self.owner.body["levels"]

    @property
    def threshold(self) -> int | None:
        """Return the number of available units at or below which the shop is warned; None for no warning."""
        known = {} if isinstance(self.owner, ServiceUnavailable) else self.owner.body["thresholds"]
        found: int | None = known.get(self.sku)
        return found

    @property
    def is_low(self) -> bool:
        """Return whether so few units are available that it is low."""
        return not isinstance(self.owner, ServiceUnavailable) and self.sku in self.owner.body["low"]

    @property
    def default_threshold(self) -> int:
        """Return at how few available units an article without a threshold is low."""
        return 0 if isinstance(self.owner, ServiceUnavailable) else self.owner.body["default_threshold"]

    def on_hand(self, location: str) -> int | None:
        """Return the units at a location; None where nothing was ever counted."""
        return next((one["on_hand"] for one in self.levels if one["location"] == location), None)


@pages.get("/stock", Permission.STOCK_VIEW)
async def show_stock(context: PageContext) -> Response:
    """Show a page of levels, the fewest available first unless sorted otherwise."""
    typed = {name: context.query.get(name, "").strip()[:LONGEST] for name in FILTERS}
    (owner, errors), locations = await asyncio.gather(_read_levels(context, typed), _read_locations(context))
    body = {"levels": [], "next": None} if isinstance(owner, ServiceUnavailable) else owner.body
    back_links = BackLinks.of(context.query, "after")
    return context.render(
        "stock/list.html",
        owner=owner,
        levels=body["levels"],
        names=await _names(context, [level["sku"] for level in body["levels"]]),
        next_href=_href(typed, back_links.on(body["next"])) if body["next"] else "",
        previous_href=_href(typed, back_links.back) if back_links.back is not None else "",
        typed=typed,
        errors=errors,
        is_filtered=any(typed[name] for name in ("q", "location", "at_most", "low")),
        locations=locations,
        article_href=article_href,
    )


@pages.get(ARTICLE, Permission.STOCK_VIEW)
async def show_article(context: PageContext) -> Response:
    """Show one article: its levels, its movements, and the form that adjusts it."""
    return await show(context, {})


async def show(context: PageContext, errors: Mapping[str, str]) -> Response:
    """Show the article's page; with errors it has the rejected form (422). Raises Missing."""
    sku, location = _sku(context), context.query.get("location", "")[:LONGEST]
    article, moved = await asyncio.gather(read_article(context), _read_movements(context, sku))
    body = {"movements": [], "next": None} if isinstance(moved, ServiceUnavailable) else moved.body
    if not isinstance(article.owner, ServiceUnavailable) and not article.levels and not body["movements"]:
        raise Missing
    back_links = BackLinks.of(context.query, "after")
    form = context.form_read if context.request.method == "POST" else None
    return context.render(
        "stock/article.html",
        422 if form is not None else 200,
        article=article,
        name=(await _names(context, [article.sku])).get(article.sku, ""),
        owner=moved if isinstance(moved, ServiceUnavailable) else article.owner,
        location=form["location"] if form is not None else location,
        movements=[timestamps_read(one, "moved_at") for one in body["movements"]],
        next_href=article_href(article.sku, **back_links.on(body["next"])) if body["next"] else "",
        previous_href=article_href(article.sku, **back_links.back) if back_links.back is not None else "",
        typed=form or Form(),
        errors=errors,
        kinds=KINDS,
        article_href=article_href,
    )


async def _names(context: PageContext, skus: Sequence[str]) -> Mapping[str, str]:
    """Return the names of articles by SKU, for those that occur in an order."""
    if not skus:
        return {}
    async with context.reading() as connection:
        return await read_article_names(connection, context.shop, skus, context.locale.language)


async def read_article(context: PageContext) -> Article:
    """Return the article in the address. Raises Missing when its SKU is invalid."""
    sku = _sku(context)
    owner = await context.app_state.clients.get("fulfillment", "/internal/stock", shop=context.shop, sku=sku)
    if not isinstance(owner, ServiceUnavailable) and owner.status != 200:
        raise Missing
    return Article(sku, owner)


def _sku(context: PageContext) -> str:
    """Return the SKU in the address. Raises Missing."""
    sku = context.query.get("sku", "")
    if not 0 < len(sku) <= LONGEST or "\0" in sku:
        raise Missing
    return sku


def article_href(sku: str, **more: str) -> str:
    """Return the address of an article's page."""
    return f"{ARTICLE}?{urlencode({'sku': sku, **more})}"


async def _read_levels(
    context: PageContext, typed: Mapping[str, str]
) -> tuple[Answer | ServiceUnavailable, Mapping[str, str]]:
    """Return the requested levels, and the errors in typed values. Raises Missing for a forged link."""
    try:
        form = Form(list(typed.items()))
        at_most, sequence = form.whole("at_most", 0, 10**9), form.choice("sequence", SEQUENCES)
        low = form.choice("low", ("true",))
    except Invalid as invalid:
        return Answer(200, {"levels": [], "next": None}), invalid.errors
    query = {
        "shop": context.shop,
        "limit": str(PAGE),
        "text": typed["q"],
        "location": typed["location"],
        "at_most": "" if at_most is None else str(at_most),
        "low": low or "",
        "sequence": sequence or "",
        "after": context.query.get("after", "")[:1000],
    }
    if "\0" in "".join(query.values()):
        raise Missing
    return await _found(context, "/internal/stock/levels", query), {}


async def _read_locations(context: PageContext) -> Sequence[str]:
    places = await context.app_state.clients.get(
        "fulfillment", "/internal/stock/locations", shop=context.shop
    )
    return [] if isinstance(places, ServiceUnavailable) else places.body


async def _read_movements(context: PageContext, sku: str) -> Answer | ServiceUnavailable:
    query = {
        "shop": context.shop,
        "sku": sku,
        "limit": str(PAGE),
        "after": context.query.get("after", "")[:1000],
    }
    return await _found(context, "/internal/stock/movements", query)


async def _found(context: PageContext, path: str, query: Mapping[str, str]) -> Answer | ServiceUnavailable:
    found = await context.app_state.clients.get(
        "fulfillment", path, **{name: value for name, value in query.items() if value}
    )
    if not isinstance(found, ServiceUnavailable) and found.status != 200:
        raise Missing
    return found


def _href(typed: Mapping[str, str], cursor: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in {**typed, **cursor}.items() if value})
    return f"/stock?{query}" if query else "/stock"
