"""One request to the page: the link it names, the reader's language, the shop, and the order from its owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.chassis.runtime.hub import Hub
from services.notifier.links.link import PATH
from services.notifier.mails.compose.brand import contact
from services.notifier.mails.compose.formatter import Formatter, formatter
from services.notifier.mails.compose.logo import logo_of
from services.notifier.mails.settings import ShopProfile, ShopUnknown
from services.notifier.mails.texts.profile import overlaid
from services.notifier.mails.texts.store import read_profiles
from services.notifier.page import settings as configured
from services.notifier.page.branding import colour_path
from services.notifier.page.opening import LinkState, Opened, open_link
from services.notifier.page.rendering import methods_of, render, requested_language, words_of
from services.notifier.page.service_clients import PageClients
from services.notifier.page.view import order_view

MOST_FIELDS = 20


class PageRequest:
    """The request with what it opened."""

    def __init__(
        self, hub: Hub, clients: PageClients, request: Request, link: Opened, shop: ShopProfile | None
    ) -> None:
        self.hub, self.clients, self.request, self.link, self.shop = hub, clients, request, link, shop
        self.language = requested_language(request, link.locale)
        self.words = words_of(self.language)
        self.token: str = request.path_params["token"]

    @classmethod
    async def begin(cls, hub: Hub, clients: PageClients, request: Request) -> Self:
        """Return the page request of an HTTP request. Reads only."""
        async with hub.acquire() as connection:
            link = await open_link(connection, request.path_params["token"], hub.clock.now())
            changed = (await read_profiles(connection, [link.shop])).get(link.shop) if link.shop else None
        configured_shop = _profile(hub, link.shop)
        shop = overlaid(configured_shop, changed) if configured_shop else None
        return cls(hub, clients, request, link, shop)

    @property
    def path(self) -> str:
        """Return the address of the order's page."""
        return f"{PATH}{self.token}"

    def formatter(self, currency: str = "EUR") -> Formatter:
        """Return the formatter for the reader."""
        zone = self.shop.time_zone if self.shop else "Europe/Paris"
        locale = self.link.locale if self.link.locale.startswith(self.language) else self.language
        return formatter(locale, currency, zone)

    async def order(self) -> Mapping[str, Any] | None:
        """Return the order's document. Raises OwnerUnavailable."""
        return await self.clients.order(self.link.shop, self.link.order_id)

    def view(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data of the order's parts."""
        drawn = self.formatter(document["currency"])
        return order_view(document, drawn, self.words, methods_of(self.language))

    async def fields(self) -> dict[str, str]:
        """Return the fields of the form. Raises HTTPException for more of them than any form has."""
        body = (await self.request.body()).decode("utf-8", "replace")
        try:
            pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            raise HTTPException(422) from None
        return {name: value.replace("\0", "") for name, value in pairs}

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page for this request."""
        shown = self._shop_shown(self.shop) if self.shop else None
        page = {"path": self.path, "query": f"?lang={self.language}", "key": str(uuid4())}
        here = self.request.url.path
        is_shown_by_get = self.request.method in ("GET", "HEAD") or here.endswith("/cancel")
        address = here if is_shown_by_get else self.path
        return render(template, self.language, address, status, shop=shown, **page, **values)

    def _shop_shown(self, shop: ShopProfile) -> dict[str, Any]:
        """Return the shop as the page shows it; its brand only behind a link that opens its order."""
        is_open = self.link.state is LinkState.OPEN
        return {
            "name": shop.name,
            "contact": contact(shop),
            "logo": logo_of(shop) if is_open else None,
            "style": colour_path(shop) if is_open else None,
        }

    def redirect(self, anchor: str = "", **done: str) -> Response:
        """Return to the order's page after a form; `done` names the message or request that was stored."""
        where = f"{self.path}?{urlencode({'lang': self.language, **done})}{anchor}"
        return RedirectResponse(where, 303)

    def named(self, done: str) -> UUID | None:
        """Return the id in the address that `redirect` made. Anybody can write one: what it names must be looked up."""
        return _identifier(self.request.query_params.get(done, ""))


def key_of(fields: Mapping[str, str]) -> UUID | None:
    """Return the key of a form: the same for a form that is sent twice."""
    return _identifier(fields.get("key", ""))


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _profile(hub: Hub, shop: str) -> ShopProfile | None:
    try:
        return configured.of(hub).profile(shop) if shop else None
    except ShopUnknown:
        return None


@dataclass(frozen=True, slots=True)
class Typed:
    """What a refused form held, and why it was refused."""

    text: str = ""
    error: str = ""


NOTHING_TYPED = Typed()
