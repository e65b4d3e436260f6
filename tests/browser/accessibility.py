"""Whether a page is accessible by the rules of WCAG 2.2 A and AA that a program can check (axe-core)."""

import hashlib
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).with_name("axe") / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_RUN = "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})"


class NotAccessible(AssertionError):
    """A page breaks rules; every place of every rule, with what to do."""


def source() -> str:
    """axe-core's program. AssertionError when the file is not the one its README names."""
    text = AXE.read_bytes()
    (named,) = re.findall(r"`([0-9a-f]{64})`", AXE.with_name("README.md").read_text(encoding="utf-8"))
    assert hashlib.sha256(text).hexdigest() == named, f"{AXE} is not the file its README names"
    return text.decode()


async def findings(page: Page) -> list[str]:
    """What is not accessible on the page as it stands, rule by rule."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(source())
    answer: dict[str, Any] = await page.evaluate(_RUN, RULES)
    return [_told(broken) for broken in answer["violations"]]


def _told(broken: dict[str, Any]) -> str:
    places = "\n".join(
        f"    {' '.join(map(str, node['target']))}\n      {node['html'][:200]}\n"
        + "\n".join(f"      {line.strip()}" for line in node["failureSummary"].splitlines())
        for node in broken["nodes"]
    )
    return f"{broken['id']} ({broken['impact']}): {broken['help']}\n{places}"


async def assert_accessible(page: Page, what: str) -> None:
    """Raise NotAccessible with all that breaks a rule."""
    if found := await findings(page):
        raise NotAccessible(f"{what} breaks {len(found)} rules:\n" + "\n".join(found))
