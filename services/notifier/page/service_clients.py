"""Requests of the page to other services: the order, as its customer may see it, and the PDFs of its documents.

A service that does not answer soon is unavailable for this page, and only that part of it is missing.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx2
import structlog

from services.chassis.errors import describe
from services.chassis.http.service_client import service_client
from services.notifier.page.settings import PageSettings

log = structlog.get_logger()
SECONDS = 3.0
PDF_SECONDS = 10.0
LARGEST_PDF_BYTES = 10 * 1024 * 1024


class OwnerUnavailable(Exception):
    """A service does not answer now; nothing is known about what it would have answered."""


class PageClients:
    """Clients of orders and payments. They only read."""

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings
        self._client: httpx2.AsyncClient | None = None

    async def order(self, shop: str, order_id: UUID) -> Mapping[str, Any] | None:
        """Return the order's document; None when orders has none. Raises OwnerUnavailable."""
        path = f"/internal/customer-orders/{shop}/{order_id}"
        answer = await self._get(self._settings.orders_url, path, SECONDS)
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise OwnerUnavailable(f"orders answered {answer.status_code}")
        document: Mapping[str, Any] = answer.json()
        return document

    async def pdf(self, shop: str, document_id: str) -> bytes:
        """Return the PDF of an invoice or credit note. Raises OwnerUnavailable."""
        path = f"/internal/invoices/{shop}/{document_id}/pdf"
        answer = await self._get(self._settings.payments_url, path, PDF_SECONDS)
        if answer.status_code != 200 or len(answer.content) > LARGEST_PDF_BYTES:
            raise OwnerUnavailable(f"payments answered {answer.status_code}")
        return answer.content

    async def _get(self, url: str | None, path: str, seconds: float) -> httpx2.Response:
        if url is None:
            raise OwnerUnavailable("COMPTOIR_ORDERS_URL or COMPTOIR_PAYMENTS_URL is not set")
        if self._client is None:
            self._client = service_client(self._settings.internal_token, self._settings.services_ca_file)
        try:
            return await self._client.get(url + path, timeout=seconds)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            log.warning("a part of the page is unavailable", error=describe(error))
            raise OwnerUnavailable(type(error).__name__) from error
