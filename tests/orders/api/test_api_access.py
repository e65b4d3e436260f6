"""Who is let in: known tokens in the header, each for its own shop; and no body past the limit."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from services.orders.api import problems
from services.orders.api.access import (
    LARGEST_BODY_BYTES,
    Caller,
    Gate,
    Tokens,
    caller_of,
    is_guarded,
)
from services.orders.order.settings import ApiToken, ApiTokens

ERP = ApiToken(name="erp", shop="maison", token=SecretStr("erp-token-0123456789"))
SCRIPT = ApiToken(name="script", shop="atelier", token=SecretStr("script-token-0123456789"))
TOKENS = Tokens([ERP, SCRIPT])


def app(tokens: Tokens) -> FastAPI:
    application = FastAPI()
    problems.install(application)

    @application.api_route("/v1/whoami", methods=["GET", "POST"])
    async def whoami(request: Request) -> dict[str, object]:
        return {"actor": caller_of(request).actor, "bytes": len(await request.body())}

    @application.get("/public")
    async def public() -> str:
        return "open"

    application.add_middleware(Gate, tokens=tokens)
    return application


def client(tokens: Tokens = TOKENS) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app(tokens)), base_url="http://orders")


def bearer(token: ApiToken) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.token.get_secret_value()}"}


def test_each_token_is_bound_to_its_shop() -> None:
    assert TOKENS.caller(bearer(ERP)["Authorization"]) == Caller("erp", "maison")
    assert TOKENS.caller("bearer " + SCRIPT.token.get_secret_value()) == Caller("script", "atelier")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic erp-token-0123456789",
        "erp-token-0123456789",
        "Bearer erp-token-01234",
    ],
)
def test_anything_else_is_nobody(authorization: str | None) -> None:
    assert TOKENS.caller(authorization) is None


@given(st.text())
def test_no_header_breaks_the_comparison(authorization: str) -> None:
    assert TOKENS.caller(authorization) is None
    assert Tokens([]).caller("Bearer " + authorization) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "short"},
        {"token": "erp-token with spaces"},
        {"token": "erp-token-été-été-été"},
        {"shop": "Maison!"},
        {"name": ""},
        {"scope": "all"},
    ],
)
def test_a_token_that_is_not_well_made_is_refused_without_showing_it(wrong: dict[str, str]) -> None:
    values = {"name": "erp", "shop": "maison", "token": "erp-token-0123456789", **wrong}
    with pytest.raises(ValidationError) as refused:
        ApiToken.model_validate(values)
    assert "erp-token" not in str(refused.value)
    assert "erp-token" not in repr(ERP)


def test_one_token_cannot_belong_to_two() -> None:
    values = [{"name": name, "shop": "maison", "token": "erp-token-0123456789"} for name in ("erp", "script")]
    with pytest.raises(ValidationError, match="same token") as refused:
        TypeAdapter(ApiTokens, config={"hide_input_in_errors": True}).validate_python(values)
    assert "erp-token" not in str(refused.value)


async def test_who_has_no_token_gets_401_and_is_told_where_it_goes() -> None:
    async with client() as http:
        for answer in (
            await http.get("/v1/whoami"),
            await http.get("/v1/whoami?token=erp-token-0123456789"),
            await http.post("/v1/whoami", headers={"Authorization": "Bearer nobody-has-this-one"}),
            await http.get("/v1/there/is/no/such/route"),
        ):
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["code"] == "token_unknown"
        assert (await http.get("/v1/whoami", headers=bearer(ERP))).json() == {"actor": "api:erp", "bytes": 0}
        assert (await http.get("/public")).status_code == 200


async def test_without_any_token_configured_the_api_says_what_to_set() -> None:
    async with client(Tokens([])) as http:
        answer = await http.get("/v1/whoami", headers=bearer(ERP))
    assert answer.status_code == 503
    assert answer.json()["code"] == "no_token_configured"
    assert "COMPTOIR_API_TOKENS" in answer.json()["detail"]


async def test_a_body_past_the_limit_is_413_whether_or_not_its_length_was_told() -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    largest = b"x" * LARGEST_BODY_BYTES
    async with client() as http:
        fits = await http.post("/v1/whoami", headers=bearer(ERP), content=largest)
        assert fits.json()["bytes"] == len(largest)
        for answer in (
            await http.post("/v1/whoami", headers=bearer(ERP), content=largest + b"x"),
            await http.post("/v1/whoami", headers=bearer(ERP), content=in_pieces()),
        ):
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(answer.content)["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("path", "guarded"),
    [("/v1", True), ("/v1/", True), ("/v1/orders", True), ("/v10", False), ("/openapi.json", False)],
)
def test_what_is_guarded(path: str, guarded: bool) -> None:
    assert is_guarded(path) is guarded
