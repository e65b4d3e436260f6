"""The auditor's findings and metrics over HTTP: read-only, with the internal token."""

import hmac

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.auditor.metrics import exposition
from deploy.auditor.watching import Watch


def application(found: Watch, token: str) -> Starlette:
    """Build the application: `GET /findings` is the last look's report, 503 before the first; `GET /metrics`
    is for Prometheus.

    Both need the token; `GET /livez` needs none.
    """

    def refusal(request: Request) -> Response | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
            return JSONResponse({"status": 401, "detail": "send the operators' token"}, 401)
        return None

    async def metrics(request: Request) -> Response:
        return refusal(request) or Response(exposition(found), media_type=CONTENT_TYPE_LATEST)

    async def findings(request: Request) -> Response:
        if refused := refusal(request):
            return refused
        if "checks" not in found.told:
            return JSONResponse({"status": 503, "detail": "the first look is not over", **found.told}, 503)
        return JSONResponse(found.told)

    async def livez(_: Request) -> Response:
        return PlainTextResponse("alive")

    routes = [Route("/findings", findings), Route("/metrics", metrics), Route("/livez", livez)]
    return Starlette(routes=routes)


async def serve(found: Watch, *, host: str, port: int, token: str) -> None:
    """Serve until the process is asked to stop."""
    config = uvicorn.Config(
        application(found, token), host=host, port=port, log_config=None, server_header=False
    )
    await uvicorn.Server(config).serve()
