"""Bearer tokens and the gate: only known tokens in the header pass, and no body past the limit."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.chassis.http import edge
from services.chassis.http.bodies import LARGEST_BODY_BYTES
from services.chassis.http.tokens import Gate, Tokens, authorization, is_below

FIRST, SECOND = "first-token-0123456789", "second-token-0123456789"
TOKENS = Tokens("COMPTOIR_SAMPLE_TOKENS", [(SecretStr(FIRST), "a"), (SecretStr(SECOND), "b")])


async def whoami(request: Request) -> Response:
    return JSONResponse({"holder": request.state.holder, "bytes": len(await request.body())})


async def public(_: Request) -> Response:
    return PlainTextResponse("open")


def client(tokens: Tokens[str] = TOKENS) -> httpx2.AsyncClient:
    routes = [Route("/v1/whoami", whoami, methods=["GET", "POST"]), Route("/public", public)]
    app = edge.routed(routes, middleware=[Middleware(Gate, under="/v1", tokens=tokens)])
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://edge")


def holder(text: str | None) -> Any:
    return TOKENS.holder({} if text is None else {"authorization": text})


def test_each_token_has_its_holder() -> None:
    assert holder(authorization(FIRST)["Authorization"]) == "a"
    assert holder(f"bearer {SECOND}") == "b"


@pytest.mark.parametrize(
    "text", [None, "", "Bearer", "Bearer ", f"Basic {FIRST}", FIRST, f"Bearer {FIRST[:-1]}"]
)
def test_anything_else_is_nobody(text: str | None) -> None:
    assert holder(text) is None


@given(st.text())
def test_no_header_breaks_the_comparison(text: str) -> None:
    assert holder(text) is None
    empty: Tokens[str] = Tokens("COMPTOIR_SAMPLE_TOKENS", [])
    assert empty.holder({"authorization": f"Bearer {text}"}) is None


async def test_a_caller_without_a_token_gets_401_and_learns_where_it_goes() -> None:
    async with client() as http:
        for answer in (
            await http.get("/v1/whoami"),
            await http.get(f"/v1/whoami?token={FIRST}"),
            await http.post("/v1/whoami", headers=authorization("nobody-has-this-one")),
            await http.get("/v1/there/is/no/such/route"),
        ):
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["code"] == "token_unknown"
            assert "COMPTOIR_SAMPLE_TOKENS" in answer.json()["detail"]
        found = await http.get("/v1/whoami", headers=authorization(FIRST))
        assert found.json() == {"holder": "a", "bytes": 0}
        assert (await http.get("/public")).status_code == 200


async def test_without_any_token_the_answer_names_the_setting() -> None:
    async with client(Tokens("COMPTOIR_SAMPLE_TOKENS", [])) as http:
        answer = await http.get("/v1/whoami", headers=authorization(FIRST))
    assert (answer.status_code, answer.json()["code"]) == (503, "no_token_configured")
    assert "COMPTOIR_SAMPLE_TOKENS" in answer.json()["detail"]


async def test_a_body_past_the_limit_is_413_whether_or_not_its_length_was_declared() -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    largest = b"x" * LARGEST_BODY_BYTES
    async with client() as http:
        fits = await http.post("/v1/whoami", headers=authorization(FIRST), content=largest)
        assert fits.json()["bytes"] == len(largest)
        for answer in (
            await http.post("/v1/whoami", headers=authorization(FIRST), content=largest + b"x"),
            await http.post("/v1/whoami", headers=authorization(FIRST), content=in_pieces()),
        ):
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(answer.content)["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("path", "below"),
    [("/v1", True), ("/v1/", True), ("/v1/orders", True), ("/v10", False), ("/openapi.json", False)],
)
def test_what_is_below_a_path(path: str, below: bool) -> None:
    assert is_below(path, "/v1") is below
