"""Operators' routes of failed effects: which there are, and that a person has seen them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.chassis.http.bodies import read_object
from services.chassis.http.operator_input import BadRequest, entered_actor, entered_reason, entered_text
from services.chassis.http.operator_routes import plain
from services.chassis.http.paging import LARGEST_PAGE
from services.chassis.messaging.inbound.parking import storable
from services.chassis.messaging.process import Process
from services.chassis.messaging.recovery import failed_effects
from services.chassis.messaging.recovery.failed_effects import Chosen
from services.chassis.messaging.recovery.known_shop import named_shop


def routes(process: Process) -> list[Route]:
    """Return the routes of a service's failed effects."""

    async def failed(request: Request) -> Response:
        """Return failed effects: those to be seen, or with `state=acknowledged` those that were."""
        query = request.query_params
        state = query.get("state", "failed")
        if state not in ("failed", "acknowledged"):
            raise BadRequest("state is failed or acknowledged")
        read = failed_effects.list_failed if state == "failed" else failed_effects.list_acknowledged
        async with process.acquire() as connection:
            listed = await read(
                connection, query.get("kind"), query.getlist("without"), named_shop(query), LARGEST_PAGE
            )
        return JSONResponse(plain(listed._asdict()))

    async def acknowledge(request: Request) -> Response:
        """Acknowledge failed effects, with the reason."""
        body = await read_object(request)
        missing = "give the reason why nothing has to be done, in characters that can be seen"
        chosen, reason = _chosen(body), entered_reason(body, missing)
        count = await failed_effects.acknowledge(process, chosen, reason, entered_actor(body))
        if count:
            return JSONResponse({"acknowledged": count})
        async with process.acquire() as connection:
            already = await failed_effects.was_acknowledged(connection, chosen)
        return JSONResponse({"acknowledged": 0, "already": already}, 404)

    return [
        Route("/internal/effects", failed),
        Route("/internal/effects/acknowledge", acknowledge, methods=["POST"]),
    ]


def _chosen(body: dict[str, Any]) -> Chosen:
    key, kind = entered_text(body, "key"), entered_text(body, "kind")
    if (key is None) == (kind is None):
        raise BadRequest("give either key (one effect) or kind (all failed ones of it)")
    return Chosen(key, kind, named_shop(body), _without(body))


def _without(body: dict[str, Any]) -> list[str]:
    """Return the kinds that are left out, as in the list."""
    kinds = body.get("without", [])
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise BadRequest("without is a list of the kinds to leave out")
    return [storable(kind) for kind in kinds]
