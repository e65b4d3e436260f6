"""PDFs of invoices and credit notes, fetched from payments when their mail is sent.

They are not kept here: payments gives the same bytes each time, so that a mail sent again is the same mail.
While payments is unavailable, or the PDF is still being made, the mail waits.
"""

import asyncio

import httpx2

from services.chassis.http.service_client import service_client
from services.notifier.mails.compose.composing import document_in
from services.notifier.mails.mail import Mail
from services.notifier.mails.settings import NotifierSettings

SECONDS = 10.0
AT_ONCE = 3
TURN_SECONDS = 0.5
"""How long a mail waits for its turn before it makes room for others."""
LARGEST_BYTES = 10 * 1024 * 1024


class AttachmentDelayed(Exception):
    """The PDF can't be had now; it will be later."""


class AttachmentMissing(Exception):
    """The PDF will never be had, by the settings or by payments' answer."""


class AttachmentBusy(Exception):
    """Other PDFs are being fetched: the mail waits, so that mails without a PDF go on meanwhile."""


class Attachments:
    """The client that fetches PDFs, a few at once."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._client: httpx2.AsyncClient | None = None

    async def of(self, mail: Mail) -> bytes | None:
        """Return the PDF that a mail carries; None for a mail without one.

        Raises AttachmentDelayed, AttachmentMissing, AttachmentBusy.
        """
        document = document_in(mail)
        if document is None:
            return None
        if self._settings.payments_url is None:
            raise AttachmentMissing("set COMPTOIR_PAYMENTS_URL: the PDF is fetched from payments")
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise AttachmentBusy(f"{AT_ONCE} other PDFs are being fetched") from None
        try:
            path = f"/internal/invoices/{mail.shop}/{document['invoice_id']}/pdf"
            async with asyncio.timeout(SECONDS):
                return await self._fetch(self._settings.payments_url + path)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise AttachmentDelayed(
                f"payments can't be queried for the PDF: {type(error).__name__}"
            ) from error
        finally:
            self._turns.release()

    async def _fetch(self, url: str) -> bytes:
        if self._client is None:
            token, authorities = self._settings.internal_token, self._settings.services_ca_file
            self._client = service_client(token, authorities, SECONDS)
        async with self._client.stream("GET", url) as answer:
            _check(answer.status_code)
            content = b""
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > LARGEST_BYTES:
                    raise AttachmentMissing(f"the PDF is larger than {LARGEST_BYTES} bytes")
        return content


def _check(status: int) -> None:
    """Raise AttachmentMissing or AttachmentDelayed for an answer that is not a PDF."""
    if status == 404:
        raise AttachmentMissing("payments has no such document")
    if status == 409:
        raise AttachmentMissing("payments can't make the PDF; once it can, send the mail again")
    if status != 200:
        raise AttachmentDelayed(f"payments answered {status} to the request for the PDF")
