"""Bodies of requests: a JSON object is read, no body is an empty one, and anything else is refused by name."""

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.chassis.http import edge
from services.chassis.http.bodies import read_object
from services.chassis.settings import ServiceSettings
from services.chassis.testing import settings_for_tests

SETTINGS = settings_for_tests(ServiceSettings, "postgresql://nowhere/")


async def echo(request: Request) -> Response:
    """Answer with the object that was read."""
    return JSONResponse(await read_object(request))


async def post(body: bytes) -> httpx2.Response:
    own = edge.routed([Route("/echo", echo, methods=["POST"])], {})
    app = edge.application(SETTINGS, [], own)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://edge") as client:
        return await client.post("/echo", content=body)


@pytest.mark.parametrize(
    ("body", "read"), [(b'{"shop": "maison"}', {"shop": "maison"}), (b"", {}), (b"{}", {})]
)
async def test_an_object_is_read_and_no_body_is_an_empty_one(body: bytes, read: dict[str, str]) -> None:
    answer = await post(body)
    assert (answer.status_code, answer.json()) == (200, read)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"shop": "maison"', "JSONDecodeError"),
        (b"shop=maison&actor=marie", "JSONDecodeError"),
        (b"\xff\xfe\x00", "UnicodeDecodeError"),
        (b"[" * 100_000, "RecursionError"),
        (b'{"a":' * 20_000, "RecursionError"),
        (b'["maison"]', "JSON array"),
        (b'"maison"', "JSON string"),
        (b"7", "JSON number"),
        (b"7.5", "JSON number"),
        (b"true", "JSON boolean"),
        (b"null", "JSON null"),
    ],
)
async def test_anything_else_is_refused_with_its_fault_and_the_remedy(body: bytes, named: str) -> None:
    answer = await post(body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert named in answer.json()["detail"]
    assert answer.json()["detail"].endswith("send a JSON object, or no body.")
