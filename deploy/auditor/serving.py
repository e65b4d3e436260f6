"""The auditor's findings and metrics over HTTP: read-only, with the internal token; metrics also with a token of
their own."""

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.auditor.metrics import exposition
from deploy.auditor.watching import Watch
from services.chassis.http import edge
from services.chassis.http.problems import problem
from services.chassis.http.tokens import OPERATORS, SCRAPER, Gate, Tokens


def application(watch: Watch, token: str, metrics_token: str = "") -> Starlette:
    """Build the application: `GET /findings` is the last scan's report, 503 before the first; `GET /metrics`
    is for Prometheus.

    Both need the token, for metrics `metrics_token` is accepted as well; `GET /livez` needs none.
    """

    async def metrics(_: Request) -> Response:
        return Response(exposition(watch), media_type=CONTENT_TYPE_LATEST)

    async def findings(_: Request) -> Response:
        if "checks" not in watch.report:
            return problem(503, "the first scan is not over", "findings_missing", **watch.report)
        return JSONResponse(watch.report)

    async def livez(_: Request) -> Response:
        return PlainTextResponse("alive")

    routes = [Route("/findings", findings), Route("/metrics", metrics), Route("/livez", livez)]
    operators = [(SecretStr(token), OPERATORS)]
    scrapers = [(SecretStr(metrics_token), SCRAPER)] if metrics_token else []
    gates = [
        Middleware(Gate, under="/findings", tokens=Tokens("COMPTOIR_INTERNAL_TOKEN", operators)),
        Middleware(
            Gate,
            under="/metrics",
            tokens=Tokens("COMPTOIR_METRICS_TOKEN or COMPTOIR_INTERNAL_TOKEN", [*scrapers, *operators]),
        ),
    ]
    return edge.routed(routes, middleware=gates)


async def serve(watch: Watch, *, host: str, port: int, token: str, metrics_token: str = "") -> None:
    """Serve until the process is asked to stop."""
    app = application(watch, token, metrics_token)
    config = uvicorn.Config(app, host=host, port=port, log_config=None, server_header=False)
    await uvicorn.Server(config).serve()
