"""Calls to PayPal's REST API with one app's credentials: an access token that is shared, and JSON answers.

A token per call would exceed PayPal's rate limit, so one serves until shortly before it ends, and is
replaced once when PayPal rejects it. Time-outs, 5xx, 429 and answers that are not a JSON object leave the outcome
open: the same call may be repeated under the same `PayPal-Request-Id`. Source: PayPal's REST API reference.
"""

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from services.payments.providers.port import (
    ObjectMissing,
    ProviderRefused,
    ProviderUnavailable,
    ResultTooLarge,
)
from services.payments.providers.strict_json import JsonRefused, read_object

PASSING = frozenset((408, 409, 425, 429))
"""Statuses that leave the outcome open: an identical request in progress, too many requests."""
MAX_ANSWER_BYTES = 2 * 1024 * 1024
TOO_LARGE = "RESULTSET_TOO_LARGE"
TOKEN_MARGIN_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """An app's client id and secret."""

    client_id: str
    client_secret: str


class PaypalClient:
    """One connection pool to PayPal's API, with one app's token."""

    def __init__(
        self, url: str, credentials: Credentials, timeout_seconds: float, tls: ssl.SSLContext | bool
    ) -> None:
        self._http = httpx2.AsyncClient(base_url=url, timeout=timeout_seconds, trust_env=False, verify=tls)
        self._timeout_seconds = timeout_seconds
        self._credentials = credentials
        self._token, self._token_ends_at = "", 0.0
        self._renewing = asyncio.Lock()

    async def close(self) -> None:
        """Close the pool."""
        await self._http.aclose()

    async def get(self, *path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return an object as it was answered, a JSON object. `path` is escaped part by part.

        Raises ProviderUnavailable, ProviderRefused, ObjectMissing.
        """
        return await self._call("GET", _escaped(path, query))

    async def post(self, *path: str, content: bytes, headers: dict[str, str] | None = None) -> bytes:
        """Return the answer to a call. `path` is escaped part by part.

        Raises ProviderUnavailable, ProviderRefused, ObjectMissing.
        """
        return await self._call("POST", _escaped(path), content, headers)

    async def _call(
        self, method: str, path: str, content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        token = await self._current_token()
        status, answer, retry_after = await self._send(method, path, token, content, headers)
        if status == 401:
            token = await self._current_token(rejected=token)
            status, answer, retry_after = await self._send(method, path, token, content, headers)
        if 200 <= status < 300:
            return answer
        raise _error(status, answer, retry_after)

    async def _send(
        self, method: str, path: str, token: str, content: bytes | None, headers: dict[str, str] | None
    ) -> tuple[int, bytes, float | None]:
        sent = {"Authorization": f"Bearer {token}", "Accept": "application/json", **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        return await self._exchange(method, path, content=content, headers=sent)

    async def _exchange(self, method: str, path: str, **more: Any) -> tuple[int, bytes, float | None]:
        """Return status, body and wanted pause of an answer that is a JSON object, or an error without one."""
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._http.stream(method, path, **more) as answer,
            ):
                body = await _limited(answer)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise ProviderUnavailable(f"{type(error).__name__} from PayPal's API") from error
        if answer.is_success:
            try:
                read_object(body)
            except JsonRefused as refused:
                text = f"PayPal's API answered {answer.status_code} with a body that is not JSON: {refused}"
                raise ProviderUnavailable(text) from refused
        return answer.status_code, body, _seconds(answer.headers.get("retry-after"))

    async def _current_token(self, rejected: str | None = None) -> str:
        """Return the token; a new one if it has ended, or is the one that was rejected."""
        async with self._renewing:
            if self._token and self._token != rejected and time.monotonic() < self._token_ends_at:
                return self._token
            credentials = (self._credentials.client_id, self._credentials.client_secret)
            status, answer, retry_after = await self._exchange(
                "POST", "/v1/oauth2/token", data={"grant_type": "client_credentials"}, auth=credentials
            )
            if status == 404:
                raise ProviderUnavailable("404 from PayPal's token endpoint; check COMPTOIR_PAYPAL_API_URL")
            if status != 200:
                raise _error(status, answer, retry_after)
            self._token, lifetime = _token_in(answer)
            self._token_ends_at = time.monotonic() + max(0.0, lifetime - TOKEN_MARGIN_SECONDS)
            return self._token


def _escaped(path: Sequence[str], query: Mapping[str, str] | None = None) -> str:
    escaped = "/" + "/".join(quote(part, safe="") for part in path)
    return f"{escaped}?{urlencode(query)}" if query else escaped


async def _limited(answer: httpx2.Response) -> bytes:
    chunks, left = [], MAX_ANSWER_BYTES
    async for chunk in answer.aiter_bytes():
        left -= len(chunk)
        if left < 0:
            raise ProviderUnavailable(f"PayPal's API answered more than {MAX_ANSWER_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _token_in(answer: bytes) -> tuple[str, float]:
    found = read_object(answer)
    token, lifetime = found.get("access_token"), found.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or not token or type(lifetime) is not int:
        raise ProviderUnavailable("PayPal's API answered a token request without a token")
    return token, float(lifetime)


def _seconds(header: str | None) -> float | None:
    with contextlib.suppress(ValueError):
        return min(max(0.0, float(header)), LONGEST_WAIT_SECONDS) if header else None
    return None


def _error(status: int, answer: bytes, retry_after: float | None) -> Exception:
    words = _words(answer) or f"status {status}"
    if status == 404:
        return ObjectMissing(words)
    if status >= 500 or status in PASSING or status < 400:
        return ProviderUnavailable(f"{status} from PayPal's API: {words}", retry_after)
    return ResultTooLarge(words) if _is_too_large(answer) else ProviderRefused(words)


def _is_too_large(answer: bytes) -> bool:
    """Return whether a search found more than PayPal lists: the error's name, or the issue of its details."""
    try:
        found = read_object(answer)
    except JsonRefused:
        return False
    details = found.get("details")
    issues = [
        one.get("issue") for one in (details if isinstance(details, list) else ()) if isinstance(one, dict)
    ]
    return TOO_LARGE in (found.get("name"), *issues)


def _words(answer: bytes) -> str:
    """Return PayPal's own words: the issues, else the message."""
    try:
        found = read_object(answer)
    except JsonRefused:
        return ""
    details = found.get("details")
    issues = [
        ": ".join(str(one[field]) for field in ("issue", "description") if one.get(field))
        for one in (details if isinstance(details, list) else ())
        if isinstance(one, dict)
    ]
    message = (
        found.get("message") or found.get("error_description") or found.get("name") or found.get("error")
    )
    text = "; ".join(issue for issue in issues if issue) or (message if isinstance(message, str) else "")
    return text[:500] or json.dumps(found, default=str)[:200]
