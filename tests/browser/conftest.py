"""Debian's Chromium and windows in it, for tests of pages; all share one event loop and one browser per worker."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from deploy.local.chromium import find_chromium
from tests.browser.visitor import Look, Visitor, open_window

Open = Callable[..., Awaitable[Visitor]]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Tests that use the browser run in the browser's own event loop."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()) and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A running Chromium without a screen. Playwright only drives it; its own browsers are never fetched."""
    found = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program,
            env=dict(found.environment()),
            args=["--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def window(chromium: Browser) -> AsyncIterator[Open]:
    """Opens windows on an origin; at the end none may have complained.

    `await window(origin, look, script=True)`; tests of the back office take `visit`, which knows the origin.
    """
    opened: list[Visitor] = []

    async def open_one(origin: str, look: Look | None = None, *, script: bool = True) -> Visitor:
        visitor = await open_window(chromium, origin, look or Look(), script=script)
        opened.append(visitor)
        return visitor

    yield open_one
    complaints = [text for visitor in opened for text in visitor.watch.complaints()]
    for visitor in opened:
        await visitor.page.context.close()
    assert complaints == [], "the browser complained:\n" + "\n".join(complaints)
