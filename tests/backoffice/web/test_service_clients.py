"""Other services read over HTTP: their answer, or since when there is none."""

import asyncio
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.ports import free_ports
from services.chassis.testing import settings_for_tests
from services.orders.api.owners.clients import Answer, ServiceClients, ServiceUnavailable
from services.orders.backoffice.language.translating import PageLocale, using_locale
from services.orders.backoffice.web.settings import BackofficeSettings
from tests.backoffice.browser import ORIGIN, Backoffice
from tests.serving import serving


async def _stock(request: Request) -> Response:
    if request.headers.get("authorization") != "Bearer a-token-for-tests-only":
        return JSONResponse({}, 401)
    if request.query_params.get("sku") == "broken":
        return Response("<html>", 500)
    return JSONResponse({"sku": request.query_params["sku"]})


async def _count(request: Request) -> Response:
    return JSONResponse({"counted": (await request.json())["sku"]}, 201)


async def test_an_owner_answers_goes_and_comes_back() -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    settings = settings_for_tests(
        BackofficeSettings, "postgresql://nobody", backoffice_origin=ORIGIN, fulfillment_url=url
    )
    assert isinstance(settings, BackofficeSettings)
    clients = ServiceClients(settings)
    unavailable = await clients.get("fulfillment", "/stock", sku="A")
    assert isinstance(unavailable, ServiceUnavailable)
    assert unavailable.since is not None
    done = asyncio.Event()

    async def slow(_: Request) -> Response:
        await done.wait()
        return JSONResponse({})

    app = Starlette(
        routes=[
            Route("/stock", _stock),
            Route("/stock", _count, methods=["POST"]),
            Route("/slow", slow, methods=["POST"]),
        ]
    )
    async with serving(app, port):
        assert await clients.get("fulfillment", "/stock", sku="A") == Answer(200, {"sku": "A"})
        assert await clients.post("fulfillment", "/stock", {"sku": "B"}) == Answer(201, {"counted": "B"})
        late = await clients.post("fulfillment", "/slow", {}, seconds=0.05)
        done.set()
        assert isinstance(late, ServiceUnavailable), "it has as long as it is given"
        assert await clients.post("fulfillment", "/slow", {}) == Answer(200, {})
        broken = await clients.get("fulfillment", "/stock", sku="broken")
        assert isinstance(broken, ServiceUnavailable)
        assert broken.since is not None
        assert broken.since > unavailable.since, "it was there in between"
        assert await clients.get("payments", "/x") == ServiceUnavailable("payments", None)
    await clients.close()


async def test_the_panel_names_the_unavailable_service(backoffice: Backoffice) -> None:
    panel = backoffice.app_state.templates.environment.globals["owner_down"]
    assert callable(panel)
    with using_locale(PageLocale("en")):
        assert "Payments service: not connected" in panel(ServiceUnavailable("payments", None))
    with using_locale(PageLocale("fr")):
        assert "Le service des courriels ne répond plus depuis" in panel(
            ServiceUnavailable("notifier", datetime.now(UTC))
        )
