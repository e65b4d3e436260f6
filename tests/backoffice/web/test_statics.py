"""Static files: vendored as published, kept for a year under a name that changes with them, small."""

import gzip
import hashlib
import re
from pathlib import Path

from services.orders.backoffice.web.statics import FOLDER, KEPT
from tests.backoffice.browser import Backoffice

ROOT = Path(FOLDER).parent.parent
VENDORED = {
    "htmx-4.0.1.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
}
"""SHA-256 of what the package on the registry holds."""
MOST_BYTES = 60_000


def test_vendored_files_are_what_was_published() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (FOLDER / "vendor").glob("*.js")
    }
    assert found == VENDORED
    assert (FOLDER / "vendor" / "htmx-LICENSE.txt").read_text().startswith("Zero-Clause BSD")


async def test_files_are_kept_for_a_year_under_their_digest(backoffice: Backoffice) -> None:
    browser = backoffice.browser()
    statics = backoffice.app_state.statics
    for name in statics.files:
        answer = await browser.get(statics.url(name))
        assert (answer.status, answer.headers["cache-control"]) == (200, KEPT)
        assert "script" in answer.headers["content-type"] or not name.endswith(".js")
    assert (await browser.get("/static/0000/comptoir.css")).headers["cache-control"] == "no-cache"
    assert (await browser.get(f"/static/{statics.digest}/../settings.py")).status == 404
    assert (await browser.get(f"/static/{statics.digest}/%2e%2e/settings.py")).status == 404


async def test_a_page_with_all_it_needs_is_small(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(language="fr")
    page = await browser.get("/account")
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    scripts = [url for url in names if url.endswith("js/comptoir.js")]
    assert len(scripts) == 1
    modules = [url for url in backoffice.app_state.statics.files if url.startswith("js/")]
    paths = {*names, *(backoffice.app_state.statics.url(name) for name in modules)}
    sizes = [len(gzip.compress((await browser.get(path)).response.content)) for path in paths]
    assert sum(sizes) + len(gzip.compress(page.text.encode())) <= MOST_BYTES


def test_no_template_holds_what_the_policy_forbids() -> None:
    forbidden = re.compile(
        r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|\bjs:", re.IGNORECASE
    )
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in ROOT.glob("*/templates/**/*.html")
        for match in forbidden.finditer(path.read_text())
    ]
    assert found == []


def test_our_scripts_put_no_markup_together() -> None:
    forbidden = re.compile(
        r"\binnerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b"
    )
    found = [
        f"{path.name}: {match.group()}"
        for path in (FOLDER / "js").glob("*.js")
        for match in forbidden.finditer(path.read_text())
    ]
    assert found == []
