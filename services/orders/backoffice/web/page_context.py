"""The request context for a page's code: the user, the language, and functions that make responses.

A page never reads cookies, headers or roles itself: by the time its function runs, the dispatcher has authorized
the user. Everything a page reads or changes belongs to `context.shop` only.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, Protocol
from uuid import UUID

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection
from services.orders.backoffice.access.permissions import Demand
from services.orders.backoffice.access.sessions import Person, SessionLookup
from services.orders.backoffice.forms.fields import Form, read_form
from services.orders.backoffice.language.translating import PageLocale
from services.orders.backoffice.web.app_state import AppState
from services.orders.backoffice.web.settings import ShopFacts
from services.orders.order.shop.profile import ProfileRow

FLASH = "comptoir-flash"
LONGEST_FLASH = 600


class Missing(Exception):
    """There is no such page or object in this shop: 404."""


class Deleted(Missing):
    """The order with this address was deleted: 404, with the time. `code` is the order's."""

    def __init__(self, code: str, deleted_at: datetime) -> None:
        super().__init__(code)
        self.code, self.deleted_at = code, deleted_at


class NotAllowed(Exception):
    """The user's role does not allow this part of the page: 403. `demand` is the missing permission."""

    def __init__(self, demand: Demand | None = None) -> None:
        super().__init__(demand)
        self.demand = demand


View = Callable[["PageContext"], Awaitable[Response]]


@dataclass(frozen=True)
class ShopKnown:
    """Data of the user's shop that every page shows: colleagues by login, the changed profile, the menu's counts
    by path.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    profile: ProfileRow | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


NOTHING_KNOWN = ShopKnown()


class RequestedPage(Protocol):
    """The page of a request. `action` is its name in the audit, empty when reading it is not recorded."""

    @property
    def method(self) -> str: ...

    @property
    def demand(self) -> Demand: ...

    @property
    def action(self) -> str: ...

    @property
    def view(self) -> View: ...

    @property
    def again(self) -> "Callable[[PageContext, Mapping[str, str]], Awaitable[Response]] | None": ...


class PageContext:
    """The context of one request. `person` and `shop` are available on every page that is not public. `live_after`:
    the id of the latest live event before the page read anything.
    """

    def __init__(
        self,
        app_state: AppState,
        request: Request,
        page: RequestedPage,
        session: SessionLookup,
        locale: PageLocale,
        known: ShopKnown = NOTHING_KNOWN,
    ) -> None:
        self.app_state, self.request, self.page = app_state, request, page
        self.found, self.locale, self._profile, self.counts = session, locale, known.profile, known.counts
        self.audited: dict[str, Any] = {}
        self.audited_order: UUID | None = None
        self.outcome: str | None = None
        self.entered: tuple[UUID, str, str] | None = None
        self.field_labels: dict[str, str] = {}
        self._form: Form | None = None
        self.live_after = app_state.live.latest_id()

    @property
    def person(self) -> Person:
        """Return the signed-in user. Raises NotAllowed on a public page when there is none."""
        if self.found.person is None:
            raise NotAllowed
        return self.found.person

    @property
    def shop(self) -> str:
        """Return the shop whose data this user may see."""
        return self.person.shop

    @property
    def actor(self) -> str:
        """Return the actor, for commands and the activity."""
        return self.person.actor

    def may(self, demand: Demand) -> bool:
        """Return whether the user's role allows it, to leave out links that would be rejected."""
        return self.found.person is not None and self.found.person.may(demand)

    def path(self, name: str) -> str:
        """Return a parameter of the path. Raises Missing when it contains a character that no name of ours contains."""
        value = str(self.request.path_params[name])
        if len(value) > 200 or not value.isprintable():
            raise Missing
        return value

    def path_uuid(self, name: str) -> UUID:
        """Return a parameter of the path that is an id. Raises Missing."""
        try:
            return UUID(self.path(name))
        except ValueError:
            raise Missing from None

    @cached_property
    def query(self) -> QueryParams:
        """Return the URL's parameters, without NUL, which PostgreSQL cannot store."""
        found = self.request.query_params.multi_items()
        return QueryParams([(name.replace("\0", ""), value.replace("\0", "")) for name, value in found])

    async def form(self) -> Form:
        """Return the submitted form. Raises forms.FormTooLarge, forms.FormUnreadable, which become pages."""
        if self._form is None:
            self._form = await read_form(self.request)
        return self._form

    def use_form(self, form: Form) -> None:
        """Make a form that was sent before the one of this request."""
        self._form = form

    @property
    def form_read(self) -> Form:
        """Return the submitted form if it has been read, an empty one otherwise."""
        return self._form or Form()

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """Return a connection for reading."""
        return self.app_state.reading()

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        """Return a unit of work; its messages are sent after the commit."""
        return self.app_state.hub.unit()

    def about(self, order_id: UUID, **detail: Any) -> None:
        """Record in the audit which order an action is about, and other details worth keeping (never typed
        values).
        """
        self.audited_order = order_id
        self.audited.update(detail)

    @cached_property
    def is_part(self) -> bool:
        """Return whether htmx requests a part of a page."""
        headers = self.request.headers
        return headers.get("hx-request-type") == "partial" and "hx-history-restore-request" not in headers

    @cached_property
    def target(self) -> str | None:
        """Return the block htmx will replace: the target element's id with underscores."""
        _, _, element_id = self.request.headers.get("hx-target", "").partition("#")
        return element_id.replace("-", "_") if self.is_part and element_id else None

    def render(
        self, template: str, status: int = 200, *, block: str | None = None, **values: Any
    ) -> Response:
        """Render a template as the response: the whole page, or for htmx the block named like the element it
        will replace, or the `block` named here.

        The flash message is shown once and removed. A page with `errors` is a rejected request: 422, whether
        it is a form that is shown again or a list with invalid filters.
        """
        if status == HTTPStatus.OK and any((values.get("errors") or {}).values()):
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        part = block or self.target
        whole = part is None or not self.app_state.templates.has_block(template, part)
        flash = self.flash if whole else None
        html = self.app_state.templates.render(
            self.locale, template, {**self._everywhere(flash), **values}, None if whole else part
        )
        response = HTMLResponse(html, status, headers={"Vary": "HX-Request, HX-Target, Cookie"})
        if flash:
            response.delete_cookie(FLASH, path="/")
        return response

    def _everywhere(self, flash: Mapping[str, str] | None) -> dict[str, Any]:
        person = self.found.person
        return {
            "visit": self,
            "person": person,
            "may": self.may,
            "menu": [one for one in self.app_state.menu if self.may(one.demand)],
            "counts": self.counts,
            "path": self.request.url.path,
            "here": self.here,
            "language": self.locale.language,
            "theme": self.preference("theme", "auto"),
            "density": self.preference("density", "regular"),
            "shortcuts": self.preference("shortcuts", "on"),
            "shop_facts": self.shop_facts,
            "flash": flash,
        }

    @property
    def here(self) -> str:
        """Return this page's path with its parameters, to return to."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def shop_facts(self) -> ShopFacts | None:
        """Return name, support and zone of the user's shop; the support block as staff changed it."""
        person = self.found.person
        return self.app_state.settings.shop(person.shop).overlaid(self._profile) if person else None

    def preference(self, name: str, otherwise: str) -> str:
        """Return the user's preference: from their account, or from this browser's cookie."""
        person = self.found.person
        if person is not None and name in person.preferences:
            return str(person.preferences[name])
        return self.request.cookies.get(f"comptoir-{name}", otherwise)[:20]

    def redirect(self, path: str, flash: str | None = None, kind: str = "done") -> Response:
        """Redirect to another page (303), which shows `flash` once. `kind`: done, note or fault."""
        if self.is_part:
            response = Response(status_code=200, headers={"HX-Redirect": path})
        else:
            response = RedirectResponse(path, 303)
        if flash:
            self.put_flash(response, flash, kind)
        return response

    def put_flash(self, response: Response, text: str, kind: str = "done") -> None:
        """Set a message for the next page."""
        packed = json.dumps({"kind": kind, "text": text[:LONGEST_FLASH]}, ensure_ascii=False).encode()
        self.set_cookie(response, FLASH, base64.urlsafe_b64encode(packed).decode(), 60)

    @cached_property
    def flash(self) -> dict[str, str] | None:
        """Return the message from the last page."""
        try:
            found = json.loads(base64.urlsafe_b64decode(self.request.cookies[FLASH]))
            return {"kind": str(found["kind"])[:10], "text": str(found["text"])[:LONGEST_FLASH]}
        except (KeyError, ValueError, TypeError, RecursionError):
            return None

    def set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Set a cookie that scripts cannot read and other sites do not send."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            httponly=True,
            secure=self.app_state.settings.is_secure,
            samesite="lax",
        )
