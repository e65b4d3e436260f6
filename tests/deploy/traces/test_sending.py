"""Spans sent to an OTLP receiver over HTTP, and what its answers mean."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.cli.failures import Failure, NotConfigured, Refused, Unreachable
from deploy.traces import sending
from deploy.traces.sending import Receiver, endpoint_of, headers_of, request_of
from deploy.traces.spans import Kind, Span
from tests.serving import serving

AT = datetime(2026, 11, 28, 10, 0, 0, 123456, tzinfo=UTC)
TRACE, PARENT, CHILD = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
SPAN = Span(
    "orders",
    "send orders.order.placed.v1",
    Kind.PRODUCER,
    TRACE,
    CHILD,
    PARENT,
    AT,
    AT,
    {"comptoir.shop": "maison"},
)


@dataclass
class Collector:
    """A receiver that answers as it is told, and keeps what it was sent."""

    answers: list[Response] = field(default_factory=list)
    requests: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    url: str = ""

    async def receive(self, request: Request) -> Response:
        self.requests.append((dict(request.headers), await request.json()))
        return self.answers.pop(0) if self.answers else JSONResponse({})

    async def send(self, *spans: Span) -> None:
        """Send spans to it."""
        receiver = Receiver(endpoint_of(self.url), {"api-key": "of a test"})
        try:
            await asyncio.to_thread(receiver.send, spans)
        finally:
            receiver.close()


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    async with serving(Starlette(routes=[Route("/v1/traces", made.receive, methods=["POST"])])) as url:
        made.url = url
        yield made


async def test_a_wrong_address_is_one_plain_line(collector: Collector) -> None:
    page = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>nginx</body></html>"
    collector.answers = [
        HTMLResponse(page, 404),
        PlainTextResponse("no\nsuch\npath", 404),
        Response(status_code=403),
    ]
    for why in (
        "404: it is no OTLP receiver but answers with a web page",
        "404: no such path",
        "403: it gives no",
    ):
        with pytest.raises(Refused) as refused:
            await collector.send(SPAN)
        assert why in str(refused.value)
        assert not {"\n", "<"} & set(str(refused.value))


def test_a_request_is_as_otlp_s_json_has_it() -> None:
    assert request_of([SPAN]) == {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "orders"}},
                        {"key": "service.namespace", "value": {"stringValue": "comptoir"}},
                    ]
                },
                "scopeSpans": [
                    {
                        "scope": {"name": "comptoir"},
                        "spans": [
                            {
                                "traceId": TRACE,
                                "spanId": CHILD,
                                "parentSpanId": PARENT,
                                "name": "send orders.order.placed.v1",
                                "kind": 4,
                                "startTimeUnixNano": "1795860000123456000",
                                "endTimeUnixNano": "1795860000123456000",
                                "attributes": [{"key": "comptoir.shop", "value": {"stringValue": "maison"}}],
                                "status": {},
                            }
                        ],
                    }
                ],
            }
        ]
    }


async def test_spans_are_sent_with_the_receiver_s_headers(collector: Collector) -> None:
    await collector.send(SPAN)
    ((headers, body),) = collector.requests
    assert (headers["content-type"], headers["api-key"]) == ("application/json", "of a test")
    assert body == request_of([SPAN])


async def test_a_receiver_that_is_busy_is_retried(collector: Collector) -> None:
    collector.answers = [
        Response(status_code=503, headers={"retry-after": "0"}),
        Response(status_code=429, headers={"retry-after": "0"}),
    ]
    await collector.send(SPAN)
    assert [body for _, body in collector.requests] == [request_of([SPAN])] * 3


@pytest.mark.parametrize(
    ("answer", "kind", "expected"),
    [
        (PlainTextResponse("no such tenant", 401), Refused, "answers 401: no such tenant"),
        (
            JSONResponse({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old"}}),
            Refused,
            "rejected 1 spans: too old",
        ),
        (PlainTextResponse("<html>welcome</html>"), Refused, "no OTLP receiver"),
        (JSONResponse([]), Refused, "no OTLP receiver"),
        (PlainTextResponse("broken", 500), Unreachable, "answers 500: broken"),
    ],
    ids=["401", "partly", "page", "list", "500"],
)
async def test_an_answer_that_is_no_success_is_a_sentence(
    collector: Collector, answer: Response, kind: type[Failure], expected: str
) -> None:
    collector.answers = [answer]
    with pytest.raises(kind, match=expected):
        await collector.send(SPAN)


async def test_a_receiver_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ATTEMPTS", 1)
    with pytest.raises(Unreachable, match="receiver of traces does not answer"):
        await Collector(url="http://127.0.0.1:1").send(SPAN)


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
        ("https://traces.example/otlp", "https://traces.example/otlp/v1/traces"),
        ("https://traces.example/otlp/v1/traces", "https://traces.example/otlp/v1/traces"),
    ],
)
def test_a_base_address_gets_the_path(address: str, endpoint: str) -> None:
    assert endpoint_of(address) == endpoint


@pytest.mark.parametrize(
    "address", ["127.0.0.1:4318", "grpc://host:4317", "http://", "http://user:secret@host"]
)
def test_an_address_that_is_none_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        endpoint_of(address)
    assert "secret" not in str(refused.value)


def test_headers_are_pairs() -> None:
    assert headers_of("") == {}
    assert headers_of("api-key=a=b, tenant=shop") == {"api-key": "a=b", "tenant": "shop"}
    with pytest.raises(NotConfigured, match="NAME=VALUE"):
        headers_of("secret")


@pytest.mark.parametrize(
    "address", ["http://[::", "http://h:port", "http://h:70000", "ftp://h", "h:4318", ""]
)
def test_an_address_that_can_not_be_used_is_refused(address: str) -> None:
    with pytest.raises(NotConfigured, match="is not an address"):
        endpoint_of(address)


@pytest.mark.parametrize("headers", ["key=w\u00f6rng", "a key=x", "key=a\nb", "=x", "key"])
def test_headers_that_http_can_not_carry_are_refused_without_their_values(headers: str) -> None:
    with pytest.raises(NotConfigured, match="COMPTOIR_OTLP_HEADERS") as refused:
        headers_of(headers)
    assert "w\u00f6rng" not in str(refused.value)
