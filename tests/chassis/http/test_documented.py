"""Whatever goes wrong, the caller gets problem details and nothing of our insides."""

import asyncpg
import httpx2
import pytest
from fastapi import APIRouter

from services.chassis.http.documented import documented, field_path
from services.chassis.http.problems import Problem


def app_raising(error: Exception) -> httpx2.AsyncClient:
    router = APIRouter()

    @router.get("/")
    async def fail() -> None:
        raise error

    app = documented("Sample", [router])
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://orders")


@pytest.mark.parametrize(
    ("error", "status", "code", "retry"),
    [
        (Problem(409, "idempotency_conflict", "Send another key."), 409, "idempotency_conflict", False),
        (ConnectionRefusedError(), 503, "database_away", True),
        (TimeoutError(), 503, "database_away", True),
        (asyncpg.InterfaceError("pool is closed"), 503, "database_away", True),
        (asyncpg.AdminShutdownError("terminating"), 503, "database_away", True),
        (asyncpg.TooManyConnectionsError("sorry"), 503, "database_away", True),
        (asyncpg.DeadlockDetectedError("deadlock"), 503, "database_away", True),
        (asyncpg.QueryCanceledError("statement timeout"), 503, "query_too_slow", True),
        (asyncpg.UndefinedColumnError("secret column"), 500, "internal_error", False),
        (RuntimeError("secret detail"), 500, "internal_error", False),
    ],
)
async def test_every_error_is_a_problem_of_its_kind(
    error: Exception, status: int, code: str, retry: bool
) -> None:
    async with app_raising(error) as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    assert answer.json()["type"] == f"urn:comptoir:problem:{code}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) is retry
    assert "secret" not in answer.text


async def test_an_unknown_path_or_method_is_a_problem_too() -> None:
    async with app_raising(RuntimeError()) as http:
        for answer, status in ((await http.get("/nowhere"), 404), (await http.post("/"), 405)):
            assert (answer.status_code, answer.json()["status"]) == (status, status)
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("body", "lines", 2, "quantity"), "lines[2].quantity"),
        (("query", "state", 1), "state[1]"),
        (("header", "Idempotency-Key"), "Idempotency-Key"),
        (("body",), "body"),
    ],
)
def test_a_field_is_named_as_a_path(location: tuple[str | int, ...], path: str) -> None:
    assert field_path(location) == path
