"""A browser without a window: it sends what browsers send, keeps cookies and can fill in the forms it is shown.

Pages are read as people's programs do: by their elements, with the standard library's parser.
"""

import secrets
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx2
from jinja2 import BytecodeCache, ChoiceLoader, DictLoader
from jinja2.bccache import Bucket
from starlette.routing import Route

from services.chassis.testing import Desk
from services.orders.backoffice.access import staff, store
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.access.sessions import digest
from services.orders.backoffice.app import build_app, make_app_state
from services.orders.backoffice.web.dispatching import endpoint
from services.orders.backoffice.web.routing import Page
from tests.quick import QUICK_HASHER

ORIGIN = "http://127.0.0.1:8080"
SHOP = "maison"
PASSWORD = "une phrase de passe assez longue"


@cache
def _hash() -> str:
    return QUICK_HASHER.hash(PASSWORD)


class CompiledTemplates(BytecodeCache):
    """Templates that were compiled once in this process: each test's own back office would compile them again.

    Jinja compares their sources, so one that a test replaces is compiled.
    """

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template that was compiled before."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one that was compiled now."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = CompiledTemplates()


class Backoffice:
    """One back office. `desk` delivers messages to the orders service it belongs to."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.app_state = make_app_state(desk.hub)
        self.app_state.templates.environment.bytecode_cache = _COMPILED
        self.app = build_app(self.app_state)

    async def close(self) -> None:
        """Close its connections."""
        await self.app_state.close()
        await self.desk.close()

    def add(self, page: Page, **templates: str) -> None:
        """A page of a test's own, with all that the dispatcher does around it, and its templates by name."""
        environment = self.app_state.templates.environment
        assert environment.loader is not None
        environment.loader = ChoiceLoader([environment.loader, DictLoader(templates)])
        route = Route(page.path, endpoint(self.app_state, page), methods=[page.method])
        self.app.router.routes.insert(0, route)

    def browser(self, language: str = "en", **headers: str) -> "Browser":
        """A browser nobody has signed in with."""
        return Browser(self, {"Accept-Language": language, **headers})

    async def hire(
        self, role: Role = Role.OWNER, shop: str = SHOP, login: str | None = None, name: str | None = None
    ) -> str:
        """Add a person with `PASSWORD`; their login."""
        login = login or f"{role}-{secrets.token_hex(3)}@maison.example"
        async with self.desk.unit() as unit:
            staff_id = await staff.add(unit.connection, shop, login, name or f"Camille {role}", role, "test")
            await store.set_password(unit.connection, staff_id, _hash(), unit.now)
        return login

    async def signed_in(self, role: Role = Role.OWNER, shop: str = SHOP, language: str = "en") -> "Browser":
        """A browser of a new person of this role."""
        browser = self.browser(language)
        answer = await browser.sign_in(await self.hire(role, shop))
        assert answer.status == 303, answer.text
        return browser

    async def audit(self) -> list[Any]:
        """Everything the audit holds, oldest first."""
        return await self.desk.fetch("select * from audit order by audit_id")


@dataclass
class Shown:
    """An answer."""

    response: httpx2.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return self.response.text

    @property
    def headers(self) -> Any:
        return self.response.headers

    @property
    def forms(self) -> "list[FormShown]":
        return _read(self.text).forms

    def form(self, action: str) -> "FormShown":
        """The form that goes to `action`."""
        (found,) = [form for form in self.forms if form.action == action]
        return found

    @property
    def words(self) -> str:
        """What a person reads, without the markup."""
        return " ".join(" ".join(_read(self.text.replace("<wbr>", "")).texts).split())


@dataclass
class FormShown:
    """A form as it stands on a page: where it goes and what its fields hold."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **typed: str) -> list[tuple[str, str]]:
        """Its fields with some of them typed over; underscores stand for hyphens."""
        changed = {name.replace("_", "-"): value for name, value in typed.items()}
        kept = [(name, value) for name, value in self.fields if name not in changed]
        return [*kept, *changed.items()]


class Browser:
    """Sends requests as a browser does from a page of the back office."""

    def __init__(self, backoffice: Backoffice, headers: dict[str, str]) -> None:
        transport = httpx2.ASGITransport(backoffice.app, raise_app_exceptions=False)
        origin = backoffice.app_state.settings.backoffice_origin[0]
        self.client = httpx2.AsyncClient(transport=transport, base_url=origin, headers=headers)
        self._same_origin = {"Sec-Fetch-Site": "same-origin", "Origin": origin}

    async def get(self, path: str, **headers: str) -> Shown:
        """Go to a page. Headers' underscores stand for hyphens."""
        return Shown(await self.client.get(path, headers=_headers(headers)))

    async def post(self, path: str, fields: Any = (), **headers: str) -> Shown:
        """Send a form from a page of the back office, unless headers say otherwise."""
        items = list(fields.items()) if isinstance(fields, dict) else list(fields)
        body = httpx2.QueryParams(items)
        sent = {"Content-Type": "application/x-www-form-urlencoded", **self._same_origin, **_headers(headers)}
        wanted = {name: value for name, value in sent.items() if value}
        return Shown(await self.client.post(path, content=str(body), headers=wanted))

    async def sign_in(self, login: str, password: str = PASSWORD, **more: str) -> Shown:
        """Fill in the sign-in page."""
        return await self.post("/sign-in", {"login": login, "password": password, **more})

    async def session_id(self, backoffice: Backoffice) -> UUID:
        """The id of this browser's session."""
        token = self.client.cookies["comptoir"]
        query = "select session_id from staff_session where token_hash = $1"
        return UUID(str(await backoffice.desk.fetchval(query, digest(token))))


def _headers(named: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FormShown] = []
        self.texts: list[str] = []
        self._area: str | None = None
        self._typed = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "form":
            self.forms.append(FormShown(given.get("action") or ""))
        elif tag == "input" and name and self.forms and _counts(given):
            self.forms[-1].fields.append((name, given.get("value") or ""))
        elif tag == "textarea" and name:
            self._area, self._typed = name, ""
        elif tag in ("script", "style", "title"):
            self._silent += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area and self.forms:
            self.forms[-1].fields.append((self._area, self._typed.removeprefix("\n")))
            self._area = None
        elif tag in ("script", "style", "title"):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._typed += data
        elif not self._silent:
            self.texts.append(data)


def _counts(given: dict[str, str | None]) -> bool:
    return given.get("type") not in ("checkbox", "radio") or "checked" in given


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader
