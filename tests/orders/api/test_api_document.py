"""The committed OpenAPI document is the routes', is valid, and every route but the document itself needs a token."""

import json
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi.routing import APIRoute
from openapi_spec_validator import validate
from pydantic import BaseModel, ValidationError

from services.chassis.http.tokens import is_below
from services.orders.api.access import GUARDED
from services.orders.api.actions.refund_requests import ReassignmentRequest, RefundRequest, SettlementRequest
from services.orders.api.app import ROUTERS, routes
from services.orders.api.openapi import FILE, as_text
from services.orders.listing.filters import Filters
from services.orders.order.requests import AdjustmentRequest, ShipmentRequest
from tests.conftest import Desks
from tests.orders.rest_client import TOKENS, client

PUBLIC = {"/openapi.json"}
PARAGRAPH = "\n\n"
DOCUMENT = routes().openapi()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_the_committed_document_is_that_of_the_routes() -> None:
    assert FILE.read_text(encoding="utf-8") == as_text(), "run: python -m services.orders.api.openapi"


def test_the_readme_has_every_route_with_its_first_sentence() -> None:
    rows = [
        f"| `{method} {path}` | {' '.join(operation['description'].partition(PARAGRAPH)[0].split())} |"
        for method, path, operation in OPERATIONS
    ]
    shown = FILE.with_name("README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in shown if line.startswith("| `")] == rows


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(json.loads(as_text()))


def test_the_document_has_every_route() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    public = [route for route in routes if route.include_in_schema]
    assert {route.path.split("/")[1] for route in routes if route not in public} == {"internal"}
    served = {(method, route.path) for route in public for method in route.methods or ()}
    described = {(method, path) for method, path, _ in OPERATIONS}
    assert {(method, path.replace(":path}", "}")) for method, path in served} == described


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_route_is_guarded_and_documents_it(method: str, path: str, operation: dict[str, Any]) -> None:
    assert is_below(path, GUARDED)
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
    assert DOCUMENT["components"]["schemas"][body]["additionalProperties"] is False
    assert {"200", "202", "400", "409", "413", "422"} <= set(operation["responses"])


REFUND = {"amount_minor": 100, "currency": "EUR"}
SHIPMENT = {"parcel_ids": [str(UUID(int=1))], "carrier": "Colissimo", "shipped_on": "2026-11-28"}
ADJUSTMENT = {"sku": "A", "reason": "count"}
RULES: list[tuple[type[BaseModel], dict[str, Any], dict[str, Any], str]] = [
    (RefundRequest, {**REFUND, "mode": "recorded", "reference": "R"}, {"mode": "sent"}, "with `sent`"),
    (SettlementRequest, {"verdict": "made", "provider_reference": "re_1"}, {"verdict": "not_made"}, "`made`"),
    (
        ReassignmentRequest,
        {"entry_id": str(UUID(int=1))},
        {"provider": "stripe", "provider_reference": "p"},
        "not both",
    ),
    (
        ReassignmentRequest,
        {"provider": "stripe", "provider_reference": "p"},
        {"provider": None},
        "Needs `provider`",
    ),
    (
        ShipmentRequest,
        {**SHIPMENT, "cost_minor": 5, "cost_currency": "EUR"},
        {"cost_currency": None},
        "Needs `cost_",
    ),
    (AdjustmentRequest, {**ADJUSTMENT, "change": 1}, {"change": 0}, "never 0"),
]


@pytest.mark.parametrize(("model", "fine", "wrong", "words"), RULES)
def test_a_rule_across_fields_is_held_and_described(
    model: type[BaseModel], fine: dict[str, Any], wrong: dict[str, Any], words: str
) -> None:
    model.model_validate_json(json.dumps(fine))
    with pytest.raises(ValidationError):
        model.model_validate_json(json.dumps({**fine, **wrong}))
    assert words in json.dumps(DOCUMENT["components"]["schemas"][model.__name__])


@pytest.mark.parametrize(
    ("fine", "wrong", "words"),
    [
        ("amount_min=1&amount_max=2&currency=EUR", "amount_min=1", "which it needs"),
        (
            "amount_min=1&amount_max=2&currency=EUR",
            "amount_min=3&amount_max=2&currency=EUR",
            "at most `amount_max`",
        ),
        ("from=2026-11-01&to=2026-11-01", "from=2026-11-02&to=2026-11-01", "not after `to`"),
    ],
)
def test_a_rule_across_filters_is_held_and_described(fine: str, wrong: str, words: str) -> None:
    Filters.from_url(fine)
    with pytest.raises(ValidationError):
        Filters.from_url(wrong)
    assert words in json.dumps(DOCUMENT["paths"]["/v1/orders"]["get"]["parameters"])


async def test_a_method_that_a_path_does_not_take_is_answered_with_those_it_takes(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    taken: dict[str, set[str]] = {}
    for method, path, _ in OPERATIONS:
        taken.setdefault(path, set()).add(method)
    async with client(desk) as http:
        for path, methods in taken.items():
            answer: httpx2.Response = await http.put(path.replace("{", "").replace("}", ""))
            assert answer.status_code == 405, path
            assert set(answer.headers["allow"].split(", ")) == methods
            assert answer.headers["content-type"] == "application/problem+json"


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
