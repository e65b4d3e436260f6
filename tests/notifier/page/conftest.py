"""The customer's page before real databases, a real mail server and orders over HTTP."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from deploy.local.ports import free_ports
from services.chassis.http import edge
from services.chassis.runtime.http_server import HttpServer
from services.chassis.testing import Desk, settings_for_tests, wait_until
from services.notifier.handlers import subscribers
from services.notifier.page.settings import PageSettings
from services.orders.api.app import build_app
from tests.conftest import Desks, FreshDatabase
from tests.notifier.builders import a_shop
from tests.notifier.mail_server import MailServer
from tests.notifier.page.customer import PAGE, House
from tests.orders.rest_client import TOKENS, short_waits

__all__ = ["short_waits"]


@pytest.fixture
async def house(desks: Desks, empty_database: FreshDatabase, mail_server: MailServer) -> AsyncIterator[House]:
    """The page with everything behind it."""
    (port,) = free_ports(1)
    orders = await desks("orders", api_tokens=TOKENS)
    app = edge.application(orders.hub.settings, [], build_app(orders.hub))
    server = HttpServer(app, "127.0.0.1", port)
    server.begin(on_end=lambda: None)
    url = f"http://127.0.0.1:{port}"
    chosen = settings_for_tests(
        PageSettings,
        await empty_database("notifier"),
        shops=[a_shop()],
        page_url=PAGE,
        orders_url=url,
        smtp_port=mail_server.port,
        smtp_timeout_seconds=5.0,
        retry_seconds=0.05,
    )
    notifier = await Desk(subscribers, chosen).open()
    await wait_until(lambda: _answers(url))
    yield House(notifier, orders, mail_server, server.end)
    await notifier.close()
    await server.end()


async def _answers(url: str) -> bool:
    async with httpx2.AsyncClient(trust_env=False) as http:
        try:
            return (await http.get(f"{url}/internal/customer-orders/x/x")).status_code == 401
        except httpx2.TransportError:
            return False
