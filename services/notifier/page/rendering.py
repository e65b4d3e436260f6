"""Pages as HTML: one set of templates, the words of either language, the stylesheet under its digest."""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.notifier.links.link import PATH
from services.notifier.mails.texts.planning import LANGUAGES, language_of

ROOT = Path(__file__).parent
STYLE = (ROOT / "static/page.css").read_bytes()
STYLE_DIGEST = hashlib.sha256(STYLE).hexdigest()[:16]
STYLE_PATH = f"/static/{STYLE_DIGEST}/page.css"
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_templates = Environment(
    loader=FileSystemLoader(ROOT / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@lru_cache(maxsize=len(LANGUAGES))
def words_of(language: str) -> dict[str, Any]:
    """Return the page's words in a language."""
    return tomllib.loads((ROOT / "words" / f"{language}.toml").read_text("utf-8"))


@lru_cache(maxsize=len(LANGUAGES))
def methods_of(language: str) -> dict[str, str]:
    """Return what payment methods are called, as mails call them."""
    mails = ROOT.parent / "mails/compose/templates" / language / "words.toml"
    methods: dict[str, str] = tomllib.loads(mails.read_text("utf-8"))["method"]
    return methods


def requested_language(request: Request, locale: str) -> str:
    """Return the language chosen by the switch, else the order's, else the browser's first known one."""
    chosen = request.query_params.get("lang", "")
    if chosen in LANGUAGES:
        return chosen
    if locale:
        return language_of(locale)
    accepted = request.headers.get("accept-language", "")
    return "fr" if accepted.strip().lower().startswith("fr") else "en"


def render(template: str, language: str, address: str, status: int = 200, **values: Any) -> Response:
    """Return a page. The language switch leads to `address` again."""
    other = next(one for one in LANGUAGES if one != language)
    page = _templates.get_template(template).render(
        words=words_of(language),
        language=language,
        switch={"language": other, "href": f"{address}?lang={other}"},
        style=STYLE_PATH,
        **{"shop": None, **values},
    )
    return HTMLResponse(page, status)


def refused(
    request: Request, reason: str, status: int, headers: Mapping[str, str] | None = None, locale: str = ""
) -> Response:
    """Return the page of a refused request: why, what to do, and the way back to the order that its address names."""
    parts = request.url.path.split("/")
    back = f"{PATH}{parts[2]}" if request.url.path.startswith(PATH) and parts[2] else ""
    language = requested_language(request, locale)
    page = render("refused.html", language, back or request.url.path, status, reason=reason, back=back)
    page.headers.update(headers or {})
    return page


async def serve_style(_: Request) -> Response:
    """Return the stylesheet; its address changes with its content."""
    return Response(STYLE, media_type="text/css", headers=FOREVER)
