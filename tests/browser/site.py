"""A site with known errors, to test the checks that watch over the real one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.serving import serving

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
SOUND = """<!doctype html><html lang="{lang}"><head><title>Sound</title><link rel="icon" href="/icon"></head>
<body><main><h1>Sound</h1>{body}</main></body></html>"""
BODIES = {
    "sound": "<p>Nothing is wrong here.</p>",
    "inline-style": '<p style="color: red">Styled inline.</p>',
    "inline-script": "<script>document.title = 'changed'</script>",
    "missing-picture": '<img src="/nowhere.png" alt="missing">',
    "somebody-else": '<img src="http://localhost:9/picture.png" alt="elsewhere">',
    "failing-script": '<script src="/fails.js"></script>',
    "console-error": '<script src="/errors.js"></script>',
    "unlabelled": '<form><input name="login"></form>',
}
SCRIPTS = {"fails.js": "throw new Error('on purpose')", "errors.js": "console.error('on purpose')"}


async def _page(request: Request) -> Response:
    name = request.path_params["name"]
    if name in SCRIPTS:
        return Response(SCRIPTS[name], media_type="text/javascript")
    if name == "icon":
        return Response(b"", media_type="image/x-icon")
    if name not in BODIES:
        return Response("not here", 404)
    lang = request.headers.get("accept-language", "")[:2]
    return HTMLResponse(
        SOUND.format(lang=lang, body=BODIES[name]), headers={"Content-Security-Policy": POLICY}
    )


@asynccontextmanager
async def faulty_site() -> AsyncIterator[str]:
    """Serve the site and yield its origin."""
    async with serving(Starlette(routes=[Route("/{name}", _page)])) as origin:
        yield origin
