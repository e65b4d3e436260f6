"""The committed OpenAPI document is the routes', is valid, and every route but the document itself needs a token."""

import json
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute
from openapi_spec_validator import validate

from services.orders.access import is_guarded
from services.orders.api import ROUTERS
from services.orders.openapi import FILE, as_text, document
from tests.conftest import Desks
from tests.orders.staff import TOKENS, client

PUBLIC = {"/openapi.json"}
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
]


def test_the_committed_document_is_that_of_the_routes() -> None:
    assert FILE.read_text(encoding="utf-8") == as_text(), "run: python -m services.orders.openapi"


def test_the_document_is_valid_openapi_3_1() -> None:
    assert document()["openapi"].startswith("3.1")
    validate(json.loads(as_text()))


def test_the_document_has_every_route() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    served = {(method, route.path) for route in routes for method in route.methods or ()}
    described = {(method, path) for method, path, _ in OPERATIONS}
    assert {(method, path.replace(":path}", "}")) for method, path in served} == described


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_route_is_guarded_and_says_so(method: str, path: str, operation: dict[str, Any]) -> None:
    assert is_guarded(path)
    assert operation["security"] == [{"token": []}]
    assert {"401", "422", "503"} <= set(operation["responses"])
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"]


@pytest.mark.parametrize(("method", "path", "operation"), [one for one in OPERATIONS if one[0] == "POST"])
def test_every_command_needs_a_key_and_refuses_unknown_fields(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    (key,) = [one for one in operation["parameters"] if one["name"] == "Idempotency-Key"]
    assert key["required"] is True
    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert document()["components"]["schemas"][body]["additionalProperties"] is False
    assert {"200", "202", "400", "409", "413", "422"} <= set(operation["responses"])


async def test_without_a_token_every_route_answers_401_and_the_public_ones_200(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    async with client(desk) as http:
        del http.headers["Authorization"]
        for method, path, _ in OPERATIONS:
            answer: httpx2.Response = await http.request(
                method, path.replace("{", "").replace("}", ""), json={}
            )
            assert answer.status_code == 401, (method, path)
        for path in PUBLIC:
            assert (await http.get(path)).status_code == 200
        for path in ("/docs", "/redoc"):
            assert (await http.get(path)).status_code == 404
