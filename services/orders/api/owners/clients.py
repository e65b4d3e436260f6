"""Clients of the owning services, for data that orders does not copy and for requests that need no command.

They authenticate with the internal token and wait two seconds unless more is specified. A page never fails
because a service is unavailable: it gets a `ServiceUnavailable` instead of an answer and shows the panel with
the time since when. Nothing is cached: a page shows what the service answers now.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import httpx2
import structlog
from pydantic import SecretStr

from services.chassis.http.service_client import service_client

log = structlog.get_logger()
SECONDS = 2.0
Owner = Literal["orders", "payments", "fulfillment", "notifier", "auditor"]
"""The services that answer: the four services, and the auditor, which owns only its findings."""


class OwnerAddresses(Protocol):
    """Settings that name the services' addresses, and the token that opens their read-only routes."""

    @property
    def internal_token(self) -> SecretStr: ...

    @property
    def services_ca_file(self) -> Path | None: ...

    def owner_url(self, owner: Owner) -> str | None: ...


@dataclass(frozen=True)
class Answer:
    """An owner's answer: HTTP status and JSON."""

    status: int
    body: Any

    @property
    def is_down(self) -> bool:
        return False


@dataclass(frozen=True)
class ServiceUnavailable:
    """The owner has been unavailable since then (None: its URL is not in the settings)."""

    owner: Owner
    since: datetime | None

    @property
    def is_down(self) -> bool:
        return True


@dataclass(frozen=True)
class File:
    """A file as its owner returns it."""

    content: AsyncIterator[bytes]
    media_type: str
    disposition: str


class ServiceClients:
    """HTTP clients of the other services."""

    def __init__(self, settings: OwnerAddresses) -> None:
        self._settings = settings
        self.seconds = SECONDS
        self._down_since: dict[Owner, datetime] = {}

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        """Return the connections, opened by the first request: most processes of tests never send one."""
        return service_client(self._settings.internal_token, self._settings.services_ca_file)

    async def get(self, owner: Owner, path: str, **query: str | list[str]) -> Answer | ServiceUnavailable:
        """GET `path` of an owner; a status of 5xx or 401 counts as unavailable, any other is the answer."""
        return await self._ask(owner, "GET", path, params=query, timeout=self.seconds)

    async def file(self, owner: Owner, path: str, *, seconds: float, **query: str | list[str]) -> File | int:
        """GET a file of an owner, streamed; the HTTP status when it has no such file, 503 when it cannot be reached."""
        url = self._settings.owner_url(owner)
        if url is None:
            return 503
        patience = httpx2.Timeout(seconds, connect=self.seconds)
        request = self._client.build_request("GET", f"{url}{path}", params=query, timeout=patience)
        try:
            got = await self._client.send(request, stream=True)
        except httpx2.HTTPError as error:
            log.warning("owning service unavailable", owner=owner, path=path, error=type(error).__name__)
            return 503
        if got.status_code != 200:
            await got.aclose()
            return got.status_code
        headers = got.headers
        return File(_passed_on(got), headers["content-type"], headers.get("content-disposition", "inline"))

    async def post(
        self, owner: Owner, path: str, body: Mapping[str, Any], *, seconds: float | None = None
    ) -> Answer | ServiceUnavailable:
        """POST JSON to an owner, with a timeout of `seconds`. When it is unavailable, the
        request may or may not have been applied: the page shows that, or repeats the request.
        """
        patience = httpx2.Timeout(seconds or self.seconds, connect=self.seconds)
        return await self._ask(owner, "POST", path, json=body, timeout=patience)

    async def _ask(self, owner: Owner, method: str, path: str, **sent: Any) -> Answer | ServiceUnavailable:
        url = self._settings.owner_url(owner)
        if url is None:
            return ServiceUnavailable(owner, None)
        try:
            got = await self._client.request(method, f"{url}{path}", **sent)
            if got.status_code >= 500 or got.status_code == 401:
                raise httpx2.HTTPStatusError(f"status {got.status_code}", request=got.request, response=got)
            answer = Answer(got.status_code, got.json())
        except (httpx2.HTTPError, ValueError) as error:
            if owner not in self._down_since:
                log.warning("owning service unavailable", owner=owner, path=path, error=type(error).__name__)
            return ServiceUnavailable(owner, self._down_since.setdefault(owner, datetime.now(UTC)))
        self._down_since.pop(owner, None)
        return answer

    async def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            await self._client.aclose()


async def _passed_on(answer: httpx2.Response) -> AsyncIterator[bytes]:
    """Yield a response's content chunk by chunk, and close it in any case."""
    try:
        async for piece in answer.aiter_bytes():
            yield piece
    finally:
        await answer.aclose()
