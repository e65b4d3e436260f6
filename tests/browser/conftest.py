"""Fixtures of browser tests: Debian's Chromium and a running Comptoir; a worker has one of each, and one event loop.

A test of pages uses `shop` (this file's own shop, stocked) and `context` (a signed-in window). An error reported
by the browser fails the test; screenshots of a failed test's windows are in var/test/screens/failed-….png.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from deploy.local.chromium import driver_environment, find_chromium
from deploy.local.parts import Postgres, RabbitMQ
from tests.browser.running_system import OwnShop, Person, RunningSystem, fill_shelves
from tests.browser.visitor import PATIENCE_MILLISECONDS, SCREENS, Look, Visitor, open_window
from tests.preloading import Preloaded

Open = Callable[..., Awaitable[Visitor]]
PageContext = Callable[..., Awaitable[Visitor]]
expect.set_options(timeout=PATIENCE_MILLISECONDS)
FAILED = pytest.StashKey[bool]()
CHROMIUM_ARGUMENTS = (
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
    "--disable-site-isolation-trials",
)
"""The last one keeps a sandboxed frame in the process of its page: Playwright at times does not see into a frame
that Chromium put into a process of its own (puppeteer/puppeteer#12381).
"""
CLOSE_SECONDS = 10
"""Seconds to wait for a window to close: Chromium may never confirm it during a navigation; it ends with the
browser.
"""


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Run tests of pages in the event loop of the browser and the system."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if {"chromium", "running"} & set(names) and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Store a failure, so that screenshots are taken before the windows close."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Yield a headless Chromium. Playwright only drives it; its own browsers are never downloaded."""
    found = find_chromium()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in driver_environment().items():
            patch.setenv(name, value)
        driver = await async_playwright().start()
    try:
        browser = await driver.chromium.launch(
            executable_path=found.program,
            env=dict(found.environment()),
            args=list(CHROMIUM_ARGUMENTS),
        )
        yield browser
        await browser.close()
    finally:
        await driver.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def window(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Yield a function that opens windows, `await window(origin, look, script=True)`; fail if one has reported an
    error.
    """
    opened: list[Visitor] = []

    async def open_one(origin: str, look: Look | None = None, *, script: bool = True) -> Visitor:
        visitor = await open_window(chromium, origin, look or Look(), script=script)
        opened.append(visitor)
        return visitor

    yield open_one
    if request.node.stash.get(FAILED, False):
        for number, visitor in enumerate(opened, start=1):
            await visitor.picture(_failed(request.node.name, number))
    complaints = [text for visitor in opened for text in visitor.watch.complaints()]
    for visitor in opened:
        with suppress(TimeoutError):
            await asyncio.wait_for(visitor.page.context.close(), CLOSE_SECONDS)
    assert complaints == [], "the browser complained:\n" + "\n".join(complaints)


def _failed(test: str, number: int) -> Path:
    return SCREENS / f"failed-{re.sub(r'[^a-z0-9]+', '-', test.lower()).strip('-')}-{number}.png"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    parts_folder: Path, preloaded: Preloaded, postgres: Postgres, rabbitmq: RabbitMQ
) -> AsyncIterator[RunningSystem]:
    """Yield a running Comptoir with its back office. A test that stops one of its services starts it again."""
    opened = RunningSystem(parts_folder / "running", postgres, rabbitmq, preloaded)
    async with opened.system:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(running: RunningSystem) -> AsyncIterator[OwnShop]:
    """Yield a shop that only this file uses, with plenty of notebooks and ink in stock."""
    async with await running.take_shop() as opened:
        await fill_shelves(opened)
        yield opened


@pytest.fixture
def context(running: RunningSystem, shop: OwnShop, window: Open) -> PageContext:
    """Return a function that opens a window of the back office, signed in, at a path.

    `await visit("owner", "/orders", lang="en", theme="dark", viewport="phone", look=…, script=True)`; who: a role, a
    Person of `shop.hire(role)`, or None for a window that is not signed in. A Person signs in through the form, and so
    does the first window of a role; its other windows share that session.
    """

    async def open_window_of(
        who: str | Person | None = "owner",
        path: str = "/",
        *,
        look: Look | None = None,
        lang: str = "fr",
        theme: str = "light",
        viewport: str = "desk",
        script: bool = True,
    ) -> Visitor:
        visitor = await window(running.origin, look or Look(lang, theme, viewport), script=script)
        if who is None:
            await visitor.go(path)
        elif isinstance(who, Person):
            await visitor.sign_in(who.login, who.password, path)
        else:
            await _enter(visitor, shop, who, path)
        return visitor

    return open_window_of


async def _enter(visitor: Visitor, shop: OwnShop, role: str, path: str) -> None:
    """Open a path in the session of a role, which begins in its first window and after a test has ended it."""
    if token := shop.sessions.get(role):
        await visitor.use_session(token)
        await visitor.go(path)
        if urlsplit(visitor.page.url).path != "/sign-in":
            return
    person = await shop.person(role)
    await visitor.sign_in(person.login, person.password, path)
    shop.sessions[role] = await visitor.session_token()
