"""The HTTP edge: what ends badly is a problem, and failed requests are logged by their class, not one by one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg
import httpx2
import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from services.chassis.http import edge
from services.chassis.logs import Repeats
from services.chassis.settings import ServiceSettings
from services.chassis.testing import settings_for_tests
from tests.chassis.conftest import SampleDesks
from tests.chassis.operators import operator

PROBLEM = "application/problem+json"
SETTINGS = settings_for_tests(ServiceSettings, "postgresql://nowhere/")


async def fine(_: Request) -> Response:
    return PlainTextResponse("fine")


def failing(error: BaseException) -> Callable[[Request], Awaitable[Response]]:
    async def fail(_: Request) -> Response:
        raise error

    return fail


class ThingUnknown(Exception):
    """There is no such thing."""


def own() -> Starlette:
    routes = [
        Route("/things/{name}", fine, methods=["GET"]),
        Route("/things/{name}", fine, methods=["PATCH", "DELETE"]),
        Route("/outage", failing(ConnectionResetError())),
        Route("/slow", failing(asyncpg.QueryCanceledError("statement timeout"))),
        Route("/fault", failing(RuntimeError("secret detail"))),
        Route("/cancelled", failing(asyncio.CancelledError())),
        Route("/unknown", failing(ThingUnknown("there is no such thing"))),
        Route("/internal/own", fine),
    ]
    return edge.routed(routes, {ThingUnknown: 404})


def client() -> httpx2.AsyncClient:
    app = edge.application(SETTINGS, [Route("/livez", fine)], own())
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://edge")


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/nowhere", 404, None),
        ("GET", "/nowhere%0Aelse", 404, None),
        ("GET", "/things/", 404, None),
        ("PUT", "/things/a", 405, "DELETE, GET, HEAD, PATCH"),
        ("PUT", "/things/a%0Ab", 405, "DELETE, GET, HEAD, PATCH"),
        ("POST", "/livez", 405, "GET, HEAD"),
        ("GET", "/outage", 503, None),
        ("GET", "/slow", 503, None),
        ("GET", "/fault", 500, None),
        ("GET", "/unknown", 404, None),
        ("GET", "/livez/", 404, None),
        ("GET", "/internal/own", 401, None),
        ("GET", "/internal/nowhere", 401, None),
        ("GET", "/metrics", 401, None),
    ],
)
async def test_each_end_is_a_problem(method: str, path: str, status: int, allowed: str | None) -> None:
    async with client() as http:
        answer = await http.request(method, path)
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"], body["status"]) == (status, PROBLEM, status)
    assert body["type"] == f"urn:comptoir:problem:{body['code']}"
    assert body["title"]
    assert answer.headers.get("allow") == allowed
    assert ("retry-after" in answer.headers) is (status == 503)
    assert "secret" not in answer.text


async def test_operators_routes_state_what_they_take(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    async with operator(desk.hub) as http:
        answer = await http.get("/internal/replay")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize(
    "address", ["/internal/parked?shop=%00", "/internal/parked?state=a%00b", "/internal/a%00"]
)
async def test_a_nul_in_an_operators_address_is_refused(sample_desks: SampleDesks, address: str) -> None:
    desk = await sample_desks()
    async with operator(desk.hub) as http:
        answer = await http.get(address)
    assert (answer.status_code, answer.json()["code"]) == (422, "nul_in_address")


def lines(logged: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(line["log_level"], line["method"], line["route"], line["status"]) for line in logged]


async def test_one_line_for_each_class_of_failed_requests() -> None:
    async with client() as http:
        with capture_logs() as logged:
            for _ in range(50):
                for path in ("/things/a", "/nowhere", "/elsewhere", "/outage", "/fault"):
                    await http.get(path)
                await http.post("/things/b")
    assert lines(logged) == [
        ("info", "GET", "unknown", 404),
        ("warning", "GET", "/outage", 503),
        ("error", "GET", "/fault", 500),
        ("info", "POST", "/things/{name}", 405),
    ]
    assert logged[1]["error"].startswith("ConnectionResetError")
    assert isinstance(logged[2]["exc_info"], RuntimeError)


async def test_a_request_cancelled_before_its_response_is_not_measured() -> None:
    async with client() as http:
        with pytest.raises(asyncio.CancelledError):
            await http.get("/cancelled")
        await http.get("/outage")
    measured = {
        (sample.labels["route"], sample.labels["status"])
        for family in REGISTRY.collect()
        if family.name == "comptoir_http_request_seconds"
        for sample in family.samples
    }
    assert ("/outage", "5xx") in measured
    assert {status for _, status in measured} <= {"2xx", "3xx", "4xx", "5xx"}
    assert "/cancelled" not in {route for route, _ in measured}


def test_what_comes_again_is_counted_and_logged_once_a_minute() -> None:
    now = 0.0
    repeats = Repeats(60.0, lambda: now)
    assert [repeats.due("a") for _ in range(3)] == [1, 0, 0]
    assert repeats.due("b") == 1
    now = 61.0
    assert [repeats.due("a"), repeats.due("a")] == [3, 0]
