"""Windows of Debian's Chromium before a running Comptoir; a worker has one browser, one system and one event loop.

For a test of pages: `shop` (this file's own shop, stocked) and `context` (a window, signed in). A complaint of the
browser fails the test; of one that fails, pictures of its windows are in var/test/screens/failed-….png.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from deploy.local.chromium import driver_environment, find_chromium
from deploy.local.parts import Postgres, RabbitMQ
from tests.browser.house import House, OwnShop, Person, fill_shelves
from tests.browser.visitor import SCREENS, Look, Visitor, open_window

Open = Callable[..., Awaitable[Visitor]]
PageContext = Callable[..., Awaitable[Visitor]]
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Tests of pages run in the event loop of the browser and the system."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if {"chromium", "house"} & set(names) and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure, so that the windows are pictured before they close."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A running Chromium without a screen. Playwright only drives it; its own browsers are never fetched."""
    found = find_chromium()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in driver_environment().items():
            patch.setenv(name, value)
        driver = await async_playwright().start()
    try:
        browser = await driver.chromium.launch(
            executable_path=found.program,
            env=dict(found.environment()),
            args=["--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"],
        )
        yield browser
        await browser.close()
    finally:
        await driver.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def window(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Opens windows: `await window(origin, look, script=True)`; at the end none may have complained."""
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
        await visitor.page.context.close()
    assert complaints == [], "the browser complained:\n" + "\n".join(complaints)


def _failed(test: str, number: int) -> Path:
    return SCREENS / f"failed-{re.sub(r'[^a-z0-9]+', '-', test.lower()).strip('-')}-{number}.png"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(parts_folder: Path, postgres: Postgres, rabbitmq: RabbitMQ) -> AsyncIterator[House]:
    """A running Comptoir with its back office. Whoever stops a service of it starts it again."""
    opened = House(parts_folder / "house", postgres, rabbitmq)
    async with opened.system:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(house: House) -> AsyncIterator[OwnShop]:
    """A shop that only this file uses, with plenty of notebooks and ink on its shelves."""
    async with await house.take_shop() as opened:
        await fill_shelves(opened)
        yield opened


@pytest.fixture
def context(house: House, shop: OwnShop, window: Open) -> PageContext:
    """Opens a window of the back office, signed in through the form, at a path.

    `await visit("owner", "/orders", lang="en", theme="dark", viewport="phone", look=…, script=True)`; who: a role, a
    Person of `shop.hire(role)`, or None for a window that is not signed in.
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
        visitor = await window(house.origin, look or Look(lang, theme, viewport), script=script)
        person = await shop.person(who) if isinstance(who, str) else who
        if person is None:
            await visitor.go(path)
        else:
            await visitor.sign_in(person.login, person.password, path)
        return visitor

    return open_window_of
