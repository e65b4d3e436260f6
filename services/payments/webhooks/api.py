"""Webhooks over HTTP for the back office: webhooks with their results, missing events, and staff
decisions.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.chassis.http.bodies import read_object
from services.chassis.http.paging import LARGEST_PAGE
from services.chassis.http.problems import problem
from services.chassis.runtime.hub import Hub
from services.chassis.texts import is_blank
from services.payments.endpoints.loading import look_again as load_now
from services.payments.plain_json import plain
from services.payments.providers.needed import looked_up, missing
from services.payments.providers.port import Endpoint, Provider
from services.payments.settings import PaymentsSettings
from services.payments.webhooks import store, subscriptions
from services.payments.webhooks.aside_store import StaffDecision
from services.payments.webhooks.reading import WORKER
from services.payments.webhooks.setting_aside import look_again, set_payment_aside, set_webhook_aside

STATES = ("unread", "applied", "duplicate", "irrelevant", "waiting", "parked")
LONGEST_REASON = 200


class Webhooks:
    """The routes of one process."""

    def __init__(self, hub: Hub) -> None:
        assert isinstance(hub.settings, PaymentsSettings)
        self._hub = hub
        self._settings = hub.settings

    async def listed(self, request: Request) -> Response:
        """Return webhooks without their bodies, newest first; the tally, the rejected posts, and each
        endpoint's missing events.
        """
        query = request.query_params
        shop, state = query.get("shop"), query.get("state")
        if state is not None and state not in (*STATES, "received"):
            return problem(422, f"state must be one of {', '.join(STATES)}")
        try:
            before = UUID(query["before"]) if query.get("before") else None
            one = UUID(query["id"]) if query.get("id") else None
            limit = min(max(int(query.get("limit", LARGEST_PAGE)), 1), LARGEST_PAGE)
        except ValueError:
            return problem(422, "id and before must be ids of webhooks, limit a number")
        endpoints = [pair for pair in self._settings.endpoints if shop in (None, pair[1].shop)]
        slugs = [one.slug for _, one in endpoints]
        types = sorted({name for one, _ in endpoints for name in looked_up(one.needed)})
        stored = "received" if state == "unread" else state
        async with self._hub.acquire() as connection:
            rows = await store.read_webhooks(connection, shop, stored, before, limit, one)
            tally = await store.read_tally(connection, shop)
            refused = await store.read_refused(connection, slugs if shop else None, LARGEST_PAGE)
            came = await store.read_last_of_types(connection, slugs, types)
        tables = {"webhooks": rows, "tally": tally, "refused": refused}
        last = {(row["endpoint"], row["event_type"]): row["last_at"] for row in came}
        answer = {name: [plain(row) for row in table] for name, table in tables.items()}
        return JSONResponse({**answer, "endpoints": [_needs_of(*pair, last) for pair in endpoints]})

    async def subscribed(self, request: Request) -> Response:
        """Return the events that each endpoint needs and is not subscribed to, queried from the providers now."""
        shop = request.query_params.get("shop")
        return JSONResponse(subscriptions.as_json(await subscriptions.compare(self._settings, shop)))

    async def tested(self, request: Request) -> Response:
        """Return the state of one endpoint at its provider, queried now."""
        slug, body = request.path_params["slug"], await read_object(request)
        await load_now(self._hub)
        for provider, endpoint in self._settings.endpoints:
            if (endpoint.slug, endpoint.shop) == (slug, body.get("shop")):
                return JSONResponse(asdict(await subscriptions.compare_one(provider, endpoint)))
        return problem(
            404, f"no endpoint {slug} of this shop is active; GET /internal/endpoints gives the reason"
        )

    async def look_again(self, request: Request) -> Response:
        """Apply a webhook again that is parked, was set aside by staff, or has money and names another
        shop.
        """
        webhook_id = request.path_params["webhook_id"]
        body = await read_object(request)
        async with self._hub.unit() as unit:
            actor = str(body.get("actor") or "operator")[:200]
            found = await look_again(unit, body.get("shop"), webhook_id, actor)
        if not found:
            return problem(
                404,
                f"webhook {webhook_id} is neither parked nor set aside, or its content is gone; "
                "GET /internal/webhooks?state=parked lists them",
            )
        self._hub.nudge(WORKER)
        return JSONResponse({"id": str(webhook_id), "state": "unread", "webhooks": len(found)}, 202)

    async def set_aside(self, request: Request) -> Response:
        """Set a webhook aside, with all of its payment when it carries money."""
        webhook_id, body = request.path_params["webhook_id"], await read_object(request)
        if wrong := _fault(body, "shop", "actor", "reason"):
            return problem(422, wrong)
        async with self._hub.unit() as unit:
            word = StaffDecision(body["actor"], body["reason"], unit.now)
            found = await set_webhook_aside(unit, body["shop"], webhook_id, word)
        return JSONResponse({"webhooks": len(found)})

    async def set_payment_aside(self, request: Request) -> Response:
        """Set unmatched money aside."""
        body = await read_object(request)
        if wrong := _fault(body, "shop", "provider", "provider_reference", "actor", "reason"):
            return problem(422, wrong)
        async with self._hub.unit() as unit:
            word = StaffDecision(body["actor"], body["reason"], unit.now)
            payment = (body["shop"], body["provider"], body["provider_reference"])
            found = await set_payment_aside(unit, payment, word)
        return JSONResponse({"webhooks": len(found)})


def _needs_of(
    provider: Provider, endpoint: Endpoint, last: Mapping[tuple[str, str], datetime]
) -> dict[str, Any]:
    came = {event_type: at for (slug, event_type), at in last.items() if slug == endpoint.slug}
    needed = [
        {"type": one, "last_at": came[one].isoformat() if one in came else None} for one in provider.needed
    ]
    return {
        "provider": provider.name,
        "endpoint": endpoint.slug,
        "shop": endpoint.shop,
        "needed": needed,
        "missing": missing(provider.needed, came),
    }


def _fault(body: Mapping[str, Any], *fields: str) -> str | None:
    """Return the fault of the body, in words."""
    for field in fields:
        value = body.get(field)
        if not isinstance(value, str) or is_blank(value) or "\x00" in value:
            return f"{field} is missing or blank: send JSON with {', '.join(fields)}, each a text"
    if len(body["reason"]) > LONGEST_REASON:
        return f"reason has {len(body['reason'])} characters; send at most {LONGEST_REASON}"
    return None
