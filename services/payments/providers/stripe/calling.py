"""Calls to Stripe's API, and its lists page by page.

After time-outs, 5xx and a few other statuses the outcome is open; every other rejection is final and comes with
Stripe's message. Source: Stripe's API reference (errors, pagination).
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from services.payments.providers.port import ProviderRefused, ProviderUnavailable
from services.payments.providers.strict_json import JsonRefused, read_object

API_VERSION = "2025-03-31.basil"
PASSING = frozenset((408, 409, 425, 429))
"""Statuses that leave a call's outcome open: an identical request in progress, too many requests."""
MOST_LISTED = 100


class StripeClient:
    """One connection pool to Stripe's API."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._http = httpx2.AsyncClient(base_url=url, timeout=timeout_seconds, trust_env=False)

    async def close(self) -> None:
        """Close the pool."""
        await self._http.aclose()

    async def post(
        self, path: str, key: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the answer to a call. Raises ProviderUnavailable, ProviderRefused."""
        return await self._call("POST", path, key, data=form, headers=headers)

    async def endpoints(self, key: str) -> list[dict[str, Any]]:
        """Return the account's webhook endpoints. Raises ProviderUnavailable, ProviderRefused."""
        page = await self._call("GET", "/v1/webhook_endpoints", key, params={"limit": str(MOST_LISTED)})
        return [item for item in _list_of(page) if isinstance(item, dict)]

    async def list_all(
        self, path: str, key: str, query: Mapping[str, Any], account: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the objects of a list, newest first. Raises ProviderUnavailable, ProviderRefused."""
        headers = {"Stripe-Account": account} if account else {}
        params = {**query, "limit": str(MOST_LISTED)}
        while True:
            page = await self._call("GET", path, key, params=params, headers=headers)
            listed = [item for item in _list_of(page) if isinstance(item, dict)]
            for item in listed:
                yield item
            if page.get("has_more") is not True:
                return
            last = listed[-1].get("id") if listed else None
            if not isinstance(last, str):
                raise ProviderUnavailable(
                    "Stripe's API answered a page without the id that the next one needs"
                )
            params["starting_after"] = last

    async def _call(self, method: str, path: str, key: str, **more: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {key}", "Stripe-Version": API_VERSION, **more.pop("headers", {})}
        try:
            answer = await self._http.request(method, path, headers=headers, **more)
            body = read_object(answer.content) if answer.content else {}
        except httpx2.HTTPError as error:
            raise ProviderUnavailable(f"{type(error).__name__} from Stripe's API") from error
        except JsonRefused as refused:
            raise ProviderUnavailable(
                f"Stripe's API answered {answer.status_code} with a body that is not JSON: {refused}"
            ) from refused
        if answer.is_success:
            return body
        words = _words(body) or f"status {answer.status_code}"
        if answer.status_code >= 500 or answer.status_code in PASSING or answer.status_code < 400:
            raise ProviderUnavailable(words)
        raise ProviderRefused(words)


def _list_of(page: dict[str, Any]) -> list[Any]:
    """Return the items of a page. Raises ProviderUnavailable for anything but a list, which does not prove that
    there are none.
    """
    listed = page.get("data")
    if not isinstance(listed, list):
        raise ProviderUnavailable("Stripe's API answered a list without its data")
    return listed


def _words(body: dict[str, Any]) -> str:
    error = body.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return message[:500] if isinstance(message, str) else json.dumps(body)[:200] if body else ""
