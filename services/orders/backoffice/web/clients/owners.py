"""Clients of the owning services, for data that orders does not copy and for requests that need no command.

They authenticate with the internal token and wait two seconds unless more is specified. A page never fails
because a service is unavailable: it gets a `ServiceUnavailable` instead of an answer and shows the panel with
the time since when. Nothing is cached: a page shows what the service answers now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import httpx2
import structlog

from services.orders.backoffice.web.settings import BackofficeSettings

log = structlog.get_logger()
SECONDS = 2.0
Owner = Literal["orders", "payments", "fulfillment", "notifier", "auditor"]
"""Who answers: the four services, and the auditor, which owns nothing but its findings."""


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
    """The owner has not answered since then (None: it was never set up: its URL is not in the settings)."""

    owner: Owner
    since: datetime | None

    @property
    def is_down(self) -> bool:
        return True


class ServiceClients:
    """The other services as the back office reads them."""

    def __init__(self, settings: BackofficeSettings) -> None:
        token = settings.internal_token.get_secret_value()
        self._settings = settings
        self._client = httpx2.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"})
        self.seconds = SECONDS
        self._down_since: dict[Owner, datetime] = {}

    async def get(self, owner: Owner, path: str, **query: str | list[str]) -> Answer | ServiceUnavailable:
        """GET `path` of an owner; a status of 5xx or 401 counts as unavailable, any other is the answer."""
        return await self._ask(owner, "GET", path, params=query, timeout=self.seconds)

    async def post(
        self, owner: Owner, path: str, body: Mapping[str, Any], *, seconds: float | None = None
    ) -> Answer | ServiceUnavailable:
        """POST JSON to an owner, which has this number of `seconds` to answer. When it is unavailable, the
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
                log.warning("owner does not answer", owner=owner, path=path, error=type(error).__name__)
            return ServiceUnavailable(owner, self._down_since.setdefault(owner, datetime.now(UTC)))
        self._down_since.pop(owner, None)
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
