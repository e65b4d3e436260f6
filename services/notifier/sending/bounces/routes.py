"""Operators' routes about addresses that get no mail, and about alarms of the sender's reputation."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.chassis.http.paging import dated
from services.chassis.runtime.hub import Hub
from services.notifier.mails.listing import BadRequest, query_of
from services.notifier.sending.bounces import store
from services.notifier.sending.bounces.alarm import QUIET


async def list_suppressions(hub: Hub, request: Request) -> Response:
    """Return `?shop=&text=&before=&limit=`: a shop's suppressed addresses, the latest first; `text` is how an
    address begins.
    """
    query = query_of(request.query_params)
    if query.shop is None:
        raise BadRequest("name the shop: ?shop=…")
    async with hub.acquire() as connection:
        rows = await store.list_suppressions(
            connection, query.shop, query.text or "", query.before, query.limit
        )
    last = rows[-1] if len(rows) == query.limit else None
    return JSONResponse(
        {
            "suppressions": [_plain(row) for row in rows],
            "next": dated(last["since"], last["id"]) if last else None,
        },
        headers={"Cache-Control": "no-store"},
    )


async def list_alarms(hub: Hub, request: Request) -> Response:
    """Return the shops whose mails were refused as unwanted within a day, `?shop=` only that one."""
    wanted = request.query_params.get("shop")
    async with hub.acquire() as connection:
        rows = await store.read_alarms(connection, datetime.now(UTC) - QUIET)
    alarms = [_plain(row) for row in rows if wanted in (None, "", row["shop"])]
    return JSONResponse({"alarms": alarms}, headers={"Cache-Control": "no-store"})


def _plain(row: Any) -> dict[str, Any]:
    return {name: _written(value) for name, value in row.items()}


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)
