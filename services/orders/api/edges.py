"""Common parts of the REST API's routes: the request context, the order's name, the key, a command's
description.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.security import HTTPBearer

from services.orders.api.access import GUARDED
from services.orders.api.context import RequestContext
from services.orders.api.problems import described
from services.orders.listing.order_parts import CommandResponse

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token of COMPTOIR_API_TOKENS.")


def guarded_router() -> APIRouter:
    """Return a router below /v1, whose routes all require a token."""
    return APIRouter(prefix=GUARDED, dependencies=[Depends(_bearer)], responses=described(401, 422, 503))


async def _request_context(request: Request) -> RequestContext:
    """Return the request context. Async, since FastAPI would run a plain function in a thread."""
    return RequestContext(request)


Context = Annotated[RequestContext, Depends(_request_context)]
OrderName = Annotated[str, Path(max_length=64, description="The order's id or its code (K7F3-QD9M).")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Chosen by the caller, once per command: the same key and request give the same command.",
    ),
]
COMMAND: dict[str, Any] = {
    "tags": ["commands"],
    "response_model": CommandResponse,
    "status_code": 201,
    "response_description": "Done; something was created.",
    "responses": {
        200: {"model": CommandResponse, "description": "Done; nothing was created."},
        202: {
            "model": CommandResponse,
            "description": "Sent; no outcome after two seconds: poll `Location` after `Retry-After`. "
            "State `parked` (no `Retry-After`): staff must look.",
        },
        **described(400, 404, 409, 413),
    },
}
