"""OTLP over HTTP in its JSON form: what OpenTelemetry's collector, Jaeger and Tempo receive at port 4318."""

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from deploy.cli.failures import NotConfigured, Refused, Unreachable
from deploy.traces.spans import Span
from services.chassis.texts import fault_of_url, fits_a_header

PATH = "/v1/traces"
AT_ONCE = 500
SECONDS = 30.0
ATTEMPTS = 5
LONGEST_PAUSE = 30.0
MOST_REASON_CHARACTERS = 200
"""Characters of the receiver's reason that are shown."""
_LATER = (408, 429, 502, 503, 504)
"""Statuses after which the same request is sent again, by OTLP's rules and for proxies that are restarted."""
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of a header (RFC 9110)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def endpoint_of(address: str) -> str:
    """Return the address that spans are sent to: a base address gets `/v1/traces`. Raises NotConfigured."""
    fault = fault_of_url(address)
    parts = urlsplit(address if fault is None else "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured(
            f"{address} is not an address: give the one of an OTLP/HTTP receiver, such as http://127.0.0.1:4318"
        )
    if parts.username or parts.password:
        raise NotConfigured("give no password in the address: set COMPTOIR_OTLP_HEADERS to NAME=VALUE")
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(PATH) else path + PATH).geturl()


def headers_of(text: str) -> dict[str, str]:
    """Return the headers of `NAME=VALUE,NAME=VALUE`. Raises NotConfigured, without the values."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not sign or not _HEADER.fullmatch(name.strip()) for name, sign, _ in pairs):
        raise NotConfigured("COMPTOIR_OTLP_HEADERS must be NAME=VALUE, several of them with commas between")
    if not all(fits_a_header(value.strip()) for *_, value in pairs):
        raise NotConfigured(
            "COMPTOIR_OTLP_HEADERS has a value with a character that no HTTP header can carry"
        )
    return {name.strip(): value.strip() for name, _, value in pairs}


class Receiver:
    """A receiver of spans."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        self._endpoint = endpoint
        self._client = httpx2.Client(headers=dict(headers), timeout=SECONDS, trust_env=False)

    def send(self, spans: Iterable[Span]) -> None:
        """Send spans in one request. Raises Refused and Unreachable."""
        body = request_of(spans)
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._post(body, is_last=attempt == ATTEMPTS)
            if answer is not None:
                _check(answer)
                return

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, body: Mapping[str, Any], *, is_last: bool) -> httpx2.Response | None:
        """Return the answer, or None after a pause if the request has to be sent again."""
        try:
            answer = self._client.post(self._endpoint, json=body)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            if is_last:
                raise Unreachable(
                    f"the receiver of traces does not answer ({type(error).__name__})"
                ) from None
            answer = None
        if answer is not None and (answer.status_code not in _LATER or is_last):
            return answer
        time.sleep(_pause(answer))
        return None


def _pause(answer: httpx2.Response | None) -> float:
    """Return the seconds to wait: as the receiver asks, one second if it does not, never more than half a minute."""
    seconds = answer.headers.get("retry-after", "") if answer is not None else ""
    return min(float(seconds), LONGEST_PAUSE) if seconds.isdecimal() else 1.0


def _check(answer: httpx2.Response) -> None:
    if answer.status_code >= 400:
        kind = Unreachable if answer.status_code >= 500 or answer.status_code in _LATER else Refused
        raise kind(f"the receiver of traces answers {answer.status_code}: {_reason(answer)}")
    try:
        partly = answer.json().get("partialSuccess") or {}
    except (ValueError, AttributeError):
        raise Refused("what answers is no OTLP receiver: its answer is not a JSON object") from None
    if rejected := int(partly.get("rejectedSpans") or 0):
        raise Refused(
            f"the receiver rejected {rejected} spans: {partly.get('errorMessage') or 'it gives no reason'}"
        )


def _reason(answer: httpx2.Response) -> str:
    """Return why the receiver refuses, in one line. A page of HTML is no receiver's: it gives the remedy only."""
    if "html" in answer.headers.get("content-type", "").lower() or answer.text.lstrip().startswith("<"):
        return "it is no OTLP receiver but answers with a web page; correct the address in --otlp"
    return (
        " ".join(answer.text.split())[:MOST_REASON_CHARACTERS]
        or "it gives no reason; is the address in --otlp right?"
    )


def request_of(spans: Iterable[Span]) -> dict[str, Any]:
    """Return the ExportTraceServiceRequest of spans, by service."""
    by_service: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_service[span.service].append(span)
    return {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": _attributes({"service.name": service, "service.namespace": "comptoir"})
                },
                "scopeSpans": [{"scope": {"name": "comptoir"}, "spans": [_span(one) for one in found]}],
            }
            for service, found in by_service.items()
        ]
    }


def _span(span: Span) -> dict[str, Any]:
    written: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": int(span.kind),
        "startTimeUnixNano": _nanoseconds(span.start),
        "endTimeUnixNano": _nanoseconds(span.end),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2} if span.has_failed else {},
    }
    if span.parent_id is not None:
        written["parentSpanId"] = span.parent_id
    if span.follows is not None:
        trace_id, span_id = span.follows
        written["links"] = [{"traceId": trace_id, "spanId": span_id}]
    return written


def _attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in values.items()]


def _nanoseconds(timestamp: datetime) -> str:
    """Return the time since 1970 as OTLP's JSON has it, as text, since it is more than 53 bits."""
    since = timestamp - _EPOCH
    return str((since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000)
