"""The auditor's findings over HTTP, for the back office's page of operations: read-only, with the internal token."""

import hmac

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.auditor.watching import Watch


def application(found: Watch, token: str) -> Starlette:
    """`GET /findings` is the last look's report, 503 before the first; `GET /livez` needs no token."""

    async def findings(request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
            return JSONResponse({"status": 401, "detail": "send the operators' token"}, 401)
        if "checks" not in found.told:
            return JSONResponse({"status": 503, "detail": "the first look is not over", **found.told}, 503)
        return JSONResponse(found.told)

    async def livez(_: Request) -> Response:
        return PlainTextResponse("alive")

    return Starlette(routes=[Route("/findings", findings), Route("/livez", livez)])


async def serve(found: Watch, *, host: str, port: int, token: str) -> None:
    """Answer until the process is told to stop."""
    config = uvicorn.Config(
        application(found, token), host=host, port=port, log_config=None, server_header=False
    )
    await uvicorn.Server(config).serve()
