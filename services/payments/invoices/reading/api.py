"""Invoices over HTTP, to be read by the back office, the notifier and the auditor: lists, PDFs, files, settings."""

import base64
import json
from collections.abc import AsyncIterator
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from services.chassis.background.effects import decide
from services.chassis.http.bodies import read_object
from services.chassis.http.problems import problem
from services.chassis.messaging.process import Process
from services.payments.accounts.unit.invoicing_store import read_invoicing
from services.payments.invoices import store
from services.payments.invoices.document import read
from services.payments.invoices.mentions import RECOMMENDED, doubtful, invalid, may_issue, missing, needed
from services.payments.invoices.reading import listing
from services.payments.invoices.reading.archive import archived
from services.payments.invoices.reading.journal import csv_header, csv_line, journal_header, journal_lines
from services.payments.invoices.reading.paging import Pages
from services.payments.invoices.rendering.process import Renderer, RenderingFailed
from services.payments.plain_json import plain

MOST_TO_PRINT = 200
MOST_WAITING = 100
LINES_PER_PAGE = 500
FILES_PER_PAGE = 20
_PDF = "application/pdf"
_ENDED = ("failed", "discarded")
"""The states of an effect that is not performed without a staff decision."""
_FILES = {
    "csv": ("factures.csv", "text/csv; charset=utf-8"),
    "journal": ("journal-des-ventes.txt", "text/plain; charset=utf-8"),
    "zip": ("factures.zip", "application/zip"),
}


class Invoices:
    """The routes about invoices."""

    def __init__(self, process: Process, renderer: Renderer) -> None:
        self._process = process
        self._renderer = renderer
        self._pages = Pages(process)

    async def settings(self, request: Request) -> Response:
        """Return a shop's settings, the missing and wrong mentions, and the orders that wait for them or failed."""
        shop = request.query_params.get("shop")
        if not shop:
            return problem(422, "shop is missing: ?shop=…")
        async with self._process.acquire() as connection:
            try:
                found = (await read_invoicing(connection, [shop])).get(shop)
            except ValidationError as error:
                return _unreadable(shop, error)
            is_held_back = found is not None and not may_issue(found.settings)
            waiting = await listing.read_waiting(connection, shop, MOST_WAITING) if is_held_back else []
            failed = await listing.read_failed(connection, shop, MOST_WAITING)
            failed_pdfs = await listing.count_failed_pdfs(connection, shop)
        if found is None:
            empty: dict[str, list[str]] = {
                name: [] for name in ("missing", "invalid", "doubtful", "waiting", "failed")
            }
            return JSONResponse({"version": 0, "settings": None, **empty, "failed_pdfs": failed_pdfs})
        values = found.settings.model_dump(mode="json", exclude={"logo"})
        return JSONResponse(
            {
                "version": found.version,
                "settings": values,
                "has_logo": found.logo is not None,
                "needed": list(needed(found.settings)),
                "recommended": list(RECOMMENDED),
                "missing": missing(found.settings),
                "invalid": [one.model_dump() for one in invalid(found.settings)],
                "doubtful": [one.model_dump() for one in doubtful(found.settings)],
                "waiting": [plain(row) for row in waiting],
                "failed": [plain(row) for row in failed],
                "failed_pdfs": failed_pdfs,
            }
        )

    async def retry(self, request: Request) -> Response:
        """Have a shop's documents that could not be issued, and PDFs that failed, tried once more: `{"shop": …}`."""
        shop = (await read_object(request)).get("shop")
        if not isinstance(shop, str) or not shop:
            return problem(422, "shop is missing: send JSON with shop, a text")
        async with self._process.unit() as unit:
            orders = await store.retry_failed(unit.connection, shop)
            pdfs = await store.lock_failed_pdfs(unit.connection, shop)
            for key in pdfs:
                await decide(unit, key, "planned", "retried by staff")
        return JSONResponse({"orders": orders, "pdfs": len(pdfs)}, 202)

    async def check_logo(self, request: Request) -> Response:
        """Draw a logo before it is accepted: `{"logo": …}` in base64; 422 when invoices can't show it."""
        logo = (await read_object(request)).get("logo")
        try:
            await self._renderer.check_logo(base64.b64decode(str(logo), validate=True))
        except (ValueError, RenderingFailed) as failed:
            return problem(422, f"the logo can't be drawn: {str(failed)[:500]}; send another picture")
        return JSONResponse({})

    async def listed(self, request: Request) -> Response:
        """Return one page of documents, and how many of the whole filter have no PDF."""
        try:
            filters = listing.wanted(request.query_params)
        except ValueError as wrong:
            return problem(422, str(wrong))
        async with self._process.acquire() as connection:
            rows = await listing.read_page(connection, filters)
            without_pdf = await listing.count_without_pdf(connection, filters)
        last = rows[filters.limit - 1] if len(rows) > filters.limit else None
        place = f"{last['issued_on'].isoformat()}_{last['id']}" if last else None
        invoices = [plain(row) for row in rows[: filters.limit]]
        return JSONResponse({"invoices": invoices, "next": place, "without_pdf": without_pdf})

    async def pdf(self, request: Request) -> Response:
        """Return a document's PDF; 503 as long as it is being made, 409 once it can't be made."""
        shop, identifier = request.path_params["shop"], request.path_params["invoice_id"]
        async with self._process.acquire() as connection:
            row = await store.read_pdf(connection, shop, identifier)
        if row is None:
            return problem(404, f"no invoice {identifier} in shop {shop}")
        if row["pdf"] is None and row["state"] in _ENDED:
            text = (
                f"the PDF of {row['number']} can't be made: {row['detail']}; retry it once the cause is fixed"
            )
            return problem(409, text)
        if row["pdf"] is None:
            answer = problem(503, f"the PDF of {row['number']} is being made; try again in a moment")
            answer.headers["retry-after"] = "2"
            return answer
        name = {
            "content-disposition": f'inline; filename="{row["number"]}.pdf"',
            "etag": f'"{row["sha256"]}"',
        }
        return Response(row["pdf"], media_type=_PDF, headers=name)

    async def content(self, request: Request) -> Response:
        """Return a document's frozen content with its hash."""
        shop, identifier = request.path_params["shop"], request.path_params["invoice_id"]
        async with self._process.acquire() as connection:
            row = await store.read_document(connection, shop, identifier)
        if row is None:
            return problem(404, f"no invoice {identifier} in shop {shop}")
        return JSONResponse({"content": json.loads(row["content"]), "digest": row["digest"]})

    async def printed(self, request: Request) -> Response:
        """Return several documents as one PDF: `?shop=…&id=…&id=…`."""
        shop = request.query_params.get("shop", "")
        try:
            wanted = [UUID(text) for text in request.query_params.getlist("id")]
        except ValueError:
            return problem(422, "id is not a UUID")
        if not 1 <= len(wanted) <= MOST_TO_PRINT:
            return problem(422, f"choose 1 to {MOST_TO_PRINT} documents: ?id=…&id=…")
        async with self._process.acquire() as connection:
            rows = await listing.read_pdfs(connection, shop, wanted)
        if unknown := len(set(wanted)) - len(rows):
            return problem(404, f"{unknown} of these documents are unknown in shop {shop}")
        if missing := [row["number"] for row in rows if row["content"] is None]:
            names = ", ".join(missing)
            return problem(503, f"no PDF is made of {names}: leave them out, or try again in a moment")
        try:
            merged = await self._renderer.merged([row["content"] for row in rows])
        except RenderingFailed as failed:
            return problem(503, str(failed))
        return Response(
            merged, media_type=_PDF, headers={"content-disposition": 'inline; filename="factures.pdf"'}
        )

    async def exported(self, request: Request) -> Response:
        """Return all documents of a filter as a file: `csv`, `journal`, or `zip` with their PDFs."""
        kind = request.path_params["form"]
        if kind not in _FILES:
            return problem(404, f"files are {', '.join(_FILES)}")
        try:
            filters = listing.wanted(request.query_params)
        except ValueError as wrong:
            return problem(422, str(wrong))
        name, media = _FILES[kind]
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        files = self._pages.rows(listing.read_files_after, filters, FILES_PER_PAGE)
        content = archived(files) if kind == "zip" else self._lines(filters, kind)
        return StreamingResponse(content, media_type=media, headers=headers)

    async def _lines(self, filters: listing.DocumentFilter, kind: str) -> AsyncIterator[str]:
        head, line = (csv_header, csv_line) if kind == "csv" else (journal_header, journal_lines)
        yield head()
        async for row in self._pages.rows(listing.read_contents_after, filters, LINES_PER_PAGE):
            yield line(read(row["content"]))

    def routes(self) -> list[Route]:
        """Return the routes; the edge lets only holders of the operators' token reach them."""
        one = "/internal/invoices/{shop}/{invoice_id:uuid}"
        return [
            Route("/internal/invoicing", self.settings),
            Route("/internal/invoicing/retry", self.retry, methods=["POST"]),
            Route("/internal/invoicing/logo", self.check_logo, methods=["POST"]),
            Route("/internal/invoices", self.listed),
            Route("/internal/invoices/print", self.printed),
            Route("/internal/invoices/export/{form}", self.exported),
            Route(f"{one}/pdf", self.pdf),
            Route(one, self.content),
        ]


def _unreadable(shop: str, error: ValidationError) -> Response:
    """Return the problem of stored settings that can't be read, such as those with a value of a newer version."""
    names = ", ".join(sorted({str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]}))
    detail = (
        f"The stored invoicing settings of shop {shop} can't be read by this version ({names}): start the version that "
        "stored them. Nothing is issued meanwhile."
    )
    return problem(409, detail, "settings_unreadable")
