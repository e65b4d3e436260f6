"""For tests of the customer's page: the page, the notifier and orders on real databases, and a customer's browser.

Orders answers over real HTTP; mails go to a real mail server, and the link is read from there.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx2
from starlette.types import ASGIApp

from contracts.orders.lifecycle import OrderPlaced
from services.chassis.testing import Desk
from services.notifier.page.app import build_app
from services.notifier.sending.sending import Sender
from tests.notifier.builders import SHOP
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import send_until, settled
from tests.orders.rest_client import place, sale

PAGE = "https://commande.example"
LINK = re.compile(rf"{PAGE}(/c/[a-z2-7]{{26}})")


@dataclass
class Answer:
    """A page as it came."""

    response: httpx2.Response
    links: list[str] = field(default_factory=list)
    forms: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return self.response.text


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: dict[str, dict[str, str]] = {}
        self._form: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect links, forms and fields."""
        given = {name: value or "" for name, value in attrs}
        for name in ("href", "src"):
            if name in given:
                self.links.append(given[name])
        if tag == "form":
            self._form = self.forms[given["action"].split("?")[0]] = {}
        if tag in ("input", "textarea") and "name" in given:
            self._form[given["name"]] = given.get("value", "")


class House:
    """The notifier with its page, and orders behind it."""

    def __init__(
        self, notifier: Desk, orders: Desk, server: MailServer, orders_stop: Callable[[], Awaitable[None]]
    ) -> None:
        self.orders_stop = orders_stop
        self.notifier, self.orders, self.mail_server = notifier, orders, server
        self.sender = Sender(notifier.hub)
        self._app: ASGIApp = build_app(notifier.hub)

    async def place(self, **changes: Any) -> OrderPlaced:
        """Place an order, and let the notifier know."""
        order = await place(self.orders, sale(SHOP, **changes))
        await self.notifier.deliver(order)
        return order

    async def mails(self) -> list[str]:
        """Send what is planned; return the text of every mail so far, with its recipient."""
        await send_until(self.notifier, self.sender, settled)
        return [f"{mail['To']}\n{_text(mail)}" for mail in self.mail_server.journal]

    async def link(self, address: str = "zoe@example.org") -> str:
        """The path of the link in the latest mail to this address."""
        found = [mail for mail in await self.mails() if address in mail.partition("\n")[0]]
        (path,) = set(LINK.findall(found[-1]))
        return str(path)

    async def get(self, path: str, **headers: str) -> Answer:
        """Fetch a page."""
        return await self.ask("GET", path, None, headers)

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """Send a form."""
        return await self.ask("POST", path, fields, headers)

    async def ask(self, method: str, path: str, fields: dict[str, str] | None, headers: Any) -> Answer:
        """Send a request as a browser would."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self._app), base_url=PAGE) as http:
            response = await http.request(method, path, data=fields, headers=named)
        is_page = response.headers.get("content-type", "").startswith("text/html")
        read = _Reader(response.text if is_page else "")
        return Answer(response, read.links, read.forms)


def _text(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content()) + str(mail.get_body(("html",)).get_content())


async def contents(desk: Desk) -> dict[str, str]:
    """A digest of every table's rows."""
    tables = await desk.fetch(
        """SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
           WHERE table_schema IN ('public', 'msg') AND table_type = 'BASE TABLE' ORDER BY 1"""
    )
    digest = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t"
    return {row["name"]: await desk.fetchval(digest.format(row["name"])) for row in tables}


__all__ = ["Answer", "House", "contents"]
