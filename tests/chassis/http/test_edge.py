"""The HTTP edge: what ends badly is a problem, and failed requests are logged by their class, not one by one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from services.chassis.http import edge
from services.chassis.logs import Repeats
from tests.chassis.conftest import SampleDesks
from tests.chassis.operators import operator

PROBLEM = "application/problem+json"


async def fine(_: Request) -> Response:
    return PlainTextResponse("fine")


def failing(error: Exception) -> Callable[[Request], Awaitable[Response]]:
    async def fail(_: Request) -> Response:
        raise error

    return fail


def own() -> Starlette:
    app = Starlette(
        routes=[
            Route("/things/{name}", fine, methods=["GET"]),
            Route("/things/{name}", fine, methods=["PATCH", "DELETE"]),
            Route("/outage", failing(ConnectionResetError())),
            Route("/fault", failing(RuntimeError("secret detail"))),
        ]
    )
    edge.install(app)
    return app


def client() -> httpx2.AsyncClient:
    app = edge.application([Route("/livez", fine)], own())
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
        ("GET", "/fault", 500, None),
    ],
)
async def test_each_end_is_a_problem(method: str, path: str, status: int, allowed: str | None) -> None:
    async with client() as http:
        answer = await http.request(method, path)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"], told["status"]) == (status, PROBLEM, status)
    assert told["type"] == f"urn:comptoir:problem:{told['code']}"
    assert told["title"]
    assert answer.headers.get("allow") == allowed
    assert ("retry-after" in answer.headers) is (status == 503)
    assert "secret" not in answer.text


async def test_operators_routes_say_what_they_take(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    async with operator(desk.hub) as http:
        answer = await http.get("/internal/replay")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.headers["content-type"] == PROBLEM


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


def test_what_comes_again_is_counted_and_said_once_a_minute() -> None:
    now = 0.0
    repeats = Repeats(60.0, lambda: now)
    assert [repeats.due("a") for _ in range(3)] == [1, 0, 0]
    assert repeats.due("b") == 1
    now = 61.0
    assert [repeats.due("a"), repeats.due("a")] == [3, 0]
