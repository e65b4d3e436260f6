"""Stock: how much lies where, what orders have reserved of it, and why an article's levels are what they are.

Everything is read from fulfillment at the moment of asking; while it is away there is nothing to show but that.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.times import moments_read
from services.orders.backoffice.language.translating import N_
from services.orders.backoffice.web.clients.owners import Answer, OwnerDown
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.trail import Trail
from services.orders.backoffice.web.visit import Missing, Visit
from services.orders.order.search.indexing import read_article_names

pages = Pages()
pages.in_menu("/stock", N_("Stock"), "stock", 60, Permission.STOCK_VIEW)

PAGE = 50
LOW = 5
"""So few available units are shown as few."""
LONGEST = 64
ARTICLE = "/stock/article"
FILTERS = ("q", "location", "at_most", "sequence")
KINDS = {
    "hold": N_("Put aside"),
    "reserve": N_("Reserved"),
    "release": N_("Released"),
    "ship": N_("Left the stock"),
    "unship": N_("Shipment cancelled"),
    "restock": N_("Back on the shelf"),
    "write_off": N_("Written off"),
    "adjust": N_("Adjusted"),
}
"""Why a level moves, by fulfillment's word."""


@dataclass(frozen=True)
class Article:
    """An article as fulfillment tells it: its levels by location, or the owner that does not answer."""

    sku: str
    owner: Answer | OwnerDown

    @property
    def levels(self) -> Sequence[Mapping[str, Any]]:
        """Location, on_hand, reserved, available."""
        return () if isinstance(self.owner, OwnerDown) else self.owner.body["levels"]

    def on_hand(self, location: str) -> int | None:
        """Units at a location; None where nothing was ever counted."""
        return next((one["on_hand"] for one in self.levels if one["location"] == location), None)


@pages.get("/stock", Permission.STOCK_VIEW)
async def show_stock(visit: Visit) -> Response:
    """A page of levels, the fewest available first unless asked otherwise."""
    typed = {name: visit.query.get(name, "").strip()[:LONGEST] for name in FILTERS}
    (owner, errors), locations = await asyncio.gather(_read_levels(visit, typed), _read_locations(visit))
    body = {"levels": [], "next": None} if isinstance(owner, OwnerDown) else owner.body
    trail = Trail.of(visit.query, "after")
    return visit.render(
        "stock/list.html",
        owner=owner,
        levels=body["levels"],
        names=await _names(visit, [level["sku"] for level in body["levels"]]),
        next_href=_href(typed, trail.on(body["next"])) if body["next"] else "",
        previous_href=_href(typed, trail.back) if trail.back is not None else "",
        typed=typed,
        errors=errors,
        is_filtered=any(typed[name] for name in ("q", "location", "at_most")),
        locations=locations,
        low=LOW,
        article_href=article_href,
    )


@pages.get(ARTICLE, Permission.STOCK_VIEW)
async def show_article(visit: Visit) -> Response:
    """One article: its levels, its movements, and the form that adjusts it."""
    return await show(visit, {})


async def show(visit: Visit, errors: Mapping[str, str]) -> Response:
    """The article's page; with errors it is the form come back (422). Raises Missing."""
    sku, location = _sku(visit), visit.query.get("location", "")[:LONGEST]
    article, moved = await asyncio.gather(read_article(visit), _read_movements(visit, sku))
    body = {"movements": [], "next": None} if isinstance(moved, OwnerDown) else moved.body
    if not isinstance(article.owner, OwnerDown) and not article.levels and not body["movements"]:
        raise Missing
    trail = Trail.of(visit.query, "after")
    form = visit.form_read if visit.request.method == "POST" else None
    return visit.render(
        "stock/article.html",
        422 if form is not None else 200,
        article=article,
        name=(await _names(visit, [article.sku])).get(article.sku, ""),
        owner=moved if isinstance(moved, OwnerDown) else article.owner,
        location=form["location"] if form is not None else location,
        movements=[moments_read(one, "moved_at") for one in body["movements"]],
        next_href=article_href(article.sku, **trail.on(body["next"])) if body["next"] else "",
        previous_href=article_href(article.sku, **trail.back) if trail.back is not None else "",
        typed=form or Form(),
        errors=errors,
        kinds=KINDS,
        low=LOW,
        article_href=article_href,
    )


async def _names(visit: Visit, skus: Sequence[str]) -> Mapping[str, str]:
    """What articles are called, as far as an order ever said."""
    if not skus:
        return {}
    async with visit.reading() as connection:
        return await read_article_names(connection, visit.shop, skus, visit.speech.language)


async def read_article(visit: Visit) -> Article:
    """The article that the address names. Raises Missing when it can't be any."""
    sku = _sku(visit)
    owner = await visit.office.owners.get("fulfillment", "/internal/stock", shop=visit.shop, sku=sku)
    if not isinstance(owner, OwnerDown) and owner.status != 200:
        raise Missing
    return Article(sku, owner)


def _sku(visit: Visit) -> str:
    """The article named. Raises Missing."""
    sku = visit.query.get("sku", "")
    if not 0 < len(sku) <= LONGEST or "\0" in sku:
        raise Missing
    return sku


def article_href(sku: str, **more: str) -> str:
    """The page of an article."""
    return f"{ARTICLE}?{urlencode({'sku': sku, **more})}"


async def _read_levels(
    visit: Visit, typed: Mapping[str, str]
) -> tuple[Answer | OwnerDown, Mapping[str, str]]:
    """The levels wanted, and what is wrong with what was typed. Raises Missing for a link nobody gave."""
    try:
        at_most = Form(list(typed.items())).whole("at_most", 0, 10**9)
    except Invalid as invalid:
        return Answer(200, {"levels": [], "next": None}), invalid.errors
    asked = {
        "shop": visit.shop,
        "limit": str(PAGE),
        "text": typed["q"],
        "location": typed["location"],
        "at_most": "" if at_most is None else str(at_most),
        "sequence": typed["sequence"],
        "after": visit.query.get("after", "")[:1000],
    }
    if "\0" in "".join(asked.values()):
        raise Missing
    return await _found(visit, "/internal/stock/levels", asked), {}


async def _read_locations(visit: Visit) -> Sequence[str]:
    places = await visit.office.owners.get("fulfillment", "/internal/stock/locations", shop=visit.shop)
    return [] if isinstance(places, OwnerDown) else places.body


async def _read_movements(visit: Visit, sku: str) -> Answer | OwnerDown:
    asked = {
        "shop": visit.shop,
        "sku": sku,
        "limit": str(PAGE),
        "after": visit.query.get("after", "")[:1000],
    }
    return await _found(visit, "/internal/stock/movements", asked)


async def _found(visit: Visit, path: str, asked: Mapping[str, str]) -> Answer | OwnerDown:
    found = await visit.office.owners.get(
        "fulfillment", path, **{name: value for name, value in asked.items() if value}
    )
    if not isinstance(found, OwnerDown) and found.status != 200:
        raise Missing
    return found


def _href(typed: Mapping[str, str], place: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in {**typed, **place}.items() if value})
    return f"/stock?{query}" if query else "/stock"
