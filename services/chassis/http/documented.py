"""Applications with FastAPI: routes with typed parameters, invalid requests as problems, and the OpenAPI document.

Separate from `edge.py`, so that a service without such routes does not load FastAPI.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic_core import from_json

from contracts.message import Reason
from services.chassis.faults.body_faults import fault_of
from services.chassis.faults.schema_faults import sentence_of_request
from services.chassis.http import problems
from services.chassis.http.problems import MEDIA_TYPE, Errors, Problem


class ProblemDetails(BaseModel):
    """A problem as the document describes it (RFC 9457)."""

    type: str = Field(description="The problem's kind, as a name: urn:comptoir:problem:<code>.")
    title: str
    status: int
    detail: str = Field(description="What is wrong here and what to do.")
    code: str = Field(description="Stable identifier for programs.")
    errors: list[Reason] = Field(default_factory=list, description="Every single reason.")


def documented(
    title: str,
    routers: Sequence[APIRouter],
    errors: Errors | None = None,
    *,
    summary: str | None = None,
    openapi_url: str | None = None,
    details: type[ProblemDetails] = ProblemDetails,
) -> FastAPI:
    """Return an application of these routers. `details` describes its problems in the document at
    `openapi_url`; without a URL there is no document."""
    app = FastAPI(
        title=title,
        version="1",
        summary=summary,
        openapi_url=openapi_url,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for one in routers:
        app.include_router(one)
    problems.install(app, errors)
    app.add_exception_handler(RequestValidationError, _invalid)
    _describe(app, details)
    return app


def described(meanings: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return the problems a route may answer with, by status, for its OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": words, "content": content} for status, words in meanings.items()}


def as_text(app: FastAPI) -> str:
    """Return the OpenAPI document of an application as the text that is committed."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def field_path(location: Sequence[str | int]) -> str:
    """Return a place in the request as a path: `("body", "lines", 2, "quantity")` is `lines[2].quantity`."""
    path = ""
    for step in location[1:] or location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _describe(app: FastAPI, details: type[ProblemDetails]) -> None:
    """Add `ProblemDetails`, to which `described` refers, to the app's OpenAPI document."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schema = details.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas["ProblemDetails"] = schema
        return document

    app.openapi = openapi  # type: ignore[method-assign]


async def _invalid(request: Request, error: Exception) -> Response:
    """Return the problem for a request that does not fit the document, with the path of every invalid field."""
    assert isinstance(error, RequestValidationError)
    reasons = [_reason(one, error.body) for one in error.errors()]
    if any(one["loc"][:2] == ("header", "Idempotency-Key") for one in error.errors()):
        detail = (
            "Send the header Idempotency-Key: up to 255 printable characters, a new one for every command."
        )
        return Problem(400, "idempotency_key_needed", detail, errors=reasons).response()
    detail = "Correct everything named under errors and send it again."
    return Problem(422, "request_invalid", detail, errors=reasons).response()


def _reason(error: dict[str, Any], body: Any) -> Reason:
    if error["type"] == "json_invalid":
        return Reason(
            code="json_invalid", message=f"The body is not JSON text in UTF-8: {_fault_of_json(body)}."
        )
    return Reason(
        code=re.sub("[^a-z0-9_]", "_", error["type"].lower()),
        message=sentence_of_request(error)[:1000],
        field=field_path(error["loc"])[:200],
    )


def _fault_of_json(body: Any) -> str:
    """Return the fault of a body that could not be parsed as JSON and was passed on as text."""
    raw = body.encode(errors="surrogatepass") if isinstance(body, str) else b""
    try:
        from_json(raw)
    except ValueError as error:
        return fault_of(raw, str(error))
    return fault_of(raw, "")
