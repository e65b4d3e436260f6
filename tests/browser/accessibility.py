"""Accessibility of pages by the automatically testable rules of WCAG 2.2 A and AA (axe-core)."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).with_name("axe") / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_RUN = """rules => axe.run(document, {
    runOnly: {type: 'tag', values: rules}, resultTypes: ['violations'], iframes: false,
})"""
"""Without frames: the only ones show mails, in a sandbox where no script runs (test_mail_pictures checks mails)."""


class NotAccessible(AssertionError):
    """A page violates rules; the message has every rule, every element and its remedy."""


@cache
def source() -> str:
    """Return axe-core's source. Raises AssertionError when the file's digest is not the one in its README."""
    text = AXE.read_bytes()
    (named,) = re.findall(r"`([0-9a-f]{64})`", AXE.with_name("README.md").read_text(encoding="utf-8"))
    assert hashlib.sha256(text).hexdigest() == named, f"{AXE} is not the file its README names"
    return text.decode()


async def findings(page: Page) -> list[str]:
    """Return the violations on the page in its current state, one text per rule."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(source())
    answer: dict[str, Any] = await page.evaluate(_RUN, RULES)
    return [_described(broken) for broken in answer["violations"]]


def _described(broken: dict[str, Any]) -> str:
    places = "\n".join(
        f"    {' '.join(map(str, node['target']))}\n      {node['html'][:200]}\n"
        + "\n".join(f"      {line.strip()}" for line in node["failureSummary"].splitlines())
        for node in broken["nodes"]
    )
    return f"{broken['id']} ({broken['impact']}): {broken['help']}\n{places}"


async def assert_accessible(page: Page, what: str) -> None:
    """Raise NotAccessible with all violations."""
    if found := await findings(page):
        raise NotAccessible(f"{what} breaks {len(found)} rules:\n" + "\n".join(found))
