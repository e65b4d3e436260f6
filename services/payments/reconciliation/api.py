"""Reconciliation over HTTP for the back office: runs, findings and payouts; a run by hand; a finding resolved."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.chassis.http.bodies import read_object
from services.chassis.http.paging import LARGEST_PAGE
from services.chassis.http.problems import problem
from services.chassis.runtime.hub import Hub
from services.payments.plain_json import plain
from services.payments.reconciliation import run_store
from services.payments.reconciliation.running import WORKER, listed_endpoints
from services.payments.settings import PaymentsSettings

LONGEST_NOTE = 500


class Reconciliation:
    """The routes of one process."""

    def __init__(self, hub: Hub) -> None:
        assert isinstance(hub.settings, PaymentsSettings)
        self._hub = hub
        self._settings = hub.settings

    async def shown(self, request: Request) -> Response:
        """Return runs, findings and payouts of a shop; `open=false` for findings that are resolved or gone."""
        shop = request.query_params.get("shop")
        if not shop:
            return problem(422, "shop is missing: ?shop=…")
        is_open = request.query_params.get("open", "true") != "false"
        async with self._hub.acquire() as connection:
            runs = await run_store.read_runs(connection, shop)
            findings = await run_store.read_findings(connection, shop, is_open, LARGEST_PAGE)
            payouts = await run_store.read_payouts(connection, shop, LARGEST_PAGE)
        tables = {"runs": runs, "findings": findings, "payouts": payouts}
        return JSONResponse({name: [plain(row) for row in rows] for name, rows in tables.items()})

    async def run(self, request: Request) -> Response:
        """Request a run of every list of the shop; its progress is in `runs`."""
        body = await read_object(request)
        if wrong := _fault(body, "shop", "actor"):
            return problem(422, wrong)
        slugs = [endpoint.slug for _, endpoint in listed_endpoints(self._settings)]
        async with self._hub.acquire() as connection:
            lists = await run_store.ask(connection, body["shop"], body["actor"], slugs, self._hub.clock.now())
        if not lists:
            return problem(
                409, f"no endpoint of shop {body['shop']} has the credentials to read lists; add them"
            )
        self._hub.nudge(WORKER)
        return JSONResponse({"lists": lists}, 202)

    async def resolve(self, request: Request) -> Response:
        """Record what staff found out about a finding."""
        body, finding = await read_object(request), request.path_params["finding_id"]
        if wrong := _fault(body, "shop", "actor", "note"):
            return problem(422, wrong)
        async with self._hub.acquire() as connection:
            done = await run_store.resolve_finding(
                connection, body["shop"], finding, body["actor"], body["note"], self._hub.clock.now()
            )
        if not done:
            return problem(404, f"no open finding {finding} in shop {body['shop']}")
        return JSONResponse({"id": str(finding)})


def _fault(body: Mapping[str, Any], *fields: str) -> str | None:
    """Return the fault of the body, in words."""
    for field in fields:
        value = body.get(field)
        if not isinstance(value, str) or not value.strip() or "\x00" in value:
            return f"{field} is missing: send JSON with {', '.join(fields)}, each a text"
    if len(body.get("note", "")) > LONGEST_NOTE:
        return f"note has {len(body['note'])} characters; send at most {LONGEST_NOTE}"
    return None
