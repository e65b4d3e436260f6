"""The checks of pages report every known error of a faulty site, and none of a sound one."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.accessibility import NotAccessible
from tests.browser.conftest import Open
from tests.browser.site import faulty_site
from tests.browser.visitor import BOTH_LOOKS, Look, open_window


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def site() -> AsyncIterator[str]:
    async with faulty_site() as origin:
        yield origin


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_sound_page_raises_no_complaint(window: Open, site: str, look: Look) -> None:
    visitor = await window(site, look)
    await visitor.go("/sound")
    await visitor.axe()
    assert await visitor.page.evaluate("document.documentElement.lang") == look.lang
    dark = await visitor.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark == (look.theme == "dark")
    picture = await visitor.screenshot("sound")
    assert picture.name == f"sound-{look.viewport}-{look.theme}-{look.lang}.png"
    picture.unlink()


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/inline-style", "Content Security Policy"),
        ("/inline-script", "Content Security Policy"),
        ("/missing-picture", "answered 404: GET"),
        ("/somebody-else", "asked somebody else: GET http://localhost:9/"),
        ("/failing-script", "script failed: on purpose"),
        ("/console-error", "console error: on purpose"),
        ("/nowhere", "answered 404: GET"),
    ],
)
async def test_every_error_is_reported(chromium: Browser, site: str, path: str, complaint: str) -> None:
    visitor = await open_window(chromium, site, Look())
    await visitor.go(path)
    await visitor.page.wait_for_load_state("networkidle")
    found = visitor.watch.complaints()
    await visitor.page.context.close()
    assert any(complaint in text for text in found), found


async def test_what_a_test_provokes_is_no_complaint(window: Open, site: str) -> None:
    visitor = await window(site)
    visitor.provokes(404)
    visitor.provokes(text="on purpose")
    await visitor.go("/nowhere")
    await visitor.go("/failing-script")


async def test_what_is_not_accessible_is_reported_with_place_and_remedy(window: Open, site: str) -> None:
    visitor = await window(site)
    await visitor.go("/unlabelled")
    with pytest.raises(NotAccessible, match=r"label \(critical\)(?s:.*)input(?s:.*)Fix any of the following"):
        await visitor.axe()


async def test_a_window_without_script_shows_the_page(window: Open, site: str) -> None:
    visitor = await window(site, script=False)
    await visitor.go("/failing-script")
    assert await visitor.page.locator("h1").inner_text() == "Sound"
